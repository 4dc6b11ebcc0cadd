"""Spread Ratio: does a model disagree with itself as much as humans disagree with each other?

    SR = sqrt( Σ_u s²_M(u) / Σ_u s²_H(u) )

u is a unit, one category of one item; s² is the variance with ddof 1 of the model's samples and of the humans'
ratings. 1 is human-like spread, below 1 is under-dispersed, 0 is a model that always answers the same; no upper limit.

The sums are unbiased for any number of samples; a mean of ratios or of standard deviations, or ddof 0, is not. Units
with fewer than two samples on a side are left out and counted; units on which all agree stay in. Variants put another
measure of spread in the place of s²:

    gmd      mean absolute difference of two ratings; the ratio of sums, without the root
    profile  variance after each respondent's mean over the item's categories is taken away
    choice   chance that two respondents' top categories differ (unbiased Gini-Simpson), ties shared; a unit is an item

Noise can have the right spread. So the energy distance 2E|X − Y| − E|X − X′| − E|Y − Y′| of model and human ratings
(U-statistics, mean over units) is reported with it: 0 where both come from the same distribution, in expectation.
"""

from dataclasses import replace
from typing import Any

import datasets
import evaluate
import numpy as np

from .checks import RatingsError, choice, warn_undefined, whole
from .frames import TABLES
from .intervals import Bootstrap, intervals
from .models import compared_items
from .rating_metric import TakesTables, collected_by_item, metric_info
from .ratings import read_ratings
from .resampling import distinct, percentiles
from .sides import Sides, baselines, ratio_of, read_samples, sides_of, split_half, spread_ratio
from .spreads import SPREADS, VARIANTS, energy_distance
from .table import Floats, Table, align

__all__ = ["SpreadRatio", "analyse", "energy_distance", "split_half", "spread_ratio"]

CITATION = """\
@article{szekely2013energy,
  title = {Energy statistics: A class of statistics based on distances},
  author = {Sz{\\'e}kely, G{\\'a}bor J. and Rizzo, Maria L.},
  journal = {Journal of Statistical Planning and Inference},
  volume = {143}, number = {8}, pages = {1249--1272}, year = {2013}, doi = {10.1016/j.jspi.2013.03.018}
}
@article{simpson1949measurement,
  title = {Measurement of diversity}, author = {Simpson, Edward H.}, journal = {Nature}, volume = {163}, pages = {688},
  year = {1949}, doi = {10.1038/163688a0}
}
"""
FEATURES = dict.fromkeys(("predictions", "references"), datasets.Sequence(datasets.Value("float64")))


def analyse(
    predictions: Any,
    references: Any,
    *,
    variant: str = "variance",
    splits: int = 200,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
    resample: str = "items",
    clusters: Any = None,
    common_items: bool = False,
) -> dict[str, Any]:
    """Spread Ratio with its human reference, baselines and the energy distance.

    Args:
        predictions: the model's samples, as `read_ratings` takes them; every sample is a respondent.
        references: the humans' ratings, likewise.
        variant: "variance", "gmd", "profile" or "choice".
        splits: number of random splits of the raters for the human reference; 0 gives none.
        bootstrap: number of resamples for the interval, see `intervals`; 0 gives none.
        seed: seed of the resamples and splits.
        confidence: how often the interval shall hold the value of the population; of the human reference: share of the
            splits within it.
        resample: what is a sample of a population: "items", "raters" (the humans) or "both".
        clusters: items that belong together (of one performer, of one prompt), as {item: cluster} or in the order of
            the items; they are resampled together.
        common_items: whether human values and baselines are restricted to the items that the model has ratings of.

    Returns:
        Plain numbers: `spread_ratio`, `interval`, counts, `variants`, `energy_distance`, `human_reference` (1 by
        definition, with the interval of the split halves), `baselines`, and `coverage` with number and share of the
        items of the model and of each rater. Undefined values are nan, with a warning.

    Raises:
        RatingsError: no shared unit with two answers on both sides; options or ratings that cannot be used.

    Example:
        >>> result = analyse([[0, 1, 3], [2, 3, 2]], [[0, 1, 3], [2, 1, 3], [1, 1, 0]])
        >>> round(result["spread_ratio"], 3), result["n_units"]  # sqrt((2 + 2 + 0.5) / (1 + 0 + 3))
        (1.061, 3)
    """
    boot = Bootstrap(bootstrap, seed, confidence, resample)
    choice("variant", variant, VARIANTS)
    splits = whole("splits", splits, 0)
    model_table, human_table = read_samples(predictions), read_ratings(references, what="references")
    answered = np.bincount(align(model_table, human_table).item, minlength=len(human_table.items)) > 0
    human_table, coverage = compared_items(human_table, answered, common_items=common_items)
    sides = sides_of(model_table, human_table, variant)
    if not len(sides.cell):
        raise RatingsError(
            "No unit has at least two model samples and two human ratings, so there is no spread to compare. "
            f"Sample the model at least twice on each item: [samples, items], or {TABLES}, numbered in 'sample'."
        )
    model, human = sides.sums(variant)
    warn_undefined(int(not human > 0), "Spread Ratio is undefined: the humans agree on every unit")
    spread = SPREADS[variant](sides.human, len(sides.cell))
    of_ratings = sides if variant in ("variance", "gmd") else sides_of(model_table, human_table, "variance")
    distances = energy_distance(of_ratings.model, of_ratings.human, len(of_ratings.cell))
    boot = boot.within(clusters, human_table.items)
    value = float(ratio_of(model, human, variant))
    result = {
        "spread_ratio": value,
        **_interval(sides, value, spread, variant, boot),
        **boot.population,
        "variant": variant,
        "n_units": len(sides.cell),
        "n_items": distinct(sides.item),
        "n_left_out": sides.n_left_out,
        "n_zero_spread": int((spread == 0).sum()),
        "n_raters": distinct(sides.human.who),
        "n_ratings": len(sides.human.unit),
        "n_samples": len(sides.model.unit),
        "n_undefined": int(not human > 0),
        "energy_distance": float(distances.mean()),
        "variants": _variants(model_table, human_table),
        "baselines": baselines(of_ratings, human_table),
        **coverage,
    }
    return result | ({"human_reference": _reference(human_table, variant, splits, boot)} if splits else {})


def _variants(predictions: Table, references: Table) -> dict[str, float]:
    """Every variant's value; `profile` and `choice` need several categories."""
    names = VARIANTS if len(references.categories) > 1 else VARIANTS[:2]
    found = {name: ratio_of(*sides_of(predictions, references, name).sums(name), name) for name in names}
    return {name: float(ratio) for name, ratio in found.items()}


def _reference(references: Table, variant: str, splits: int, boot: Bootstrap) -> dict[str, Any]:
    ratios, distances, units = split_half(references, variant=variant, splits=splits, seed=boot.seed)
    found: dict[str, Any] = {
        "spread_ratio": 1.0,
        "interval": percentiles(ratios, boot.confidence),
        "n_splits": splits,
        "n_undefined_splits": int(np.isnan(ratios).sum()),
        "n_units": units,
    }
    defined = distances[~np.isnan(distances)]
    return found | (
        {"energy_distance": float(defined.mean()), "energy_interval": percentiles(distances, boot.confidence)}
        if defined.size
        else {}
    )


def _interval(sides: Sides, value: float, spread: Floats, variant: str, boot: Bootstrap) -> dict[str, Any]:
    """The interval of the Spread Ratio; it rests on the items on which the humans differ."""

    def draw(of_items: Any, of_raters: Any) -> Floats:
        if of_raters is None:
            return ratio_of(*sides.sums(variant, of_items), variant)[None]
        weighed = (replace(sides, human=replace(sides.human, weight=row[sides.human.who])) for row in of_raters)
        return np.array([[_resampled(one, variant) for one in weighed]])

    (found,) = intervals(
        boot,
        np.array([value]),
        draw,
        n_items=len(sides.items),
        raters=np.bincount(sides.human.who),
        scale="log",
        positives=np.array([distinct(sides.item[spread > 0]) * 1.0]),
    )
    return found


def _resampled(sides: Sides, variant: str) -> float:
    """Spread Ratio on the units that still have two different raters."""
    model, human = (SPREADS[variant](side, len(sides.cell)) for side in (sides.model, sides.human))
    return float(ratio_of(model[~np.isnan(human)].sum(), np.nansum(human), variant))


class SpreadRatio(TakesTables, evaluate.Metric):
    """Spread Ratio as an `evaluate` metric."""

    _by_item = ("predictions", "references")
    _compute = staticmethod(collected_by_item(analyse, *_by_item))

    def _info(self) -> evaluate.MetricInfo:
        return metric_info(analyse, CITATION, "https://doi.org/10.1016/j.jspi.2013.03.018", **FEATURES)
