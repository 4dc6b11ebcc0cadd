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
(U-statistics, mean over units) stands beside it: 0 where both come from the same distribution, in expectation.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import datasets
import evaluate
import numpy as np

from .ratings import (
    Floats,
    Ints,
    RatingsError,
    Table,
    TakesTables,
    UndefinedWarning,
    align,
    check_bootstrap,
    choice,
    divide,
    mean_defined,
    percentiles,
    read_ratings,
    resamples,
    totals,
)

VARIANTS = ("variance", "gmd", "profile", "choice")
RESAMPLE = ("items", "raters", "both")

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


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of one side: row r says that respondent `who` gave unit `unit` the vector `value`.

    Attributes:
        unit: [answers] index into the units that both sides share.
        who: [answers] number of the respondent.
        value: [answers, dimensions]; one dimension but for choices.
        weight: [answers] how often an answer counts.
    """

    unit: Ints
    who: Ints
    value: Floats
    weight: Floats

    def sums(self, of_answers: Floats, units: int) -> Floats:
        """Sum over each unit's answers, [answers] → [units]."""
        return totals(self.unit, of_answers, units)


def pairs(answers: Answers, units: int) -> Floats:
    """[units] weight of the ordered pairs of different answers; a copy of an answer forms none with it."""
    return answers.sums(answers.weight, units) ** 2 - answers.sums(answers.weight**2, units)


def _from_first(answers: Answers) -> Floats:
    """Values less those of the unit's first answer: exactly 0 where all answers of a unit are equal."""
    units, first = np.unique(answers.unit, return_index=True)
    start = np.zeros((int(units.max(initial=-1)) + 1, answers.value.shape[1]))
    start[units] = answers.value[first]
    return answers.value - start[answers.unit]


def variance(answers: Answers, units: int) -> Floats:
    """[units] variance with ddof 1, half the mean squared distance of two answers; nan below two answers."""
    n = answers.sums(answers.weight, units)
    found = np.zeros(units)
    for value in _from_first(answers).T:
        mean = divide(answers.sums(answers.weight * value, units), n)
        found += n * answers.sums(answers.weight * (value - mean[answers.unit]) ** 2, units)
    return divide(found, pairs(answers, units))


def mean_difference(answers: Answers, units: int) -> Floats:
    """[units] mean absolute difference of two answers (Gini), nan below two answers."""
    return divide(_absolute(answers, units), pairs(answers, units))


def _absolute(answers: Answers, units: int) -> Floats:
    """[units] Σ |x − y| over ordered pairs: in ascending order each value is added as often as others lie below it."""
    values = _from_first(answers)[:, 0]
    order = np.lexsort((values, answers.unit))
    unit, value, weight = answers.unit[order], values[order], answers.weight[order]
    total = answers.sums(answers.weight, units)
    before_unit = np.concatenate([[0.0], np.cumsum(total)])[unit]
    below = np.cumsum(weight) - weight - before_unit
    above = total[unit] - weight - below
    return 2 * totals(unit, weight * value * (below - above), units)


SPREADS: dict[str, Callable[[Answers, int], Floats]] = {
    "variance": variance,
    "gmd": mean_difference,
    "profile": variance,
    "choice": variance,
}


def energy_distance(model: Answers, human: Answers, units: int) -> Floats:
    """[units] 2E|X − Y| − E|X − X′| − E|Y − Y′| with unbiased means over pairs; nan below two answers on a side."""
    both = Answers(
        *(np.concatenate([getattr(model, name), getattr(human, name)]) for name in ("unit", "who", "value", "weight"))
    )
    within = [_absolute(side, units) for side in (model, human)]
    crossed = (_absolute(both, units) - within[0] - within[1]) / 2
    n_pairs = model.sums(model.weight, units) * human.sums(human.weight, units)
    return (
        2 * divide(crossed, n_pairs) - divide(within[0], pairs(model, units)) - divide(within[1], pairs(human, units))
    )


def spread_ratio(predictions: Any, references: Any, *, variant: str = "variance") -> float:
    """Spread Ratio of a model's samples to human ratings.

    Args:
        predictions: [samples, items] or [samples, items, categories], nan for gaps, or a long table.
        references: [raters, items] or [raters, items, categories] with the same items and categories, or a long table.
        variant: "variance", "gmd", "profile" or "choice".

    Returns:
        The ratio; nan if the humans agree on every unit.

    Example:
        >>> humans = [[0, 1, 3], [2, 1, 3], [1, 1, 0]]
        >>> spread_ratio([[1, 1, 2], [1, 1, 2]], humans)  # deterministic
        0.0
        >>> round(spread_ratio([[0, 1, 3], [2, 3, 2]], humans), 3)  # sqrt((2 + 2 + 0.5) / (1 + 0 + 3))
        1.061
    """
    choice("variant", variant, VARIANTS)
    sides = _sides(_samples(predictions), read_ratings(references, what="references"), variant)
    return float(_ratio(*sides.sums(variant), variant))


def _samples(predictions: Any) -> Table:
    return read_ratings(predictions, what="predictions", samples=True)


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides on the units that have at least two answers from each.

    Attributes:
        model: the model's answers.
        human: the humans' answers.
        cell: [units] item number · categories + category number, of the references; category 0 for choices.
        items: names of the items of the references.
        categories: names of the categories of the references.
        n_left_out: units of the references with fewer than two answers on a side.
    """

    model: Answers
    human: Answers
    cell: Ints
    items: Sequence[str]
    categories: tuple[str, ...]
    n_left_out: int

    @property
    def item(self) -> Ints:
        """[units] number of each unit's item."""
        return self.cell // len(self.categories)

    def sums(self, variant: str, counts: Floats | None = None) -> tuple[Floats, Floats]:
        """Σ spread of the model and of the humans; one each, or per resample of the items [resamples, items]."""
        of_units = (np.nan_to_num(SPREADS[variant](side, len(self.item))) for side in (self.model, self.human))
        per_item = (totals(self.item, spread, len(self.items)) for spread in of_units)
        model, human = (spread.sum() if counts is None else counts @ spread for spread in per_item)
        return model, human


def _ratio(model: Any, human: Any, variant: str) -> Floats:
    ratio = divide(np.asarray(model, dtype=np.float64), np.asarray(human, dtype=np.float64))
    return ratio if variant == "gmd" else np.sqrt(ratio)


def _sides(predictions: Table, references: Table, variant: str) -> Sides:
    """The answers on shared units: ratings, ratings without the respondent's mean, or top categories."""
    predictions = align(predictions, references)
    n = len(references.items) * len(references.categories)
    tables = predictions, references
    cells = [table.units() for table in tables]
    enough = np.logical_and(*(np.bincount(cell, minlength=n) > 1 for cell in cells))
    left_out = len(np.unique(cells[1])) - int(enough.sum())
    kept = [table.rows(enough[cell]) for table, cell in zip(tables, cells, strict=True)]
    if variant == "choice":
        return _choices(kept, references, left_out)
    kept = [_profile(table) if variant == "profile" else table for table in kept]
    unit_of = np.cumsum(enough) - 1
    model, human = (
        Answers(unit_of[cell[enough[cell]]], table.rater, table.rating[:, None], np.ones(len(table)))
        for table, cell in zip(kept, cells, strict=True)
    )
    return Sides(model, human, np.flatnonzero(enough), references.items, references.categories, left_out)


def _profile(table: Table) -> Table:
    """Ratings less the respondent's mean over the categories of the item."""
    answer = np.unique(table.item.astype(np.int64) * len(table.raters) + table.rater, return_inverse=True)[1]
    size = np.bincount(answer)
    total = totals(answer, table.rating, len(size))
    # Divided last: equal profiles of whole ratings stay equal to the last bit.
    return replace(table, rating=(table.rating * size[answer] - total[answer]) / size[answer])


def _choices(tables: list[Table], references: Table, left_out: int) -> Sides:
    """Each respondent's top categories of each item as shares that sum to 1; a unit is an item."""
    tops = [_tops(table) for table in tables]
    enough = np.logical_and(*(np.bincount(item, minlength=len(references.items)) > 1 for item, _, _ in tops))
    unit_of = np.cumsum(enough) - 1
    model, human = (
        Answers(unit_of[item[enough[item]]], who[enough[item]], share[enough[item]], np.ones(int(enough[item].sum())))
        for item, who, share in tops
    )
    cell = np.flatnonzero(enough) * len(references.categories)
    return Sides(model, human, cell, references.items, references.categories, left_out)


def _tops(table: Table) -> tuple[Ints, Ints, Floats]:
    """(item [answers], respondent [answers], share of each category [answers, categories])."""
    key = table.item.astype(np.int64) * len(table.raters) + table.rater
    answers, answer = np.unique(key, return_inverse=True)
    cells = np.full((len(answers), len(table.categories)), -np.inf)
    cells[answer, table.category] = table.rating
    top = (cells == cells.max(axis=1, keepdims=True)) * 1.0 if len(answers) else cells
    item, who = np.divmod(answers, len(table.raters))
    return item, who, top / top.sum(axis=1, keepdims=True)


def split_half(references: Table, *, variant: str, splits: int, seed: int) -> tuple[Floats, Floats, int]:
    """Humans against humans: the pool of raters is split into halves at random, again and again.

    Each half's spread is the mean over the units on which it has at least two ratings, so that items with three or
    four raters can serve: where two of them fall into one half, that half has a spread there.

    Args:
        references: human ratings.
        variant: as in `spread_ratio`.
        splits: number of random splits.
        seed: seed of the splits.

    Returns:
        (ratio [splits], energy distance [splits], number of units with at least two ratings). Units with two in both
        halves are needed for the energy distance; nan without any.
    """
    rng = np.random.default_rng(seed)
    sides = _sides(references, references, variant)
    units, answers = len(sides.item), sides.human
    ratios, distances = np.full(splits, np.nan), np.full(splits, np.nan)
    for split in range(splits):
        first = rng.permutation(len(references.raters)) < len(references.raters) // 2
        halves = [replace(answers, weight=answers.weight * mask[answers.who]) for mask in (first, ~first)]
        spreads = [SPREADS[variant](half, units) for half in halves]
        means = [mean_defined(spread) for spread in spreads]
        ratios[split] = _ratio(means[0], means[1], variant)
        if variant == "variance":
            distances[split] = mean_defined(energy_distance(halves[0], halves[1], units))
    return ratios, distances, units


def baselines(sides: Sides, references: Table) -> dict[str, float]:
    """Expected Spread Ratio of three models that look at nothing, without simulation.

    `uniform` draws every rating from the values that the humans used, `category_margin` from the human ratings of the
    category, `deterministic` always answers the same.
    """
    _, human = sides.sums("variance")
    used = np.unique(references.rating)
    margin = np.array([np.var(references.rating[references.category == c]) for c in range(len(references.categories))])
    at = sides.cell % len(sides.categories)
    return {
        "uniform": float(_ratio(len(sides.cell) * np.var(used), human, "variance")),
        "category_margin": float(_ratio(margin[at].sum(), human, "variance")),
        "deterministic": 0.0 if human > 0 else float("nan"),
    }


def analyse(
    predictions: Table,
    references: Table,
    *,
    variant: str = "variance",
    splits: int = 200,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
    resample: str = "items",
) -> dict[str, Any]:
    """Spread Ratio with its human reference, baselines and the energy distance.

    Args:
        predictions: the model's samples; every sample is a respondent.
        references: the humans' ratings.
        variant: "variance", "gmd", "profile" or "choice".
        splits: number of random splits of the raters for the human reference; 0 gives none.
        bootstrap: number of resamples for the interval; 0 gives none.
        seed: seed of the resamples and splits.
        confidence: share of the resamples (or splits) within an interval.
        resample: "items", "raters" (of the humans; a rater drawn twice forms no pairs with itself) or "both".

    Returns:
        Plain numbers: `spread_ratio`, `interval`, counts, `variants`, `energy_distance`, `human_reference` (1 by
        definition, with the interval of the split halves) and `baselines`. Undefined values are nan, with a warning.

    Raises:
        RatingsError: no shared unit with two answers on both sides; options or ratings that cannot be used.
    """
    check_bootstrap(bootstrap, seed, confidence)
    choice("variant", variant, VARIANTS)
    choice("resample", resample, RESAMPLE)
    if not isinstance(splits, int) or splits < 0:
        raise RatingsError(f"splits={splits!r} is not valid; give a whole number ≥ 0.")
    sides = _sides(predictions, references, variant)
    if not len(sides.cell):
        raise RatingsError(
            "No unit has at least two model samples and two human ratings, so there is no spread to compare. "
            "Sample the model at least twice on each item, numbered in the column 'sample'."
        )
    model, human = sides.sums(variant)
    if not human > 0:
        warnings.warn("Spread Ratio is undefined: the humans agree on every unit", UndefinedWarning, stacklevel=2)
    result: dict[str, Any] = {"spread_ratio": float(_ratio(model, human, variant))}
    if bootstrap:
        draws = _draws(sides, variant, bootstrap, seed, resample)
        result |= {
            "interval": percentiles(draws, confidence),
            "n_undefined_resamples": int(np.isnan(draws).sum()),
        }
    spread = SPREADS[variant](sides.human, len(sides.cell))
    result |= {
        "variant": variant,
        "n_units": len(sides.cell),
        "n_items": len(np.unique(sides.item)),
        "n_left_out": sides.n_left_out,
        "n_zero_spread": int((spread == 0).sum()),
        "n_raters": len(np.unique(sides.human.who)),
        "n_ratings": len(sides.human.unit),
        "n_samples": len(sides.model.unit),
        "n_undefined": int(not human > 0),
    }
    of_ratings = sides if variant in ("variance", "gmd") else _sides(predictions, references, "variance")
    distances = energy_distance(of_ratings.model, of_ratings.human, len(of_ratings.cell))
    result |= {
        "energy_distance": float(distances.mean()),
        "variants": _variants(predictions, references),
        "baselines": baselines(of_ratings, references),
    }
    if splits:
        result["human_reference"] = _reference(references, variant, splits, seed, confidence)
    return result


def _variants(predictions: Table, references: Table) -> dict[str, float]:
    """Every variant's value; `profile` and `choice` need several categories."""
    names = VARIANTS if len(references.categories) > 1 else VARIANTS[:2]
    found = {name: _ratio(*_sides(predictions, references, name).sums(name), name) for name in names}
    return {name: float(ratio) for name, ratio in found.items()}


def _reference(references: Table, variant: str, splits: int, seed: int, confidence: float) -> dict[str, Any]:
    ratios, distances, units = split_half(references, variant=variant, splits=splits, seed=seed)
    found: dict[str, Any] = {
        "spread_ratio": 1.0,
        "interval": percentiles(ratios, confidence),
        "n_splits": splits,
        "n_undefined_splits": int(np.isnan(ratios).sum()),
        "n_units": units,
    }
    defined = distances[~np.isnan(distances)]
    return found | (
        {"energy_distance": float(defined.mean()), "energy_interval": percentiles(distances, confidence)}
        if defined.size
        else {}
    )


def _draws(sides: Sides, variant: str, bootstrap: int, seed: int, resample: str) -> Floats:
    """Spread Ratio of every resample, [bootstrap]."""
    items = resamples(len(sides.items), bootstrap, seed)
    if resample == "items":
        return np.concatenate([_ratio(*sides.sums(variant, counts), variant) for counts in items])
    raters = resamples(int(sides.human.who.max()) + 1, bootstrap, seed + 1)
    every_item = (row for chunk in items for row in chunk)
    found = []
    for drawn, counts in zip((row for chunk in raters for row in chunk), every_item, strict=True):
        weighed = replace(sides, human=replace(sides.human, weight=drawn[sides.human.who]))
        found.append(_resampled(weighed, variant, counts if resample == "both" else np.ones(len(sides.items))))
    return np.array(found)


def _resampled(sides: Sides, variant: str, counts: Floats) -> float:
    """Spread Ratio on the units that still have two different raters."""
    model, human = (SPREADS[variant](side, len(sides.cell)) for side in (sides.model, sides.human))
    times = np.where(np.isnan(human), 0.0, counts[sides.item])
    return float(_ratio((times * model).sum(), (times * np.nan_to_num(human)).sum(), variant))


class SpreadRatio(TakesTables, evaluate.Metric):
    """Spread Ratio as an `evaluate` metric."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=str(__doc__),
            citation=CITATION,
            inputs_description=str(analyse.__doc__),
            features=datasets.Features(
                {
                    "predictions": datasets.Sequence(datasets.Value("float64")),
                    "references": datasets.Sequence(datasets.Value("float64")),
                }
            ),
            reference_urls=["https://doi.org/10.1016/j.jspi.2013.03.018"],
        )

    def _arrange(self, **collected: Any) -> dict[str, Any]:
        """[items][answers], of any number, to [answers, items] with gaps."""
        sides = {name: list(zip_longest(*collected[name], fillvalue=None)) for name in ("predictions", "references")}
        return collected | sides

    def _result(self, *, predictions: Any, references: Any, **options: Any) -> dict[str, Any]:
        return analyse(_samples(predictions), read_ratings(references, what="references"), **options)
