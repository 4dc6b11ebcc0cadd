"""Arithmetic with gaps, and bootstrap resamples."""

from collections.abc import Iterator

import numpy as np

from .table import Floats, Ints

ROUNDING = 1e-12  # differences below this share of the terms that they come from are rounding, not variation
CHUNK = 1 << 22  # numbers in one temporary array: 32 MB of float64


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


def distinct(code: Ints) -> int:
    """How many different codes there are among some, [n] from 0; `np.unique` takes hundreds of times as long."""
    return int(np.count_nonzero(np.bincount(code)))


def numbered(code: Ints, size: int) -> tuple[Ints, Ints]:
    """The different codes, ascending, and the place [n] of each one among them.

    Args:
        code: [n] from 0 to `size` − 1.
        size: where few of the codes occur, they are sorted instead of counted.

    Example:
        >>> [one.tolist() for one in numbered(np.array([5, 2, 5]), 9)]
        [[2, 5], [1, 0, 1]]
    """
    if size > 8 * len(code):
        found, place = np.unique(code, return_inverse=True)
        return found, place
    used = np.bincount(code, minlength=size) > 0
    return np.flatnonzero(used), (np.cumsum(used, dtype=np.int32) - 1)[code]


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
