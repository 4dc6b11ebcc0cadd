"""The images that train a head, those that choose its checkpoint, and the random streams of both.

Source: EmoNet-Face, arXiv 2505.20033, App. B.2. Every head has its own images: they are grouped into buckets by the
head's own ratings, and a rule gives how many of each bucket are held out and how many train.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

HIGHEST = 7
UNKNOWN = -1
HELD_OUT = 0.05  # of each bucket, for validation
TRAIN_SHARE = 0.25  # of the mean bucket, at most this many of each bucket train

Rule = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Use(IntEnum):
    """The purpose of a random stream; streams for different purposes are independent."""

    INIT = 0
    PICK = 1
    ORDER = 2
    DROPOUT = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """The images of one head.

    Attributes:
        train: (n,) row numbers, in no order.
        validation: (m,) row numbers, none of them in `train`.
        counts: (3, buckets): how many have a known rating, are held out, train.
    """

    train: np.ndarray
    validation: np.ndarray
    counts: np.ndarray

    @property
    def usable(self) -> bool:
        """Whether there are images to train on and images to choose the checkpoint by."""
        return bool(len(self.train) and len(self.validation))


def stream_seed(seed: int, use: Use, *path: int) -> int:
    """A distinct seed, 0…2⁶³ − 1, for every seed, use and path (stage, epoch, head)."""
    return int(np.random.SeedSequence([seed, use, *path]).generate_state(1, np.uint64)[0] >> 1)


def stream(seed: int, use: Use, *path: int) -> np.random.Generator:
    """The NumPy generator of a stream."""
    return np.random.default_rng(stream_seed(seed, use, *path))


def intensity_buckets(ratings: np.ndarray) -> np.ndarray:
    """Ratings 0…7, rounded half up, as buckets 0…7; `UNKNOWN` where the rating is NaN.

    >>> intensity_buckets(np.array([0.2, 0.5, 6.9, np.nan])).tolist()
    [0, 1, 7, -1]
    """
    known = ~np.isnan(ratings)
    return np.where(known, np.clip(np.floor(np.where(known, ratings, 0) + 0.5), 0, HIGHEST), UNKNOWN).astype(np.int8)


def presence_buckets(ratings: np.ndarray) -> np.ndarray:
    """Ratings or labels as bucket 0 (absent) or 1 (present, at any intensity); `UNKNOWN` where NaN.

    >>> presence_buckets(np.array([0.0, 1.0, 6.0, np.nan])).tolist()
    [0, 1, 1, -1]
    """
    return np.minimum(intensity_buckets(ratings), 1)


def _held_out(sizes: np.ndarray) -> np.ndarray:
    """5 % of each bucket, rounded half up; at least one if the bucket has two or more."""
    return np.where(sizes > 1, np.maximum(1, np.floor(HELD_OUT * sizes + 0.5)), 0).astype(np.int64)


def capped_buckets(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Small's rule, the paper's "stumbling strategy": of each bucket, at most 25 % of the mean bucket size train.

    "By the same principle" 5 % of a bucket, and at most 5 % of the mean bucket size, are held out: the zeros, nine
    tenths of all images, then dominate neither set.

    Args:
        sizes: (8,) images per bucket; empty buckets count in the mean.

    Returns:
        How many of each bucket are held out, and how many train.

    >>> capped_buckets(np.array([184, 4, 4, 4, 2, 1, 1, 0]))
    (array([1, 1, 1, 1, 1, 0, 0, 0]), array([6, 3, 3, 3, 1, 1, 1, 0]))
    """
    mean = sizes.mean()
    held_out = np.minimum(_held_out(sizes), max(1, int(HELD_OUT * mean)))
    return held_out, np.minimum(sizes - held_out, max(1, int(TRAIN_SHARE * mean)))


def balanced(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Large's rule on BIG: all that show the emotion and as many that do not; 5 % of either are held out.

    >>> balanced(np.array([900, 100]))
    (array([5, 5]), array([95, 95]))
    """
    pool = np.array([min(sizes), sizes[1]])
    return _held_out(pool), pool - _held_out(pool)


def everything(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Large's rule on BINARY: every known label; 5 % of either bucket are held out.

    >>> everything(np.array([60, 40]))
    (array([3, 2]), array([57, 38]))
    """
    return _held_out(sizes), sizes - _held_out(sizes)


def pick(buckets: np.ndarray, size: int, rule: Rule, rng: np.random.Generator) -> Sample:
    """Choose the images of one head.

    Args:
        buckets: (images,) bucket of every image, `UNKNOWN` for images to exclude.
        size: Number of buckets.
        rule: Number of images per bucket → how many are held out, how many train.
        rng: Source of the choice.
    """
    members = [np.flatnonzero(buckets == bucket) for bucket in range(size)]
    sizes = np.array([len(rows) for rows in members])
    held_out, train = rule(sizes)
    chosen = [rng.permutation(rows) for rows in members]
    return Sample(
        np.concatenate([rows[h : h + t] for rows, h, t in zip(chosen, held_out, train, strict=True)]),
        np.concatenate([rows[:h] for rows, h in zip(chosen, held_out, strict=True)]),
        np.stack([sizes, held_out, train]),
    )


def epoch_order(samples: Sequence[Sample], heads: Sequence[int], seed: int, stage: int, epoch: int) -> np.ndarray:
    """Each head's training images in the order of one epoch, (heads, most images of a head); −1 after the last."""
    order = np.full((len(samples), max(len(sample.train) for sample in samples)), UNKNOWN)
    for row, (sample, head) in enumerate(zip(samples, heads, strict=True)):
        if sample.usable:
            shuffled = stream(seed, Use.ORDER, stage, epoch, head).permutation(sample.train)
            order[row, : len(shuffled)] = shuffled
    return order
