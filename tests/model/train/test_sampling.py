"""Bucket sampling against a slow oracle, and what must hold for any ratings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.model.train.sampling import (
    Use,
    balanced,
    capped_buckets,
    epoch_order,
    everything,
    intensity_buckets,
    pick,
    presence_buckets,
    stream,
    stream_seed,
)

RATINGS = st.lists(st.one_of(st.sampled_from([0.0] * 6 + [1, 2, 3.4, 5.5, 7]), st.none()), min_size=0, max_size=300)


def half_up(x: float) -> int:
    return math.floor(x + 0.5)


def held(n: int) -> int:
    return max(1, half_up(0.05 * n)) if n > 1 else 0


def slow_small(ratings):
    """Per bucket (known, held out, train), one image at a time."""
    buckets = {bucket: 0 for bucket in range(8)}
    for rating in ratings:
        if rating is not None:
            buckets[half_up(rating)] += 1
    mean = sum(buckets.values()) / 8
    counts = []
    for n in buckets.values():
        out = min(held(n), max(1, math.floor(0.05 * mean)))
        counts.append((n, out, min(n - out, max(1, math.floor(0.25 * mean)))))
    return counts


def slow_balanced(ratings):
    ones = sum(rating is not None and half_up(rating) > 0 for rating in ratings)
    zeros = sum(rating is not None and half_up(rating) == 0 for rating in ratings)
    pool = (min(zeros, ones), ones)
    return [(n, held(p), p - held(p)) for n, p in zip((zeros, ones), pool, strict=True)]


def slow_everything(ratings):
    known = [half_up(rating) > 0 for rating in ratings if rating is not None]
    return [(n, held(n), n - held(n)) for n in (known.count(False), known.count(True))]


RULES = [
    (intensity_buckets, 8, capped_buckets, slow_small),
    (presence_buckets, 2, balanced, slow_balanced),
    (presence_buckets, 2, everything, slow_everything),
]


@pytest.mark.parametrize(("buckets_of", "size", "rule", "slow"), RULES, ids=["small", "balanced", "everything"])
@given(ratings=RATINGS, seed=st.integers(0, 3))
def test_against_a_slow_oracle(buckets_of, size, rule, slow, ratings, seed):
    values = np.array([np.nan if rating is None else rating for rating in ratings], dtype=np.float32)
    buckets = buckets_of(values)
    sample = pick(buckets, size, rule, np.random.default_rng(seed))
    assert sample.counts.T.tolist() == [list(counts) for counts in slow(ratings)]
    assert not set(sample.train) & set(sample.validation)
    assert len(set(sample.train)) == len(sample.train) and len(set(sample.validation)) == len(sample.validation)
    assert not np.isnan(values[np.concatenate([sample.train, sample.validation])]).any(), "an unknown one was chosen"
    for part, rows in ((1, sample.validation), (2, sample.train)):
        assert np.bincount(buckets[rows], minlength=size).tolist() == sample.counts[part].tolist()


def test_the_papers_numbers():
    """About 200,000 images: about 5,000 zeros train and all of the rarer ratings that are left."""
    held_out, train = capped_buckets(np.array([185_000, 4_000, 3_600, 2_800, 2_000, 1_200, 900, 500]))
    assert train.tolist() == [6250, 3800, 3420, 2660, 1900, 1140, 855, 475]
    assert held_out.tolist() == [1250, 200, 180, 140, 100, 60, 45, 25]


def test_one_seed_one_choice_and_streams_of_their_own():
    buckets = intensity_buckets(np.random.default_rng(0).integers(0, 8, 500).astype(float))

    def chosen(*path):
        return pick(buckets, 8, capped_buckets, stream(0, Use.PICK, *path))

    assert np.array_equal(chosen(0, 1).train, chosen(0, 1).train)
    assert not np.array_equal(chosen(0, 1).train, chosen(0, 2).train)
    seeds = {stream_seed(seed, use, a, b) for seed in (0, 1) for use in Use for a in range(3) for b in range(40)}
    assert len(seeds) == 2 * 4 * 3 * 40
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_an_epoch_shows_every_image_once_in_the_head_s_own_order():
    rng = np.random.default_rng(0)
    samples = [pick(presence_buckets(rng.integers(0, 2, n)), 2, everything, rng) for n in (50, 20, 1)]
    order = epoch_order(samples, [4, 9, 11], seed=0, stage=0, epoch=3)
    for row, sample in zip(order[:2], samples, strict=False):
        assert sorted(row[: len(sample.train)]) == sorted(sample.train)
        assert (row[len(sample.train) :] == -1).all()
    assert (order[2] == -1).all(), "without validation images a head does not train"
    alone = epoch_order(samples[1:2], [9], seed=0, stage=0, epoch=3)
    assert np.array_equal(alone[0], order[1, : alone.shape[1]])
    assert not np.array_equal(order, epoch_order(samples, [4, 9, 11], seed=0, stage=0, epoch=4))
