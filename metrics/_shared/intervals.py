"""Confidence intervals: one rule for every value of this family, whatever the ratings are a sample of.

The standard error of a value has up to two parts. Over items it is the standard deviation of a bootstrap (of clusters
of items, where items belong together); over raters it is that of the jackknife, which leaves out one rater at a time,
because resampled raters repeat: every resample holds fewer different raters than the study, and a median or a mean of
fewer raters is noisier, so that draws lie to one side of the value. Both parts add up as variances.

The interval is symmetric on a scale on which the value has no end (tanh for correlations and agreement, log for
ratios, logit for shares) and as wide as Student's t says. The degrees of freedom are those with which the standard
error itself is known: 2n / (kurtosis − 1) of the n influences, which leave-one-out gives; both parts are joined as
Satterthwaite does. A value that rests on a few items gets few degrees of freedom, and so a wide interval.

There is no interval, but a reason, where none would be honest: see `_reasons`. `benchmarks/coverage.py` measures how
often the intervals hold the truth, beside percentile and BCa intervals.

Sources: Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 11–14; Satterthwaite, Biometrics Bulletin
2 (1946), 110–114; the variance of a variance: Cramér, Mathematical Methods of Statistics (1946), 27.4.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from .checks import RatingsError, choice, whole
from .frames import groups_of
from .resampling import CHUNK, distinct, divide, percentiles, resamples, totals
from .table import Bools, Floats, Ints, Table

RESAMPLE = ("items", "raters", "both")
POPULATIONS = {
    "items": "other items, the same raters",
    "raters": "other raters, the same items",
    "both": "other items and other raters",
    "categories": "other categories, the same items and raters",
}
GROUPS = 200  # of items that are left out together, at most: enough to know the kurtosis
LEAST_POSITIVES = 15  # items that are informative; each metric says which
LEAST_RATERS = 3
LEAST_CLUSTERS = 10
MOST_UNDEFINED = 0.05  # share of the resamples
Draw = Callable[[Any, Any], Floats]  # ([resamples, items] or None, [resamples, raters] or None) → [values, resamples]

# Scale → whether a value has a place on it, the way there, back, and the slope.
SCALES: dict[str, tuple[Callable[[Floats], Any], Any, Any, Callable[[Floats], Floats]]] = {
    "tanh": (lambda x: np.abs(x) < 1, np.arctanh, np.tanh, lambda x: 1 / (1 - x**2)),
    "log": (lambda x: x > 0, np.log, np.exp, lambda x: 1 / x),
    "logit": (
        lambda x: (x > 0) & (x < 1),
        lambda x: np.log(x / (1 - x)),
        lambda z: 1 / (1 + np.exp(-z)),
        lambda x: 1 / (x * (1 - x)),
    ),
}


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made.

    Attributes:
        n: number of resamples of the items; 0 gives no interval.
        seed: seed of NumPy's default generator.
        confidence: how often an interval shall hold the value of the population.
        resample: what is a sample of a population, one of `valid`: the other side stays as it is.
        valid: the known values of `resample`.
        clusters: the number [items] of the cluster of each item; None: each item for itself.

    Raises:
        RatingsError: no interval can be made of these.
    """

    n: int
    seed: int
    confidence: float
    resample: str
    valid: tuple[str, ...] = RESAMPLE
    clusters: Ints | None = None

    def __post_init__(self) -> None:
        if whole("bootstrap", self.n, 0) == 1:
            raise RatingsError(f"bootstrap={self.n!r} is not valid; give a number of resamples, 0 (none) or ≥ 2.")
        whole("seed", self.seed, 0)
        if not isinstance(self.confidence, float | int) or not 0 < self.confidence < 1:
            raise RatingsError(
                f"confidence={self.confidence!r} is not valid; give a number between 0 and 1, such as 0.95."
            )
        choice("resample", self.resample, self.valid)

    def __bool__(self) -> bool:
        return self.n > 0

    def within(self, clusters: Any, items: Sequence[str]) -> "Bootstrap":
        """The same with the clusters of these items, as a user names them: {item: cluster}, or one for every item.

        Raises:
            RatingsError: an item without a cluster, or items are no sample here.
        """
        if clusters is None:
            return self
        if self.resample not in ("items", "both"):
            raise RatingsError(
                f"clusters= says which items are sampled together, but resample={self.resample!r} samples no items; "
                "leave it out, or give resample='items' or 'both'."
            )
        return replace(self, clusters=groups_of(clusters, items, "clusters"))

    @property
    def population(self) -> dict[str, str]:
        """What the intervals speak about, in words; nothing without intervals."""
        if not self:
            return {}
        text = POPULATIONS[self.resample]
        return {"population": text.replace("items", "clusters of items") if self.clusters is not None else text}

    def item_draws(self, items: int, width: int = 1) -> Iterator[Floats]:
        """[≤ n, items] how often each item is drawn in each resample, some resamples at a time."""
        if self.clusters is None:
            yield from resamples(items, self.n, self.seed, width=width)
            return
        for counts in resamples(int(self.clusters.max()) + 1, self.n, self.seed, width=max(width, items)):
            yield counts[:, self.clusters]

    def without_items(self, items: int) -> Floats:
        """[groups, items] 0 for the items that are left out together, 1 for the others."""
        cluster = np.arange(items) if self.clusters is None else self.clusters
        n = int(cluster.max(initial=-1)) + 1
        group = np.random.default_rng(self.seed).permutation(n) % GROUPS if n > GROUPS else np.arange(n)
        return 1.0 - (group[cluster] == np.arange(min(n, GROUPS))[:, None])


@dataclass(frozen=True, slots=True)
class _Spread:
    """Moments of draws about the values, [values] each: number of defined ones, variance, kurtosis."""

    size: int
    n: Floats
    variance: Floats
    kurtosis: Floats

    @property
    def freedom(self) -> Floats:
        """With how many degrees of freedom n independent influences know their variance: a mean is estimated, too.

        One less than n − 1, because the kurtosis of a few influences is estimated too low.
        """
        most = np.maximum(self.n - 2, 1.0)
        return np.clip(divide(2 * self.n, self.kurtosis - 1), 1.0, most)


def _spread(values: Floats, draws: Iterable[Floats]) -> _Spread:
    size, n, sums = 0, np.zeros(len(values)), np.zeros((4, len(values)))
    for chunk in draws:
        away = chunk - values[:, None]
        given = ~np.isnan(away)
        away = np.where(given, away, 0.0)
        size, n = size + chunk.shape[1], n + given.sum(axis=1)
        for power in range(4):
            sums[power] += (away ** (power + 1)).sum(axis=1)
    m1, m2, m3, m4 = divide(sums, n)
    second = np.where(m2 - m1**2 > 1e-24 * np.maximum(1.0, values**2), m2 - m1**2, 0.0)
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    return _Spread(size, n, second, np.nan_to_num(divide(fourth, second**2), nan=1.0))


def intervals(
    boot: Bootstrap,
    values: Floats,
    draw: Draw,
    *,
    n_items: int,
    raters: Ints,
    scale: str,
    positives: Floats,
    width: int = 1,
) -> list[dict[str, Any]]:
    """The interval of each of some values that are computed together.

    Args:
        boot: resamples, seed, confidence, and what is a sample.
        values: [values].
        draw: gives the values [values, resamples] when each item counts [resamples, items] times, or each rater
            [resamples, raters] times; the other argument is None.
        n_items: number of items.
        raters: [raters] how many ratings each gave; those without any are no part of the sample.
        scale: one of `SCALES`; a value that has no place on it gets a symmetric interval.
        positives: [values] on how many informative items each value rests; `positives_of` counts them for agreement.
        width: numbers that `draw` needs per resample, if more than there are items.

    Returns:
        One dict for each value: `interval` [low, high], `standard_error` and `degrees_of_freedom`, or `interval` None
        with `no_interval`, the reason; `n_undefined_resamples`. Empty dicts without resamples.
    """
    if not boot:
        return [{} for _ in values]
    if boot.clusters is not None:  # items of a cluster are no news of one another
        positives = positives * distinct(boot.clusters) / n_items
    parts = []
    if boot.resample != "raters":
        parts.append(_over_items(boot, values, draw, n_items, width))
    if boot.resample != "items":
        parts.append(_over_raters(values, draw, raters, width))
    variance = np.sum([part.variance for part in parts], axis=0)
    freedom = divide(variance**2, np.sum([divide(part.variance**2, part.freedom) for part in parts], axis=0))
    low, high = _ends(values, np.sqrt(variance), stdtrit(freedom, (1 + boot.confidence) / 2), scale)
    undefined = np.max([part.undefined for part in parts], axis=0)
    reasons = _reasons(values, variance, undefined, positives, boot, int((raters > 0).sum()))
    return [
        (
            {"interval": None, "no_interval": why}
            if why
            else {
                "interval": [float(low[i]), float(high[i])],
                "standard_error": float(np.sqrt(variance[i])),
                "degrees_of_freedom": float(freedom[i]),
            }
        )
        | {"n_undefined_resamples": int(sum(part.n_undefined[i] for part in parts))}
        for i, why in enumerate(reasons)
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """What the sampling of one side, items or raters, adds, [values] each."""

    variance: Floats
    freedom: Floats
    n_undefined: Floats
    undefined: Floats  # share of the resamples


def _over_items(boot: Bootstrap, values: Floats, draw: Draw, n_items: int, width: int) -> _Part:
    """Variance of the bootstrap, known as well as leaving out items says."""
    drawn = _spread(values, (draw(counts, None) for counts in boot.item_draws(n_items, width)))
    left_out = _spread(values, (draw(counts, None) for counts in _chunks(boot.without_items(n_items), width)))
    variance = drawn.variance * divide(drawn.n, drawn.n - 1)
    return _Part(variance, left_out.freedom, drawn.size - drawn.n, 1 - drawn.n / drawn.size)


def _over_raters(values: Floats, draw: Draw, raters: Ints, width: int) -> _Part:
    """Variance of the jackknife."""
    without = 1.0 - np.eye(len(raters))[raters > 0]
    left_out = _spread(values, (draw(None, counts) for counts in _chunks(without, width)))
    variance = left_out.variance * (left_out.n - 1)
    return _Part(variance, left_out.freedom, left_out.size - left_out.n, 1 - left_out.n / left_out.size)


def _chunks(counts: Floats, width: int) -> Iterator[Floats]:
    """Some rows of [resamples, n] at a time, as many as `resamples` gives."""
    step = max(1, CHUNK // max(width, counts.shape[1]))
    return (counts[start : start + step] for start in range(0, len(counts), step))


def _ends(values: Floats, error: Floats, quantile: Floats, scale: str) -> tuple[Floats, Floats]:
    fits, there, back, slope = SCALES[scale]
    with np.errstate(all="ignore"):
        placed = fits(values)
        middle, half = there(values), quantile * error * slope(values)
        plain = quantile * error
        low, high = (np.where(placed, back(middle + sign * half), values + sign * plain) for sign in (-1, 1))
    return low, high


def _reasons(
    values: Floats, variance: Floats, undefined: Floats, positives: Floats, boot: Bootstrap, n_raters: int
) -> list[str]:
    """Why each value has no interval; empty where it has one."""
    few = boot.resample != "items" and n_raters < LEAST_RATERS
    things = "items" if boot.clusters is None else "clusters of items"
    clusters = LEAST_CLUSTERS if boot.clusters is None else distinct(boot.clusters)
    return [
        next(
            text
            for applies, text in (
                (np.isnan(values[i]), "the value is undefined"),
                (few, f"{n_raters} raters are too few to know how raters differ; {LEAST_RATERS} are needed"),
                (clusters < LEAST_CLUSTERS, f"{clusters} clusters are too few; {LEAST_CLUSTERS} are needed"),
                (
                    positives[i] < LEAST_POSITIVES,
                    f"it rests on {positives[i]:.3g} informative {things}; {LEAST_POSITIVES} are needed",
                ),
                (undefined[i] > MOST_UNDEFINED, f"{undefined[i]:.0%} of the resamples are undefined"),
                (variance[i] == 0, "all resamples give the same value"),
                (True, ""),
            )
            if applies
        )
        for i in range(len(values))
    ]


def positives_of(table: Table) -> Floats:
    """On how many items each category rests, [categories]: items whose ratings are not all the most frequent one.

    An item counts with the share of its ratings that differ from the most frequent rating of the category.
    """
    found = np.zeros(len(table.categories))
    for number, part in enumerate(table.parts()):
        if len(part):
            rated = totals(part.item, np.ones(len(part)), len(part.items))
            other = totals(part.item, off_mode(part.rating) * 1.0, len(part.items))
            found[number] = np.nansum(divide(other, rated))
    return found


def off_mode(values: Floats) -> Bools:
    """Which values are not the most frequent one; gaps are not.

    >>> off_mode(np.array([0, 3, 0, np.nan])).tolist()
    [False, True, False, False]
    """
    given = ~np.isnan(values)
    distinct, n = np.unique(values[given], return_counts=True)
    return given & (values != distinct[np.argmax(n)]) if len(n) else given


def percentile_interval(draws: Floats, confidence: float) -> dict[str, Any]:
    """The percentile interval of draws, [low, high], nan where none is defined, and how many are undefined.

    It is kept where something else than a sample of items or raters varies: categories, random splits, published
    computations that are repeated as they were.
    """
    return {"interval": percentiles(draws, confidence), "n_undefined_resamples": int(np.isnan(draws).sum())}
