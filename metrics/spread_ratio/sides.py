"""The model's and the humans' answers on the units that both have, and the ratio of their spreads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .checks import choice
from .ratings import read_ratings
from .resampling import divide, mean_defined, numbered, totals
from .spreads import SPREADS, VARIANTS, Answers, absolute, energy_distance
from .table import Bools, Floats, Ints, Table, align


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
    sides = sides_of(read_samples(predictions), read_ratings(references, what="references"), variant)
    return float(ratio_of(*sides.sums(variant), variant))


def read_samples(predictions: Any) -> Table:
    """A model's samples, of which each is a respondent."""
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


def ratio_of(model: Any, human: Any, variant: str) -> Floats:
    """Spread Ratio of sums of spreads; nan where the humans have none."""
    ratio = divide(np.asarray(model, dtype=np.float64), np.asarray(human, dtype=np.float64))
    return ratio if variant == "gmd" else np.sqrt(ratio)


def sides_of(predictions: Table, references: Table, variant: str) -> Sides:
    """The answers on shared units: ratings, ratings without the respondent's mean, or top categories."""
    predictions = align(predictions, references)
    n = len(references.items) * len(references.categories)
    tables = predictions, references
    cells = [table.units() for table in tables]
    rated = [np.bincount(cell, minlength=n) for cell in cells]
    enough = (rated[0] > 1) & (rated[1] > 1)
    left_out = int(np.count_nonzero(rated[1]) - enough.sum())
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


def _answers(table: Table) -> tuple[Ints, Ints]:
    """(item number · raters + rater number of each answer, ascending, the number of each rating's answer)."""
    return numbered(
        table.item.astype(np.int64) * len(table.raters) + table.rater, len(table.items) * len(table.raters)
    )


def _profile(table: Table) -> Table:
    """Ratings less the respondent's mean over the categories of the item."""
    _, answer = _answers(table)
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
    answers, answer = _answers(table)
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
    sides = sides_of(references, references, variant)
    units, answers = len(sides.item), sides.human.ordered()
    together = absolute(answers, units) if variant == "variance" else None  # the same for every split
    n = len(references.raters)
    drawn = [(rng.permutation(n) < n // 2).tobytes() for _ in range(splits)]
    known = {half: _halves(answers, np.frombuffer(half, bool), units, variant, together) for half in set(drawn)}
    ratios, distances = np.array([known[half] for half in drawn]).reshape(-1, 2).T  # few raters have few halves
    return ratios, distances, units


def _halves(answers: Answers, first: Bools, units: int, variant: str, together: Floats | None) -> tuple[float, float]:
    """(ratio, energy distance) of the answers of some raters [raters] and those of the others."""
    halves = [answers.of(half[answers.who]) for half in (first, ~first)]
    means = [mean_defined(SPREADS[variant](half, units)) for half in halves]
    ratio = float(ratio_of(means[0], means[1], variant))
    if variant != "variance":
        return ratio, np.nan
    return ratio, float(mean_defined(energy_distance(halves[0], halves[1], units, together)))


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
        "uniform": float(ratio_of(len(sides.cell) * np.var(used), human, "variance")),
        "category_margin": float(ratio_of(margin[at].sum(), human, "variance")),
        "deterministic": 0.0 if human > 0 else float("nan"),
    }
