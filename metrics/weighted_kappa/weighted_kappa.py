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

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any

import datasets
import evaluate
import numpy as np
import pandas as pd

from .averages import Averages, Category, averages_of, category_of, intervals_of
from .checks import CoverageWarning, RatingsError, warn_undefined, whole
from .frames import frame_of, listed, name_of
from .intervals import Bootstrap
from .kappa import kappa_of_table, pairwise_kappa, prepare, weighted_kappa
from .rating_metric import TakesTables, metric_info
from .ratings import read_ratings
from .resampling import divide
from .table import Bools, Floats, Ints, Table, only_common

__all__ = ["WeightedKappa", "analyse", "kappa_of_table", "pairwise_kappa", "weighted_kappa"]

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

FEATURES = {"predictions": datasets.Value("float64"), "references": datasets.Value("float64")}


def analyse(
    ratings: Any = None,
    predictions: Any = None,
    references: Any = None,
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
    clusters: Any = None,
    common_items: bool = False,
) -> dict[str, Any]:
    """κ_w of all pairs of raters in every category, averaged over pairs, partners and categories.

    Args:
        ratings: of many raters, as `read_ratings` takes them.
        predictions: instead of them, the ratings of one rater, [items] or [items, categories].
        references: with them, those of the other, of the same shape.
        weights: "quadratic", "linear" or "none".
        scale: lowest and highest rating; see `prepare`, also for the next two.
        clip: whether ratings outside the scale are moved to its end.
        non_integer: what to do with ratings that are not whole: "error", "round", "concordance" or "upstream".
        partners: names of the raters with whom every rater is compared (the humans, say); None: all.
        min_common: least number of common items, in a category, for a pair to count there.
        bootstrap: number of resamples for the intervals, see `intervals`; 0 gives none.
        seed: seed of the resamples.
        confidence: how often an interval shall hold the value of the population.
        resample: what is a sample of a population: "items", "raters" or "both".
        clusters: items that belong together (of one performer, of one prompt), as {item: cluster} or in the order of
            the items; they are resampled together.
        common_items: whether only items are used, in each category, that every compared rater rated: all raters, or
            with `partners` those who are none.

    Returns:
        Plain numbers: `weighted_kappa` (mean over categories of the mean over pairs), `interval`, counts,
        `per_category`, `per_rater` (the mean κ_w with the partners in each category, and over categories their mean,
        sd with ddof 1, median and the top category), `per_pair`, `coverage` (number and share of each rater's items).
        Undefined values are nan and counted.

    Raises:
        RatingsError: fewer than two raters, unknown partners, options or ratings that cannot be used.

    Example:
        >>> result = analyse(predictions=[1, 2, 3, 4, 4], references=[1, 2, 2, 4, 3])
        >>> round(result["weighted_kappa"], 3), result["n_pairs"], result["n_items"]
        (0.844, 1, 5)
    """
    boot = Bootstrap(bootstrap, seed, confidence, resample)
    table = _input(ratings, predictions, references)
    if len(table.raters) < 2:
        raise RatingsError(f"κ_w needs at least two raters; there is only {table.raters[0]!r}.")
    min_common = whole("min_common", min_common, 1)
    partner = _partners(table.raters, partners)
    table = _compared(table, partner, common_items)
    ready = prepare(table.rating, weights=weights, scale=scale, clip=clip, non_integer=non_integer)
    usable = replace(table, rating=ready.ratings)
    if ready.n_dropped:
        usable = usable.rows(~np.isnan(ready.ratings))
    pairs = np.stack(np.triu_indices(len(table.raters), 1), axis=1)
    pairs = pairs[partner[pairs].any(1)]
    categories = [category_of(cells, pairs, weights, min_common) for cells in usable.matrices()]
    counts_for = _counts_for(pairs, partner)
    point = averages_of(categories, [one.kappa[None] for one in categories], np.ones((1, len(pairs))), counts_for)
    boot = boot.within(clusters, table.items)
    entries = intervals_of(usable, categories, pairs, counts_for, point, weights, boot) if boot else None
    result = _report(table, categories, pairs, counts_for, point, entries) | boot.population
    warn_undefined(result["n_undefined"], f"{result['n_undefined']} of the κ_w are undefined: both raters constant")
    changes = {"n_changed": ready.n_changed, "n_clipped": ready.n_clipped, "n_dropped": ready.n_dropped}
    return {**result, **changes, "weights": weights, "non_integer": non_integer}


def _partners(raters: tuple[str, ...], partners: Sequence[str] | None) -> Bools:
    if partners is None:
        return np.ones(len(raters), dtype=bool)
    names = [] if isinstance(partners, str) else list(map(name_of, partners))
    if not names or set(names) - set(raters):
        raise RatingsError(f"partners={partners!r} are not raters of this table; give names out of {raters[:10]}.")
    return np.isin(raters, names)


def _compared(table: Table, partner: Bools, common_items: bool) -> Table:
    """The ratings to compare; a warning where the raters to be compared did not rate the same."""
    compared = partner if partner.all() else ~partner
    if common_items:
        return only_common(table, compared)
    if len(table.raters) > 2 and not table.common(compared).all():
        n_items = [entry["n_items"] for entry in table.coverage().values()]
        warnings.warn(
            f"Raters are compared on different items: some rated {min(n_items):,}, some {max(n_items):,} of "
            f"{table.counts()['n_items']:,}. Their values cannot be put side by side; see coverage, or give "
            "common_items=True.",
            CoverageWarning,
            stacklevel=3,
        )
    return table


def _counts_for(pairs: Ints, partner: Bools) -> Floats:
    """[pairs, raters]: 1 where a pair counts for a rater, its other half being one of the partners."""
    counts = np.zeros((len(pairs), len(partner)))
    rows = np.arange(len(pairs))
    counts[rows, pairs[:, 0]] = partner[pairs[:, 1]]
    counts[rows, pairs[:, 1]] = partner[pairs[:, 0]]
    return counts


def _report(
    table: Table,
    categories: list[Category],
    pairs: Ints,
    counts_for: Floats,
    point: Averages,
    entries: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    common = np.zeros((len(categories), len(pairs)), dtype=np.int64)
    kappa = np.full(common.shape, np.nan)
    for number, one in enumerate(categories):
        common[number, one.shared], kappa[number, one.shared] = one.n, one.kappa
    undefined = np.isnan(kappa) & (common > 0)
    n_common, n_undefined = common.sum(0).tolist(), undefined.sum(0).tolist()
    over_partners = divide(np.nan_to_num(kappa) @ counts_for, ~np.isnan(kappa) @ counts_for)  # [categories, raters]

    values = point.stacked[:, 0].tolist()
    found = [{"weighted_kappa": value} | one for value, one in zip(values, entries or repeat({}), strict=False)]
    n_categories, n_raters = len(table.categories), len(table.raters)
    of_categories, of_raters = found[1 : n_categories + 1], found[n_categories + 1 :][:n_raters]
    return {
        **found[0],
        **table.counts(),
        "coverage": table.coverage(),
        "n_categories": len(table.categories),
        "n_pairs": int((common > 0).any(0).sum()),
        "n_undefined": int(undefined.sum()),
        "n_too_few_common_items": int((common == 0).sum()),
        "per_category": {
            name: of_categories[number]
            | {"n_pairs": int((common[number] > 0).sum()), "n_undefined": int(undefined[number].sum())}
            for number, name in enumerate(table.categories)
        },
        "per_rater": {
            name: of_raters[number] | _over_categories(over_partners[:, number], table.categories)
            for number, name in enumerate(table.raters)
        },
        "per_pair": [
            {"raters": [table.raters[first], table.raters[second]]}
            | entry
            | {"n_ratings": n_common[number], "n_undefined": n_undefined[number]}
            for number, ((first, second), entry) in enumerate(
                zip(pairs.tolist(), found[n_categories + 1 + n_raters :], strict=True)
            )
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
        "per_category": dict(zip(categories, kappa.tolist(), strict=True)),
    }


class WeightedKappa(TakesTables, evaluate.Metric):
    """κ_w as an `evaluate` metric."""

    _compute = staticmethod(analyse)

    def _info(self) -> evaluate.MetricInfo:
        return metric_info(analyse, CITATION, "https://doi.org/10.1037/h0026256", **FEATURES)


def _input(ratings: Any, predictions: Any, references: Any) -> Table:
    """The table of many raters, or of the two called predictions and references."""
    two = predictions is not None and references is not None
    if two == (ratings is not None) or (predictions is None) != (references is None):
        raise RatingsError("Give either ratings (many raters) or both predictions and references (two raters).")
    if not two:
        return read_ratings(ratings)
    sides = {"predictions": listed(predictions), "references": listed(references)}
    frames = [frame_of(side, name) for name, side in sides.items()]
    if any(frame is not None for frame in frames):
        return _two_tables(dict(zip(sides, frames, strict=True)))
    predictions, references = sides.values()
    if np.shape(predictions) != np.shape(references) or np.ndim(predictions) not in (1, 2):
        raise RatingsError(
            f"predictions {list(np.shape(predictions))} and references {list(np.shape(references))} must both "
            "have the shape [items] or [items, categories]."
        )
    table = read_ratings([predictions, references], what="predictions and references")
    return replace(table, raters=("predictions", "references"))


def _two_tables(sides: dict[str, pd.DataFrame | None]) -> Table:
    frames = []
    for name, frame in sides.items():
        if frame is None:
            raise RatingsError(f"{name} are an array and the other side is a table; give two arrays or two tables.")
        frames.append(frame.assign(rater=name))
    return read_ratings(pd.concat(frames), what="predictions and references")
