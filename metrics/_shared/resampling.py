"""Arithmetic with gaps, bootstrap resamples and percentile intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from .checks import RatingsError, choice, whole
from .table import Floats, Ints

ROUNDING = 1e-12  # differences below this share of the terms that they come from are rounding, not variation
CHUNK = 1 << 22  # numbers in one temporary array: 32 MB of float64
RESAMPLE = ("items", "raters", "both")


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made.

    Attributes:
        n: number of resamples; 0 gives no interval.
        seed: seed of NumPy's default generator.
        confidence: share of the resamples within an interval.
        resample: what is drawn with replacement, one of `valid`.
        valid: the known values of `resample`.

    Raises:
        RatingsError: no interval can be made of these.
    """

    n: int
    seed: int
    confidence: float
    resample: str
    valid: tuple[str, ...] = RESAMPLE

    def __post_init__(self) -> None:
        if whole("bootstrap", self.n, 0) == 1:
            raise RatingsError(f"bootstrap={self.n!r} is not valid; give a number of resamples, 0 (none) or ≥ 2.")
        whole("seed", self.seed, 0)
        if not isinstance(self.confidence, float | int) or not 0 < self.confidence < 1:
            raise RatingsError(
                f"confidence={self.confidence!r} is not valid; give a number between 0 and 1, such as 0.95."
            )
        choice("resample", self.resample, self.valid)

    def __bool__(self) -> bool:
        return self.n > 0

    def chunks(self, items: int, raters: int, *, width: int = 1) -> Iterator[tuple[Any, Any]]:
        """How often each item and each rater is drawn; None for what is not resampled.

        Args:
            items: number of items.
            raters: number of raters.
            width: numbers that the caller needs per resample, if more than either.

        Yields:
            ([resamples, items] or None, [resamples, raters] or None), some resamples at a time.
        """
        width = max(width, items, raters)
        of_items: Iterator[Any] = resamples(items, self.n, self.seed, width=width)
        of_raters: Iterator[Any] = resamples(raters, self.n, self.seed + 1, width=width)
        yield from zip(
            repeat(None) if self.resample == "raters" else of_items,
            repeat(None) if self.resample == "items" else of_raters,
            strict=False,
        )

    def rows(self, items: int, raters: int) -> Iterator[tuple[Any, Any]]:
        """Likewise, one resample at a time."""
        for chunk in self.chunks(items, raters):
            yield from zip(*(repeat(None) if counts is None else counts for counts in chunk), strict=False)

    def interval(self, draws: Floats | None) -> dict[str, Any]:
        """The percentile interval of the resamples and how many of them are undefined; nothing without resamples."""
        if draws is None:
            return {}
        return {"interval": percentiles(draws, self.confidence), "n_undefined_resamples": int(np.isnan(draws).sum())}


def resamples(n: int, bootstrap: int, seed: int, *, width: int | None = None) -> Iterator[Floats]:
    """How often each of n things is drawn, resample by resample.

    A resample draws n times with replacement. Chunks keep memory bounded; the draws do not depend on their size.

    Args:
        n: number of things, items or raters.
        bootstrap: number of resamples.
        seed: seed of NumPy's default generator.
        width: numbers that the caller needs per resample, if more than n.

    Yields:
        [≤ bootstrap, n] float64 counts, every row summing to n.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // max(n, width or 1))
    for start in range(0, bootstrap, rows):
        counts = [np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(min(rows, bootstrap - start))]
        yield np.asarray(counts, dtype=np.float64)


def percentiles(draws: Floats, confidence: float) -> list[float]:
    """The percentile interval of the defined draws, [low, high]; nan where none is defined."""
    defined = draws[np.isfinite(draws)]
    if not defined.size:
        return [float("nan"), float("nan")]
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return [float(low), float(high)]


def totals(code: Ints, values: Floats, size: int) -> Floats:
    """Sum of the values of each code 0 … size − 1, [n] → [size]."""
    return np.asarray(np.bincount(code, weights=values, minlength=size), dtype=np.float64)


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, nan where the denominator is zero."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(
        numerator, denominator, out=np.full(numerator.shape, np.nan), where=(denominator != 0) & ~np.isnan(denominator)
    )


def mean_defined(values: Floats, axis: int = -1, weights: Floats | None = None) -> Floats:
    """(Weighted) mean of the values that are not nan along an axis; nan where there is none."""
    given = ~np.isnan(values)
    share = given if weights is None else given * weights
    return divide(
        np.where(given, values * (1.0 if weights is None else weights), 0.0).sum(axis), share.sum(axis) * 1.0
    )


def merge_ties(values: Floats, sizes: Floats) -> Floats:
    """Values that differ by rounding only are made equal, to the least of them.

    Args:
        values: [...] numbers, nan for gaps.
        sizes: [...] size of the terms that each value comes from.

    Example:
        >>> merge_ties(np.array([0.1 + 0.2, 0.3, 1e-30]), np.array([0.3, 0.3, 1e-30])).tolist()
        [0.3, 0.3, 1e-30]
    """
    order = np.argsort(values, axis=None)
    ranked, size = values.ravel()[order], sizes.ravel()[order]
    apart = np.diff(ranked) > ROUNDING * np.maximum(size[1:], size[:-1])
    first = np.concatenate([[True], apart])[: len(ranked)]
    merged = np.empty_like(ranked)
    merged[order] = ranked[np.maximum.accumulate(np.where(first, np.arange(len(ranked)), 0))]
    return np.where(np.isnan(values), np.nan, merged.reshape(values.shape))
