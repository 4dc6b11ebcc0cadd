"""Weighted kappa κ_w: agreement on a scale, corrected for chance, for two raters or for every pair of many.

    κ_w = 1 − Σ w·O / Σ w·E

O are the joint counts of two raters, E the product of their margins divided by n, and w(i, j) is (i − j)² (quadratic),
|i − j| (linear) or 1 for i ≠ j (none, Cohen's kappa). 1 is perfect agreement, 0 what the margins alone give, below 0
is worse than that; there is no fixed lower limit.

Each of the three weights is a squared distance between vectors φ: the rating itself, the steps 1[rating > k], or the
one-hot rating. So both sums follow from sums over items, and so do those of a bootstrap resample:

    Σ w·O = Σ|φ(x) − φ(y)|²        Σ w·E = Σ w·O + 2·(Σ φ(x)·φ(y) − Σφ(x)·Σφ(y) / n)

With quadratic weights that is Lin's concordance correlation, which needs no whole numbers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import datasets
import evaluate
import numpy as np

from .ratings import (
    CHUNK,
    ROUNDING,
    Bools,
    Floats,
    Ints,
    RatingsError,
    Table,
    TakesTables,
    check_bootstrap,
    choice,
    divide,
    mean_defined,
    percentiles,
    read_ratings,
    resamples,
    tell_undefined,
)

WEIGHTS = ("quadratic", "linear", "none")
NON_INTEGER = ("error", "round", "concordance", "upstream")
RESAMPLE = ("items", "raters", "both")
UPSTREAM_SCALE = (0, 7)

CITATION = """\
@article{cohen1968weighted,
  title = {Weighted kappa: Nominal scale agreement with provision for scaled disagreement or partial credit},
  author = {Cohen, Jacob}, journal = {Psychological Bulletin}, volume = {70}, number = {4}, pages = {213--220},
  year = {1968}, doi = {10.1037/h0026256}
}
@article{lin1989concordance,
  title = {A concordance correlation coefficient to evaluate reproducibility},
  author = {Lin, Lawrence I-Kuei}, journal = {Biometrics}, volume = {45}, number = {1}, pages = {255--268},
  year = {1989}, doi = {10.2307/2532051}
}
"""


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
    uneven = np.abs(ratings - np.rint(ratings)) > 0  # false for nan
    if non_integer == "error" and uneven.any():
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


@dataclass(frozen=True, slots=True)
class _Category:
    """One category: the ratings of the items that have any, and the pairs of raters that share some of them."""

    ratings: Floats  # [raters, items with ratings]
    items: Ints  # [items with ratings] their numbers
    shared: Ints  # numbers of the pairs
    kappa: Floats  # [pairs]
    n: Ints  # [pairs] common items


@dataclass(frozen=True, slots=True)
class _Averages:
    """Averages of κ_w, one per resample."""

    per_category: Floats  # [categories, resamples], over pairs
    per_rater: Floats  # [resamples, raters], over each one's partners, then over categories
    per_pair: Floats  # [resamples, pairs], over categories

    @property
    def overall(self) -> Floats:
        return mean_defined(self.per_category, axis=0)


def analyse(
    table: Table,
    *,
    weights: str = "quadratic",
    scale: tuple[float, float] | None = None,
    clip: bool = False,
    non_integer: str = "error",
    partners: Sequence[str] | None = None,
    min_common: int = 1,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
    resample: str = "items",
) -> dict[str, Any]:
    """κ_w of all pairs of raters in every category, averaged over pairs, partners and categories.

    Args:
        table: the ratings.
        weights: "quadratic", "linear" or "none".
        scale: lowest and highest rating; see `prepare`, also for the next two.
        clip: whether ratings outside the scale are moved to its end.
        non_integer: what to do with ratings that are not whole: "error", "round", "concordance" or "upstream".
        partners: names of the raters with whom every rater is compared (the humans, say); None: all.
        min_common: least number of common items, in a category, for a pair to count there.
        bootstrap: number of resamples for the intervals; 0 gives none.
        seed: seed of the resamples.
        confidence: share of the resamples within an interval.
        resample: "items", "raters" (a pair counts as often as both were drawn; a rater is never paired with itself)
            or "both".

    Returns:
        Plain numbers: `weighted_kappa` (mean over categories of the mean over pairs), `interval`, counts,
        `per_category`, `per_rater` (the mean κ_w with the partners, then over categories mean, sd with ddof 1, median
        and the top category), `per_pair`. Undefined values are nan and counted.

    Raises:
        RatingsError: fewer than two raters, unknown partners, options or ratings that cannot be used.
    """
    check_bootstrap(bootstrap, seed, confidence)
    choice("resample", resample, RESAMPLE)
    if len(table.raters) < 2:
        raise RatingsError(f"κ_w needs at least two raters; there is only {table.raters[0]!r}.")
    if not isinstance(min_common, int) or min_common < 1:
        raise RatingsError(f"min_common={min_common!r} is not valid; give a whole number of items ≥ 1.")
    partner = _partners(table.raters, partners)
    ready = prepare(table.rating, weights=weights, scale=scale, clip=clip, non_integer=non_integer)
    usable = replace(table, rating=ready.ratings)
    if ready.n_dropped:
        usable = usable.rows(~np.isnan(ready.ratings))
    pairs = np.stack(np.triu_indices(len(table.raters), 1), axis=1)
    pairs = pairs[partner[pairs].any(1)]
    categories = [_category(cells, pairs, weights, min_common) for cells in usable.matrices()]
    counts_for = _counts_for(pairs, partner)
    point = _averages(categories, [one.kappa[None] for one in categories], np.ones((1, len(pairs))), counts_for)
    intervals: dict[str, Any] = {}
    if bootstrap:
        draws = _bootstrap(categories, pairs, counts_for, len(table.items), weights, bootstrap, seed, resample)
        intervals = _intervals(draws, confidence)
    result = _report(table, categories, pairs, counts_for, point, intervals)
    tell_undefined(result["n_undefined"], f"{result['n_undefined']} of the κ_w are undefined: both raters constant")
    changes = {"n_changed": ready.n_changed, "n_clipped": ready.n_clipped, "n_dropped": ready.n_dropped}
    return {**result, **changes, "weights": weights, "non_integer": non_integer}


def _partners(raters: tuple[str, ...], partners: Sequence[str] | None) -> Bools:
    if partners is None:
        return np.ones(len(raters), dtype=bool)
    if isinstance(partners, str) or not partners or set(partners) - set(raters):
        raise RatingsError(f"partners={partners!r} are not raters of this table; give names out of {raters[:10]}.")
    return np.isin(raters, list(partners))


def _counts_for(pairs: Ints, partner: Bools) -> Floats:
    """[pairs, raters]: 1 where a pair counts for a rater, its other half being one of the partners."""
    counts = np.zeros((len(pairs), len(partner)))
    rows = np.arange(len(pairs))
    counts[rows, pairs[:, 0]] = partner[pairs[:, 1]]
    counts[rows, pairs[:, 1]] = partner[pairs[:, 0]]
    return counts


def _category(cells: Floats, pairs: Ints, weights: str, min_common: int) -> _Category:
    items = np.flatnonzero(~np.isnan(cells).all(0))
    ratings = cells[:, items] if len(items) < cells.shape[1] else cells
    kappa, n = pairwise_kappa(ratings, weights=weights)
    of_pairs = n[pairs[:, 0], pairs[:, 1]]
    shared = np.flatnonzero(of_pairs >= min_common)
    return _Category(ratings, items, shared, kappa[pairs[shared, 0], pairs[shared, 1]], of_pairs[shared])


def _averages(categories: list[_Category], kappas: Iterable[Floats], weight: Floats, counts_for: Floats) -> _Averages:
    """Averages over pairs, partners and categories.

    Args:
        categories: the categories.
        kappas: for each of them κ_w [resamples, its shared pairs].
        weight: [resamples, pairs] how often a pair counts.
        counts_for: [pairs, raters].
    """
    per_category = []
    raters, of_pairs = np.zeros((2, len(weight), counts_for.shape[1])), np.zeros((2, *weight.shape))
    for category, kappa in zip(categories, kappas, strict=True):
        given = ~np.isnan(kappa)
        values = np.where(given, kappa, 0.0)
        weighed, share = values * weight[:, category.shared], given * weight[:, category.shared]
        per_category.append(divide(weighed.sum(1), share.sum(1)))
        over_partners = divide(weighed @ counts_for[category.shared], share @ counts_for[category.shared])
        raters += np.stack([np.nan_to_num(over_partners), ~np.isnan(over_partners)])
        of_pairs[0][:, category.shared] += values
        of_pairs[1][:, category.shared] += given
    return _Averages(np.stack(per_category), divide(*raters), divide(*of_pairs))


def _bootstrap(
    categories: list[_Category],
    pairs: Ints,
    counts_for: Floats,
    n_items: int,
    weights: str,
    bootstrap: int,
    seed: int,
    resample: str,
) -> _Averages:
    """Averages of every resample, held for one chunk of resamples and one category at a time."""
    n_raters, kept, done = counts_for.shape[1], [], 0
    raters = np.concatenate(list(resamples(n_raters, bootstrap, seed + 1))) if resample != "items" else None
    for counts in resamples(n_items, bootstrap, seed, width=len(pairs)):
        weight = np.ones((len(counts), len(pairs)))
        if raters is not None:
            drawn = raters[done : done + len(counts)]
            weight = drawn[:, pairs[:, 0]] * drawn[:, pairs[:, 1]]
        kappas = (
            np.broadcast_to(one.kappa, (len(counts), len(one.kappa)))
            if resample == "raters"
            else resampled_kappa(one.ratings, counts[:, one.items], pairs[one.shared], weights=weights)
            for one in categories
        )
        kept.append(_averages(categories, kappas, weight, counts_for))
        done += len(counts)
    return _Averages(
        np.concatenate([part.per_category for part in kept], axis=1),
        np.concatenate([part.per_rater for part in kept]),
        np.concatenate([part.per_pair for part in kept]),
    )


def _intervals(draws: _Averages, confidence: float) -> dict[str, Any]:
    return {
        "overall": percentiles(draws.overall, confidence),
        "n_undefined_resamples": int(np.isnan(draws.overall).sum()),
        "per_category": [percentiles(values, confidence) for values in draws.per_category],
        "per_rater": [percentiles(values, confidence) for values in draws.per_rater.T],
        "per_pair": [percentiles(values, confidence) for values in draws.per_pair.T],
    }


def _report(
    table: Table,
    categories: list[_Category],
    pairs: Ints,
    counts_for: Floats,
    point: _Averages,
    intervals: dict[str, Any],
) -> dict[str, Any]:
    common = np.zeros((len(categories), len(pairs)), dtype=np.int64)
    kappa = np.full(common.shape, np.nan)
    for number, one in enumerate(categories):
        common[number, one.shared], kappa[number, one.shared] = one.n, one.kappa
    undefined = np.isnan(kappa) & (common > 0)
    n_common, n_undefined = common.sum(0).tolist(), undefined.sum(0).tolist()
    over_partners = divide(np.nan_to_num(kappa) @ counts_for, ~np.isnan(kappa) @ counts_for)  # [categories, raters]

    def entry(value: Any, kind: str, index: int) -> dict[str, Any]:
        found = {"weighted_kappa": float(value)}
        return found | ({"interval": intervals[kind][index]} if intervals else {})

    return {
        "weighted_kappa": float(point.overall[0]),
        **({"interval": intervals["overall"]} if intervals else {}),
        **table.counts(),
        "n_categories": len(table.categories),
        "n_pairs": int((common > 0).any(0).sum()),
        "n_undefined": int(undefined.sum()),
        **({"n_undefined_resamples": intervals["n_undefined_resamples"]} if intervals else {}),
        "n_too_few_common_items": int((common == 0).sum()),
        "per_category": {
            name: entry(point.per_category[number, 0], "per_category", number)
            | {"n_pairs": int((common[number] > 0).sum()), "n_undefined": int(undefined[number].sum())}
            for number, name in enumerate(table.categories)
        },
        "per_rater": {
            name: entry(point.per_rater[0, number], "per_rater", number)
            | _over_categories(over_partners[:, number], table.categories)
            for number, name in enumerate(table.raters)
        },
        "per_pair": [
            {"raters": [table.raters[first], table.raters[second]]}
            | entry(point.per_pair[0, number], "per_pair", number)
            | {"n_ratings": n_common[number], "n_undefined": n_undefined[number]}
            for number, (first, second) in enumerate(pairs.tolist())
            if n_common[number]
        ],
    }


def _over_categories(kappa: Floats, categories: tuple[str, ...]) -> dict[str, Any]:
    """SD, median and top category of one rater, beside the mean, as in Table 6 of the EmoNet-Face paper."""
    defined = kappa[~np.isnan(kappa)]
    return {
        "sd": float(np.std(defined, ddof=1)) if len(defined) > 1 else None,
        "median": float(np.median(defined)) if len(defined) else None,
        "top_category": categories[int(np.nanargmax(kappa))] if len(defined) else None,
        "n_categories": len(defined),
    }


class WeightedKappa(TakesTables, evaluate.Metric):
    """κ_w as an `evaluate` metric."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=str(__doc__),
            citation=CITATION,
            inputs_description=str(analyse.__doc__),
            features=datasets.Features(
                {"predictions": datasets.Value("float64"), "references": datasets.Value("float64")}
            ),
            reference_urls=["https://doi.org/10.1037/h0026256", "https://doi.org/10.2307/2532051"],
        )

    def _result(
        self,
        *,
        ratings: Any = None,
        predictions: Any = None,
        references: Any = None,
        **options: Any,
    ) -> dict[str, Any]:
        return analyse(_input(ratings, predictions, references), **options)


def _input(ratings: Any, predictions: Any, references: Any) -> Table:
    """The table of many raters, or of the two called predictions and references."""
    two = predictions is not None and references is not None
    if two == (ratings is not None) or (predictions is None) != (references is None):
        raise RatingsError("Give either ratings (many raters) or both predictions and references (two raters).")
    if not two:
        return read_ratings(ratings)
    if np.shape(predictions) != np.shape(references) or np.ndim(predictions) not in (1, 2):
        raise RatingsError(
            f"predictions {list(np.shape(predictions))} and references {list(np.shape(references))} must both "
            "have the shape [items] or [items, categories]."
        )
    table = read_ratings([predictions, references], what="predictions and references")
    return replace(table, raters=("predictions", "references"))
