"""The formula of κ_w: ratings made ready, every pair of raters at once, and bootstrap resamples of the items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .checks import RatingsError, choice
from .ratings import read_ratings
from .resampling import CHUNK, ROUNDING, divide
from .table import Floats, Ints

WEIGHTS = ("quadratic", "linear", "none")
NON_INTEGER = ("error", "round", "concordance", "upstream")
UPSTREAM_SCALE = (0, 7)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ratings that are ready for κ_w, and how many had to be changed for that.

    Attributes:
        ratings: [..., raters, items]; nan where there is none.
        n_changed: ratings rounded or truncated.
        n_clipped: ratings moved to the end of the scale.
        n_dropped: ratings outside the scale that were left out (upstream only).
    """

    ratings: Floats
    n_changed: int = 0
    n_clipped: int = 0
    n_dropped: int = 0


def prepare(
    ratings: Floats,
    *,
    weights: str = "quadratic",
    scale: tuple[float, float] | None = None,
    clip: bool = False,
    non_integer: str = "error",
) -> Prepared:
    """Whole ratings within the scale.

    Args:
        ratings: [..., raters, items], nan for gaps.
        weights: "quadratic", "linear" or "none".
        scale: lowest and highest rating; None checks no limits.
        clip: move ratings outside the scale to its end, and count them, instead of raising.
        non_integer: what to do with a rating such as 2.5. "error"; "round" half up; "concordance": take it as it is
            (quadratic only; equal to κ_w on whole numbers); "upstream": truncate towards zero and leave out what is
            then outside the scale (0–7 unless given), as the analysis code of EmoNet-Face does.

    Returns:
        The ratings and the counts of what was done to them.

    Raises:
        RatingsError: a rating outside the scale or not whole, unless an option says what to do with it.

    Example:
        >>> prepare(np.array([[0.5, 2.0], [7.9, -0.2]]), non_integer="round", scale=(0, 7), clip=True)
        Prepared(ratings=array([[1., 2.],
               [7., 0.]]), n_changed=3, n_clipped=1, n_dropped=0)
    """
    choice("weights", weights, WEIGHTS)
    choice("non_integer", non_integer, NON_INTEGER)
    low, high = _limits(scale, upstream=non_integer == "upstream")
    if non_integer == "concordance" and weights != "quadratic":
        raise RatingsError(f"non_integer='concordance' needs weights='quadratic', not {weights!r}; or use 'round'.")
    if non_integer == "upstream":
        whole = np.trunc(ratings)
        outside = (whole < low) | (whole > high)
        changed = int(np.sum((whole != ratings) & ~np.isnan(ratings)))
        return Prepared(np.where(outside, np.nan, whole), n_changed=changed, n_dropped=int(outside.sum()))
    whole = _whole(ratings, non_integer)
    outside = (whole < low) | (whole > high)
    n_outside = int(np.count_nonzero(outside))
    if n_outside and not clip:
        raise RatingsError(
            f"{n_outside:,} ratings are outside the scale {low:g}–{high:g}, the first is "
            f"{ratings[outside][0]:g}. Give the right scale, or clip=True to move them to its ends."
        )
    changed = 0 if whole is ratings else int(np.sum((whole != ratings) & ~np.isnan(ratings)))
    return Prepared(np.clip(whole, low, high) if n_outside else whole, n_changed=changed, n_clipped=n_outside)


def _limits(scale: Any, *, upstream: bool) -> tuple[float, float]:
    if scale is None:
        return UPSTREAM_SCALE if upstream else (-np.inf, np.inf)
    try:
        low, high = map(float, scale)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not low < high:
        raise RatingsError(f"scale={scale!r} is not valid; give the lowest and the highest rating, such as (0, 7).")
    return low, high


def _whole(ratings: Floats, non_integer: str) -> Floats:
    if non_integer == "round":
        return np.floor(ratings + 0.5)
    uneven = np.rint(ratings) != ratings  # true for nan
    if non_integer == "error" and uneven.any() and (uneven := uneven & ~np.isnan(ratings)).any():
        raise RatingsError(
            f"{int(uneven.sum()):,} ratings are not whole numbers, the first is {ratings[uneven][0]:g}. Choose "
            "non_integer='round', 'concordance' (as they are, quadratic weights) or 'upstream' (truncate)."
        )
    return ratings


def _features(ratings: Floats, weights: str) -> Iterator[tuple[Floats, float]]:
    """The dimensions of φ, each [raters, items] with 0 in gaps, and the weight of its square."""
    given = ~np.isnan(ratings)
    if weights == "quadratic":
        # κ_w is invariant to shifts; a centre in the middle keeps the sums of uneven ratings small.
        filled = np.where(given, ratings, 0.0)
        yield (filled - np.round(filled.sum() / max(np.count_nonzero(given), 1))) * given, 1.0
        return
    values = np.unique(ratings[given])
    if weights == "linear":
        for low, high in zip(values[:-1], values[1:], strict=True):
            yield np.where(given, ratings > low, False) * 1.0, float(high - low)
    else:
        for value in values:
            yield (ratings == value) * 1.0, 1.0


def _kappa(n: Floats, observed: Floats, together: Floats, apart: Floats, *, whole: bool) -> Floats:
    """κ_w from sums over the items that both rated.

    Args:
        n: number of items.
        observed: Σ|φ(x) − φ(y)|².
        together: n·Σ φ(x)·φ(y).
        apart: Σφ(x)·Σφ(y).
        whole: whether the sums are exact.

    Returns:
        κ_w; nan where both are constant and equal, or n is 0.
    """
    twice = 2 * (together - apart)
    expected = n * observed + twice
    if not whole:
        size = np.abs(together) + np.abs(apart)
        twice = np.where(np.abs(twice) <= ROUNDING * size, 0.0, twice)
        expected = np.where(np.abs(expected) <= ROUNDING * size, 0.0, n * observed + twice)
    return divide(twice, expected)


def _is_whole(phi: Floats, weight: float) -> bool:
    """Whether sums of products of a feature are exact."""
    return float(weight).is_integer() and bool((np.rint(phi) == phi).all())


def pairwise_kappa(ratings: Floats, *, weights: str = "quadratic") -> tuple[Floats, Ints]:
    """κ_w of every pair of raters at once, each on the items that both rated.

    Args:
        ratings: [raters, items], nan for gaps; taken as they are, see `prepare`.
        weights: "quadratic", "linear" or "none".

    Returns:
        (κ_w [raters, raters], number of common items [raters, raters]). κ_w is nan where a pair has no common item or
        both are constant and equal, and 0 where one of the two is constant.

    Example:
        >>> kappa, n = pairwise_kappa(np.array([[1.0, 2, 3, 3], [1, 2, 3, np.nan], [2, 2, 2, 2]]))
        >>> kappa.round(3).tolist(), n[0].tolist()
        ([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, nan]], [4, 3, 4])
    """
    choice("weights", weights, WEIGHTS)
    ratings = np.ascontiguousarray(ratings, dtype=np.float64)
    given = (~np.isnan(ratings)).astype(np.float64)
    n = given @ given.T
    inner, apart, norms, whole = np.zeros_like(n), np.zeros_like(n), np.zeros_like(n), True
    for phi, weight in _features(ratings, weights):
        sums = phi @ given.T
        inner += weight * (phi @ phi.T)
        apart += weight * sums * sums.T
        norms += weight * (phi**2 @ given.T)
        whole &= _is_whole(phi, weight)
    observed = norms + norms.T - 2 * inner
    if not whole:
        observed = np.where(observed <= ROUNDING * (norms + norms.T), 0.0, observed)
    return _kappa(n, observed, n * inner, apart, whole=whole), n.astype(np.int64)


def kappa_of_table(counts: Any, disagreement: Any) -> float:
    """κ_w straight from its definition, for joint counts and any weights.

    Args:
        counts: [categories, categories] how often the raters chose i and j.
        disagreement: [categories, categories] weight w of that choice, 0 for agreement.

    Returns:
        1 − Σ w·O / Σ w·E; nan if nothing can disagree by chance.

    Example:
        Cohen's illustration of 1968: 200 cases, three diagnoses, weights chosen by hand. He reports κ_w = .348,
        κ = .492, and .353 with other weights. Table, weights and values as reprinted in the documentation of
        `cohen.kappa` in the R package psych (the table also in that of `diagnosis_agreement` in DMAR).

        >>> diagnoses = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
        >>> round(kappa_of_table(diagnoses, [[0, 1, 3], [1, 0, 6], [3, 6, 0]]), 3)
        0.348
        >>> round(kappa_of_table(diagnoses, 1 - np.eye(3)), 3)
        0.492
        >>> round(kappa_of_table(diagnoses, [[0, 1, 4], [1, 0, 6], [2, 2, 0]]), 3)
        0.353
    """
    observed, weights = np.asarray(counts, dtype=np.float64), np.asarray(disagreement, dtype=np.float64)
    expected = np.outer(observed.sum(1), observed.sum(0)) / observed.sum()
    return 1 - float(divide((weights * observed).sum(), (weights * expected).sum()))


def weighted_kappa(first: Sequence[float] | Floats, second: Sequence[float] | Floats, **options: Any) -> float:
    """κ_w of two raters.

    Args:
        first: [items] ratings of one rater, nan for gaps.
        second: [items] ratings of the other.
        **options: those of `prepare`.

    Returns:
        κ_w; nan if both are constant and equal or rated nothing in common.

    Example:
        91 couples on a scale of four (Hout, Duncan and Sobel 1987; the table is `SexualFun` of the R package vcd).
        The values are those of scikit-learn and statsmodels, see the tests.

        >>> couples = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]])
        >>> husband, wife = np.repeat(np.indices((4, 4)).reshape(2, 16), couples.ravel(), axis=1)
        >>> [round(weighted_kappa(husband, wife, weights=weights), 3) for weights in WEIGHTS]
        [0.332, 0.237, 0.129]
    """
    if np.shape(first) != np.shape(second) or np.ndim(first) != 1:
        raise RatingsError(
            f"Two raters need one rating per item each; the shapes are {list(np.shape(first))} and "
            f"{list(np.shape(second))}."
        )
    cells = read_ratings([first, second]).matrix()
    ready = prepare(cells, **options).ratings
    kappa, _ = pairwise_kappa(ready, weights=options.get("weights", "quadratic"))
    return float(kappa[0, 1])


def resampled_kappa(ratings: Floats, counts: Floats, pairs: Ints, *, weights: str = "quadratic") -> Floats:
    """κ_w of pairs of raters in bootstrap resamples of the items.

    Every sum that κ_w needs is a product of the resamples' counts with numbers per item and pair. Whole ratings are
    summed in float32 as long as every sum stays below 2²⁴, where float32 is exact.

    Args:
        ratings: [raters, items], nan for gaps.
        counts: [resamples, items] how often an item was drawn.
        pairs: [pairs, 2] numbers of the raters.
        weights: "quadratic", "linear" or "none".

    Returns:
        [resamples, pairs].
    """
    features = list(_features(ratings, weights))
    whole = all(_is_whole(phi, weight) for phi, weight in features)
    largest = max((weight * float(np.max(np.abs(phi))) ** 2 for phi, weight in features), default=0.0)
    bound = 4 * max(1, len(features)) * largest * float(counts.sum(1).max(initial=0))
    kind = np.float32 if whole and bound < 2**24 else np.float64
    drawn, given = counts.astype(kind), (~np.isnan(ratings)).astype(kind)
    features = [(phi.astype(kind), weight) for phi, weight in features]
    kappa = np.empty((len(counts), len(pairs)))
    step = max(1, CHUNK // max(1, *ratings.shape, len(counts)))
    for start in range(0, len(pairs), step):
        first, second = pairs[start : start + step].T
        kappa[:, start : start + step] = _resampled_block(drawn, given, features, first, second, whole)
    return kappa


def _resampled_block(
    drawn: Any, given: Any, features: list[tuple[Floats, float]], first: Ints, second: Ints, whole: bool
) -> Floats:
    both = given[first] * given[second]  # [pairs, items]
    n = (drawn @ both.T).astype(np.float64)
    observed, inner, apart = np.zeros_like(both), np.zeros_like(both), np.zeros_like(n)
    for phi, weight in features:
        x, y = phi[first] * both, phi[second] * both
        observed += weight * (x - y) ** 2
        inner += weight * x * y
        apart += weight * (drawn @ x.T).astype(np.float64) * (drawn @ y.T)
    return _kappa(n, (drawn @ observed.T).astype(np.float64), n * (drawn @ inner.T), apart, whole=whole)
