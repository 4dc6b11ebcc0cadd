"""Measures of the spread of the answers to each unit, and the energy distance of two sides."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .resampling import divide, totals
from .table import Bools, Floats, Ints

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

    def of(self, rows: Bools) -> "Answers":
        """Some of the answers, in the same order."""
        return Answers(self.unit[rows], self.who[rows], self.value[rows], self.weight[rows])

    def ordered(self) -> "Answers":
        """The answers by unit and, in a unit, by their first value, ascending; itself where they are."""
        unit, value = self.unit, self.value[:, 0]
        if ((unit[1:] > unit[:-1]) | ((unit[1:] == unit[:-1]) & (value[1:] >= value[:-1]))).all():
            return self
        order = np.lexsort((value, unit))
        return Answers(unit[order], self.who[order], self.value[order], self.weight[order])

    def sums(self, of_answers: Floats, units: int) -> Floats:
        """Sum over each unit's answers, [answers] → [units]."""
        return totals(self.unit, of_answers, units)


def pairs(answers: Answers, units: int) -> Floats:
    """[units] weight of the ordered pairs of different answers; a copy of an answer forms none with it."""
    return answers.sums(answers.weight, units) ** 2 - answers.sums(answers.weight**2, units)


def _from_first(answers: Answers) -> Floats:
    """Values less those of the unit's first answer: exactly 0 where all answers of a unit are equal."""
    start = np.zeros((int(answers.unit.max(initial=-1)) + 1, answers.value.shape[1]))
    start[answers.unit[::-1]] = answers.value[::-1]  # of one unit's answers the first is written last, and stays
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
    return divide(absolute(answers, units), pairs(answers, units))


def absolute(answers: Answers, units: int) -> Floats:
    """[units] Σ |x − y| over ordered pairs: in ascending order each value is added as often as others are below it."""
    answers = answers.ordered()
    unit, value, weight = answers.unit, _from_first(answers)[:, 0], answers.weight
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


def energy_distance(model: Answers, human: Answers, units: int, together: Floats | None = None) -> Floats:
    """[units] 2E|X − Y| − E|X − X′| − E|Y − Y′| with unbiased means over pairs; nan below two answers on a side.

    Args:
        model: Answers of one side.
        human: Answers of the other side.
        units: Number of units.
        together: `absolute` of both sides as one, where it is known.
    """
    if together is None:
        names = ("unit", "who", "value", "weight")
        both = Answers(*(np.concatenate([getattr(model, name), getattr(human, name)]) for name in names))
        together = absolute(both, units)
    within = [absolute(side, units) for side in (model, human)]
    crossed = (together - within[0] - within[1]) / 2
    n_pairs = model.sums(model.weight, units) * human.sums(human.weight, units)
    return (
        2 * divide(crossed, n_pairs) - divide(within[0], pairs(model, units)) - divide(within[1], pairs(human, units))
    )
