"""Tests and intervals that no metric has: shares, differences, many tests at once, equivalence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from emohub.report.record import Record

GROUPS = 30
"""Groups of items that the jackknife leaves out, one at a time."""
WILSON = "share with a Wilson interval"


def share(id: str, yes: int, n: int, confidence: float, **more: Any) -> Record:
    """A share with its Wilson interval (Wilson 1927, doi 10.1080/01621459.1927.10502953).

    Args:
        id: Of the record.
        yes: How many.
        n: Out of how many; a share of nothing is undefined.
        confidence: Of the interval.
        more: Other attributes of the record.

    Example:
        >>> record = share("preference.human_share", 707, 999, 0.95)
        >>> round(record.value, 4), [round(end, 4) for end in record.interval]
        (0.7077, [0.6788, 0.7351])
    """
    about: dict[str, Any] = {"method": WILSON, "population": "other answers of the same kind"} | more
    if not n:
        return Record(id=id, value=float("nan"), n=0, no_interval="there are no answers", **about)
    ends = stats.binomtest(int(yes), int(n)).proportion_ci(confidence, method="wilson")
    return Record(id=id, value=yes / n, n=int(n), interval=(float(ends.low), float(ends.high)), **about)


def holm(p: Sequence[float]) -> list[float]:
    """P-values corrected for many tests (Holm 1979, Scandinavian Journal of Statistics 6(2), 65–70); nan stays.

    >>> [round(one, 3) for one in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=float)
    found = np.full(len(values), np.nan)
    order = [at for at in np.argsort(values) if not np.isnan(values[at])]
    corrected = np.maximum.accumulate([(len(order) - rank) * values[at] for rank, at in enumerate(order)] or [0.0])
    found[order] = np.minimum(corrected, 1.0)[: len(order)]
    return found.tolist()


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two values of the same items, with the error that the items leave in it.

    Attributes:
        value: First minus second.
        error: Standard error.
        freedom: Degrees of freedom of the error.
    """

    value: float
    error: float
    freedom: float

    def record(self, id: str, confidence: float, *, is_share: bool = False, **more: Any) -> Record:
        """The record of it.

        Args:
            id: Of the record.
            confidence: Of its interval.
            is_share: Whether it is a value between 0 and 1, and so must its interval be.
            more: Other attributes of the record.
        """
        known = self.error > 0
        return Record(
            id=id,
            value=self.value,
            interval=self.interval_within(confidence) if is_share else self.interval(confidence),
            no_interval="" if known else "its error cannot be known from these items",
            standard_error=self.error if known else None,
            degrees_of_freedom=self.freedom if known else None,
            **more,
        )

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """With Student's t; None where the error is unknown."""
        if not self.error > 0:
            return None
        half = float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error
        return self.value - half, self.value + half

    def interval_within(self, confidence: float) -> tuple[float, float] | None:
        """The same for a value between 0 and 1, made on the logit scale; None at the ends themselves."""
        if not (self.error > 0 and 0 < self.value < 1):
            return None
        half = float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error / (self.value * (1 - self.value))
        middle = special.logit(self.value)
        return float(special.expit(middle - half)), float(special.expit(middle + half))

    @property
    def p(self) -> float:
        """Of the two-sided test that there is no difference; nan where the error is unknown."""
        if not self.error > 0:
            return float("nan")
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.freedom))

    def equivalence(self, margin: float) -> float:
        """P-value of two one-sided tests that the difference lies within ± margin (Schuirmann 1987).

        The larger of the two; nan where the error is unknown.
        """
        if not self.error > 0:
            return float("nan")
        above = stats.t.sf((self.value + margin) / self.error, self.freedom)
        below = stats.t.cdf((self.value - margin) / self.error, self.freedom)
        return float(max(above, below))


@dataclass(frozen=True, slots=True)
class Jackknife:
    """Values of all items, and of the items without each group.

    Attributes:
        names: [values] what they are.
        values: [values].
        without: [groups, values].
    """

    names: tuple[str, ...]
    values: np.ndarray
    without: np.ndarray

    def of(self, weights: Mapping[str, float]) -> Difference:
        """A weighted sum of the values and its error, (G − 1)/G Σ (θ₍g₎ − mean)², of which G − 1 are free."""
        weight = np.array([weights.get(name, 0.0) for name in self.names])
        used = weight != 0
        value = float(self.values[used] @ weight[used])
        away = self.without[:, used] @ weight[used]
        n = len(away)
        error = float(np.sqrt((n - 1) / n * ((away - away.mean()) ** 2).sum())) if n > 1 else float("nan")
        return Difference(value, error, max(n - 1, 1))


def jackknife(
    values: Callable[[np.ndarray], Mapping[str, float]], n_items: int, *, clusters: np.ndarray | None, seed: int
) -> Jackknife:
    """Compute values of all items, then without each of some random groups of items (delete-a-group jackknife).

    Args:
        values: Of the items where a mask [items] is true; name → number.
        n_items: How many items.
        clusters: [items] number of each item's cluster, which is left out as a whole; None: each item for itself.
        seed: Of the division into groups.
    """
    cluster = np.arange(n_items) if clusters is None else clusters
    n = int(cluster.max(initial=-1)) + 1
    group = np.random.default_rng(seed).permutation(n) % min(GROUPS, n)
    of_item = group[cluster]
    whole = dict(values(np.ones(n_items, dtype=bool)))
    parts = [values(of_item != one) for one in range(min(GROUPS, n))]
    names = tuple(whole)
    return Jackknife(
        names,
        np.array([whole[name] for name in names], dtype=float),
        np.array([[part[name] for name in names] for part in parts], dtype=float).reshape(-1, len(names)),
    )


def jackknifed_mean(total: np.ndarray, n: np.ndarray, *, clusters: np.ndarray | None, seed: int) -> Difference:
    """Σ total / Σ n over items, with its error.

    Args:
        total: [items] sum of each item's values.
        n: [items] how many those are.
        clusters: As of `jackknife`.
        seed: As of `jackknife`.
    """

    def mean(items: np.ndarray) -> dict[str, float]:
        of = float(n[items].sum())
        return {"": float(total[items].sum()) / of if of else float("nan")}

    return jackknife(mean, len(n), clusters=clusters, seed=seed).of({"": 1.0})


def percentile_interval(draws: Sequence[float] | np.ndarray, confidence: float) -> tuple[float, float] | None:
    """The percentiles between which a share of the defined draws lies; None where none is defined.

    >>> percentile_interval([float("nan"), 1.0, 2.0, 3.0], 0.5)
    (1.5, 2.5)
    """
    defined = np.asarray(draws, dtype=float)
    defined = defined[~np.isnan(defined)]
    if not len(defined):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def mean_defined(values: Sequence[float] | np.ndarray) -> float:
    """Mean of the values that are not nan; nan where there is none.

    >>> mean_defined([1.0, float("nan"), 3.0])
    2.0
    """
    defined = np.asarray(values, dtype=float)
    defined = defined[~np.isnan(defined)]
    return float(defined.mean()) if len(defined) else float("nan")


def simultaneous(confidence: float, n: int) -> float:
    """Confidence that each of n intervals needs, so that all hold together at least as often (Bonferroni)."""
    return 1 - (1 - confidence) / max(n, 1)


COMPONENTS = ("item", "rater", "residual")


def shares(components: Mapping[str, float]) -> dict[str, float]:
    """Shares of variance components, those below 0 as 0; nan where there is no variance.

    >>> shares({"item": 3.0, "rater": -1.0, "residual": 1.0})
    {'item': 0.75, 'rater': 0.0, 'residual': 0.25}
    """
    parts = {name: max(value, 0.0) for name, value in components.items()}
    total = sum(parts.values())
    return {name: value / total if total > 0 else float("nan") for name, value in parts.items()}


def variance_components(unit: np.ndarray, rater: np.ndarray, rating: np.ndarray) -> dict[str, float]:
    """Variance between units, between raters, and what is left, from ratings with gaps.

    The method of moments for two crossed random effects (Henderson 1953, Biometrics 9(2), 226–252, method 1); where
    nothing is missing it is the two-way analysis of variance. A component can come out below 0.

    Args:
        unit: [ratings] number of what was rated, from 0.
        rater: [ratings] number of who rated, from 0; nobody rates a unit twice.
        rating: [ratings].

    Returns:
        "item", "rater" and "residual"; nan where the ratings cannot tell them apart.
    """
    if not len(rating):
        return dict.fromkeys(COMPONENTS, float("nan"))
    n, centred = len(rating), rating - rating.mean()
    (per_unit, unit_sums), (per_rater, rater_sums) = (_by_number(number, centred) for number in (unit, rater))
    sums = [
        float((centred**2).sum()),
        float((unit_sums**2 / per_unit).sum()),
        float((rater_sums**2 / per_rater).sum()),
    ]
    of_units, of_raters = len(per_unit), len(per_rater)
    repeated = np.array([(per_unit**2).sum() / n, (per_rater**2).sum() / n, 1.0])  # of the mean's square
    expected = np.array([[n, n, n], [n, of_units, of_units], [of_raters, n, of_raters]], dtype=float) - repeated
    if np.linalg.matrix_rank(expected) < len(COMPONENTS):
        return dict.fromkeys(COMPONENTS, float("nan"))
    return dict(zip(COMPONENTS, map(float, np.linalg.solve(expected, sums)), strict=True))


def _by_number(number: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many values each number that occurs has, and their sum."""
    n = np.bincount(number)
    return n[n > 0], np.bincount(number, values)[n > 0]
