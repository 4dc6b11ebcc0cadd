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
from .ranks import Pairs, spearman
from .rating_metric import TakesTables, metric_info
from .ratings import read_ratings
from .resampling import distinct, mean_defined, resamples
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
    return _rho(means, medians(table)).tolist()


def _rho(means: Floats, human: Floats) -> Floats:
    """[categories] ρ over the items that both sides rated."""
    return np.concatenate([spearman(*sides) for sides in zip(means.T, human.T, strict=True)])


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
    rho = _rho(means, human)
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
        "n_raters": distinct(table.rater),
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

    pairs = [Pairs.of(*sides) for sides in zip(means.T, human.T, strict=True)]

    def draw(of_items: Any, of_raters: Any) -> Floats:
        if of_raters is None:
            by_item = np.ascontiguousarray(of_items.T)
            rho = np.stack([one.spearman(by_item) for one in pairs])
        else:
            again = (medians(table, row[table.rater].astype(np.int64)) for row in of_raters)
            rho = np.stack([_rho(means, one) for one in again], axis=1)
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
