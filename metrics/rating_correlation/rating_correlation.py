"""Rating correlation: Spearman's ρ of a model's ratings with the median of the humans', per category and on average.

    ρ = Pearson correlation of the mid-ranks of the model's rating and of the human median, over the items

It is in −1…1; 0 is no monotone relation. A model that rates all items of a category the same has no ρ there: it is
counted, and enters the mean as 0, since leaving it out would reward a model for not answering. A category on which the
human medians do not vary cannot be tested: it is left out and counted.
"""

from typing import Any

import datasets
import evaluate
import numpy as np

from .checks import warn_undefined
from .frames import frame_of, listed
from .intervals import Bootstrap, intervals, off_mode, percentile_interval
from .models import compared_items, read_model
from .rating_metric import TakesTables, metric_info
from .ratings import read_ratings
from .resampling import divide, mean_defined, resamples
from .table import Floats, Ints, Table

RESAMPLE = ("items", "raters", "both", "categories")
OK, CONSTANT_MODEL, CONSTANT_HUMANS, TOO_FEW = "ok", "constant model", "constant humans", "fewer than two items"

CITATION = """\
@article{spearman1904proof,
  title = {The proof and measurement of association between two things},
  author = {Spearman, Charles}, journal = {The American Journal of Psychology}, volume = {15}, number = {1},
  pages = {72--101}, year = {1904}, doi = {10.2307/1412159}
}
"""
FEATURES = {"predictions": datasets.Value("float64"), "references": datasets.Value("float64")}


def mid_ranks(values: Floats, counts: Floats) -> Floats:
    """Mid-ranks in resamples, less their mean.

    Args:
        values: [items].
        counts: [resamples, items] how often an item was drawn.

    Returns:
        [resamples, items] rank of each value among the drawn ones, tied ones sharing theirs, minus the mean rank;
        exactly 0 where all are tied.
    """
    distinct, code = np.unique(values, return_inverse=True)
    order = np.argsort(code, kind="stable")
    last = np.cumsum(np.bincount(code, minlength=len(distinct))) - 1
    below_or_tied = np.cumsum(counts[:, order], axis=1)[:, last]  # [resamples, distinct]
    tied = np.diff(below_or_tied, axis=1, prepend=0.0)
    return (below_or_tied - tied / 2 - below_or_tied[:, -1:] / 2)[:, code]


def spearman(first: Floats, second: Floats, counts: Floats | None = None) -> Floats:
    """Spearman's ρ, plain or in resamples of the items.

    Args:
        first: [items] finite numbers.
        second: [items] finite numbers.
        counts: [resamples, items] how often an item was drawn; None: each once.

    Returns:
        [resamples] (one without counts); nan where either side is constant.

    Example:
        IQ and hours of television of ten people, from the Wikipedia article on the coefficient: ρ = −29/165.

        >>> iq = np.array([106, 100, 86, 101, 99, 103, 97, 113, 112, 110.0])
        >>> hours = np.array([7, 27, 2, 50, 28, 29, 20, 12, 6, 17.0])
        >>> spearman(iq, hours).round(4).tolist(), round(-29 / 165, 4)
        ([-0.1758], -0.1758)
    """
    weight = np.ones((1, len(first))) if counts is None else counts
    if not len(first):
        return np.full(len(weight), np.nan)
    first, second, weight = _merged(first, second, weight)
    x, y = mid_ranks(first, weight), mid_ranks(second, weight)
    return divide((weight * x * y).sum(1), np.sqrt((weight * x**2).sum(1)) * np.sqrt((weight * y**2).sum(1)))


def _merged(first: Floats, second: Floats, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """The distinct pairs of values, and how often each was drawn: most items are alike where most ratings are 0."""
    (x, of_x), (y, of_y) = (np.unique(side, return_inverse=True) for side in (first, second))
    pair = of_x * len(y) + of_y
    order = np.argsort(pair, kind="stable")
    distinct, start = np.unique(pair[order], return_index=True)
    return x[distinct // len(y)], y[distinct % len(y)], np.add.reduceat(counts.T[order], start, axis=0).T


def medians(table: Table, weight: Ints | None = None) -> Floats:
    """Median rating of each category of each item, [items, categories]; nan where there is none.

    Args:
        table: the ratings.
        weight: [ratings] how often a rating counts, whole numbers; None: once.
    """
    shape = len(table.items), len(table.categories)
    cell, rating = table.units(), table.rating
    if weight is not None:
        cell, rating = np.repeat(cell, weight), np.repeat(rating, weight)
    order = np.lexsort((rating, cell))
    size = np.bincount(cell, minlength=shape[0] * shape[1])
    start, given = np.cumsum(size) - size, size > 0
    ranked, found = rating[order], np.full(size.size, np.nan)
    low, high = start + (size - 1) // 2, start + size // 2
    found[given] = (ranked[low[given]] + ranked[high[given]]) / 2
    return found.reshape(shape)


def rating_correlation(predictions: Any, references: Any) -> list[float]:
    """ρ of each category.

    Args:
        predictions: [items], [items, categories] or [samples, items, categories]; or a long table.
        references: human ratings [raters, items] or [raters, items, categories]; or a long table.

    Returns:
        One ρ per category; nan where it is undefined.

    Example:
        >>> rho = rating_correlation([1, 2, 3, 4], [[0, 2, 1, 3], [1, 1, 2, 7], [0, 9, 1, 5]])  # medians 0, 2, 1, 5
        >>> [round(one, 3) for one in rho]
        [0.8]
    """
    table = read_ratings(references, what="references")
    means, _ = read_model(predictions, table)
    return [float(rho) for rho in _correlations(means, medians(table), None)[:, 0]]


def _correlations(means: Floats, human: Floats, counts: Floats | None) -> Floats:
    """[categories, resamples] ρ over the items that both sides rated."""
    by_item = None if counts is None else np.ascontiguousarray(counts.T)  # whole rows are taken from it
    found = []
    for x, y in zip(means.T, human.T, strict=True):
        both = ~np.isnan(x) & ~np.isnan(y)
        drawn = None if by_item is None else (by_item if both.all() else by_item[both]).T
        found.append(spearman(x[both], y[both], drawn))
    return np.stack(found)


def _status(means: Floats, human: Floats) -> list[str]:
    """Why each category has a ρ or has none."""
    found = []
    for x, y in zip(means.T, human.T, strict=True):
        both = ~np.isnan(x) & ~np.isnan(y)
        humans, model = len(np.unique(y[both])), len(np.unique(x[both]))
        rules = ((both.sum() < 2, TOO_FEW), (humans < 2, CONSTANT_HUMANS), (model < 2, CONSTANT_MODEL), (True, OK))
        found.append(next(status for applies, status in rules if applies))
    return found


def analyse(
    predictions: Any,
    references: Any,
    *,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
    resample: str = "items",
    clusters: Any = None,
    common_items: bool = False,
) -> dict[str, Any]:
    """ρ of every category and their mean.

    Args:
        predictions: the model's ratings, as `read_model` takes them; samples are averaged.
        references: the humans' ratings, as `read_ratings` takes them; or [items], one rating each.
        bootstrap: number of resamples for the intervals, see `intervals`; 0 gives none.
        seed: seed of the resamples.
        confidence: how often an interval shall hold the value of the population.
        resample: what is a sample of a population: "items", "raters" (the humans), "both", or "categories" (how the
            mean would vary over other categories: a percentile interval of the mean only, far wider than the others).
        clusters: items that belong together (of one performer, of one prompt), as {item: cluster} or in the order of
            the items; they are resampled together.
        common_items: whether human values and baselines are restricted to the items that the model has ratings of.

    Returns:
        Plain numbers: `rating_correlation` (mean over categories, a constant model counting 0), `interval`, counts,
        `mean_defined` (without constant ones), `per_category` with ρ, number of items and status, and `coverage` with
        number and share of the items of the model and of each rater.

    Raises:
        RatingsError: options or ratings that cannot be used.
    """
    boot = Bootstrap(bootstrap, seed, confidence, resample, RESAMPLE)
    table = _humans(references)
    means, n_elsewhere = read_model(predictions, table)
    table, coverage = compared_items(table, (~np.isnan(means)).sum(axis=1) > 0, common_items=common_items)
    human = medians(table)
    status = _status(means, human)
    rho = _correlations(means, human, None)[:, 0]
    undefined = sum(one in (CONSTANT_HUMANS, TOO_FEW) for one in status)
    constant = status.count(CONSTANT_MODEL)
    warn_undefined(undefined + constant, f"ρ is undefined for {undefined + constant} categories, see their status")
    boot = boot.within(clusters, table.items)
    mean = float(_mean(rho[:, None], status)[0])
    of_mean, *of_categories = _entries(means, human, table, np.array([mean, *rho]), status, boot)
    both = ~np.isnan(means) & ~np.isnan(human)
    return {
        "rating_correlation": mean,
        **of_mean,
        "mean_defined": float(mean_defined(rho)),
        "n_categories": len(rho),
        "n_constant": constant,
        "n_undefined": undefined,
        "n_items": int(both.any(axis=1).sum()),
        "n_raters": len(np.unique(table.rater)),
        "n_missing_predictions": int((np.isnan(means) & ~np.isnan(human)).sum()),
        "n_unused_predictions": n_elsewhere,
        **boot.population,
        **coverage,
        "per_category": {
            name: {
                "rho": float(rho[number]),
                **of_categories[number],
                "n_items": int(both[:, number].sum()),
                "status": status[number],
            }
            for number, name in enumerate(table.categories)
        },
    }


def _mean(rho: Floats, status: list[str]) -> Floats:
    """Mean over categories [resamples]; where the model is constant ρ counts as 0, other undefined ones not at all."""
    constant = np.array([one == CONSTANT_MODEL for one in status])[:, None]
    return mean_defined(np.where(constant, 0.0, rho), axis=0)


def _entries(
    means: Floats, human: Floats, table: Table, values: Floats, status: list[str], boot: Bootstrap
) -> list[dict[str, Any]]:
    """The intervals of the mean over categories and of every category."""
    if not boot:
        return [{} for _ in values]
    if boot.resample == "categories":
        return [_over_categories(values[1:], status, boot), *({} for _ in status)]
    constant = np.array([one == CONSTANT_MODEL for one in status])

    def draw(of_items: Any, of_raters: Any) -> Floats:
        if of_raters is None:
            rho = _correlations(means, human, of_items)
        else:
            again = (medians(table, row[table.rater].astype(np.int64)) for row in of_raters)
            rho = np.stack([_correlations(means, one, None)[:, 0] for one in again], axis=1)
        return np.vstack([_mean(rho, status), rho])

    positives = np.array([_positives(*pair) for pair in zip(means.T, human.T, strict=True)])
    tested = positives[~np.isnan(values[1:]) & ~constant]
    return intervals(
        boot,
        values,
        draw,
        n_items=len(means),
        raters=np.bincount(table.rater, minlength=len(table.raters)),
        scale="tanh",
        positives=np.array([np.median(tested) if len(tested) else 0.0, *positives]),
        width=2 * len(means),
    )


def _positives(model: Floats, human: Floats) -> float:
    """Number of items that are not at the most frequent value, on the side that has fewer of them."""
    both = ~np.isnan(model) & ~np.isnan(human)
    return float(min(off_mode(side[both]).sum() for side in (model, human)))


def _over_categories(rho: Floats, status: list[str], boot: Bootstrap) -> dict[str, Any]:
    usable = np.where(np.array(status) == CONSTANT_MODEL, 0.0, rho)
    usable = usable[~np.isnan(usable)]
    if not len(usable):
        return percentile_interval(np.full(boot.n, np.nan), boot.confidence)
    drawn = [counts @ usable / counts.sum(1) for counts in resamples(len(usable), boot.n, boot.seed)]
    return percentile_interval(np.concatenate(drawn), boot.confidence)


def _humans(references: Any) -> Table:
    """Human ratings; [items] is one rating of each, as from add_batch."""
    references = listed(references)
    one = not isinstance(references, Table) and frame_of(references, "references") is None
    one = one and np.ndim(references) == 1
    return read_ratings([references] if one else references, what="references")


class RatingCorrelation(TakesTables, evaluate.Metric):
    """Spearman's ρ with the human median as an `evaluate` metric."""

    _compute = staticmethod(analyse)

    def _info(self) -> evaluate.MetricInfo:
        return metric_info(analyse, CITATION, "https://doi.org/10.2307/1412159", **FEATURES)
