"""Measures of the spread of the answers to each unit, and the energy distance of two sides."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .resampling import divide, totals
from .table import Floats, Ints

VARIANTS = ("variance", "gmd", "profile", "choice")


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
    """[units] Σ |x − y| over ordered pairs: in ascending order each value is added as often as others are below it."""
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
