"""Dominant expression: does a model name the category that humans see most, and does it rank the rest as they do?

G_v are the categories of item v with the highest mean human rating, p the model's highest.

    top-1 split   mean over the tied predictions p of 1[p ∈ G_v] / |G_v|    (the primary rule)
    top-1 any     1 if a tied prediction is in G_v
    top-1 unique  mean over p of 1[p ∈ G_v], only on items with one dominant category
    top-k         chance that a category of G_v is among the k predictions rated highest, ties broken at random
    nDCG@k        Σ_i gain(i)·d(i) / the same in the best order; gain is the mean human rating, d(i) = 1/log2(i + 1)
    skill         (nDCG − random) / (1 − random)

All are in 0…1 (skill: up to 1, 0 is a random order). Items without a dominant category (no rating, or none above 0)
are left out and counted. The values say nothing without the candidate set and the baselines beside them: with three to
six candidates a random order already scores high, and so does the prior (what other items of the same group, say the
same emoji, show on average).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from .checks import RatingsError, choice, warn_undefined, whole
from .frames import groups_of
from .intervals import Bootstrap, intervals
from .models import compared_items, read_model
from .rating_metric import TakesTables, collected_by_item, metric_info
from .ratings import cell_means, read_ratings
from .resampling import distinct, divide, mean_defined, merge_ties
from .scores import DISCOUNTS, all_scores, dominant, prior, random_scores
from .table import Bools, Floats, Ints, Table

CANDIDATES = ("rated", "all")

CITATION = """\
@article{jarvelin2002cumulated,
  title = {Cumulated gain-based evaluation of {IR} techniques},
  author = {J{\\"a}rvelin, Kalervo and Kek{\\"a}l{\\"a}inen, Jaana},
  journal = {ACM Transactions on Information Systems},
  volume = {20}, number = {4}, pages = {422--446}, year = {2002}, doi = {10.1145/582415.582418}
}
"""
FEATURES = {
    "predictions": datasets.Sequence(datasets.Value("float64")),
    "references": datasets.Sequence(datasets.Sequence(datasets.Value("float64"))),
}


def analyse(
    predictions: Any,
    references: Any,
    *,
    candidates: str = "rated",
    groups: Mapping[str, str] | Sequence[str] | None = None,
    k: int = 3,
    ndcg_k: int | None = None,
    discount: str = "log2",
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
    resample: str = "items",
    clusters: Any = None,
    common_items: bool = False,
) -> dict[str, Any]:
    """Every measure with its baselines, averaged over items.

    Args:
        predictions: the model's ratings, [items, categories] or as `read_model` takes them; samples are averaged.
        references: the humans' ratings, at least 0, as `read_ratings` takes them.
        candidates: "rated" (categories that a human rated on the item: the emoji's labels) or "all".
        groups: the group of each item, by name or in the order of the items, for the prior (Chehre: the emoji); None:
            all items are one group.
        k: of top-k.
        ndcg_k: of nDCG; None: all places.
        discount: of nDCG, "log2" or "2002" (Järvelin and Kekäläinen: none for the first two places).
        bootstrap: number of resamples for the intervals, see `intervals`; 0 gives none.
        seed: seed of the resamples.
        confidence: how often an interval shall hold the value of the population.
        resample: what is a sample of a population: "items", "raters" (the humans) or "both".
        clusters: items that belong together (of one performer, of one prompt), as {item: cluster} or in the order of
            the items; they are resampled together.
        common_items: whether human values and baselines are restricted to the items that the model has ratings of.

    Returns:
        Plain numbers: `dominant_expression` (top-1 split), `interval`, counts, and under `scores` for every measure
        `value`, `interval`, `random`, `prior`, `n_items`; `skill` is there too. `coverage` has number and share of
        the items of the model and of each rater.

    Raises:
        RatingsError: options or ratings that cannot be used.

    Example:
        One item, two raters, three categories: the first is dominant, the model ties it with the second.

        >>> result = analyse([[2.0, 2.0, 1.0]], [[[3, 1, 0]], [[3, 2, 1]]])
        >>> result["dominant_expression"], result["scores"]["top1_any"]["value"]
        (0.5, 1.0)
    """
    boot = Bootstrap(bootstrap, seed, confidence, resample)
    choice("candidates", candidates, CANDIDATES)
    choice("discount", discount, DISCOUNTS)
    k = whole("k", k, 1)
    ndcg_k = None if ndcg_k is None else whole("ndcg_k", ndcg_k, 1)
    table = _humans(references)
    group = groups_of(groups, table.items, "groups")
    means, n_elsewhere = read_model(predictions, table)
    table, coverage = compared_items(table, (~np.isnan(means)).sum(axis=1) > 0, common_items=common_items)
    options = {"k": k, "ndcg_k": ndcg_k, "discount": discount}
    gains = _gains(table, np.ones(len(table)), candidates)
    answered: Bools = np.any(~np.isnan(means) & ~np.isnan(gains), axis=1)
    point = _scores(means, gains, group, answered, options)
    result = _report(point, k)
    boot = boot.within(clusters, table.items)
    if boot:

        def scores_of(weight: Floats) -> dict[str, Floats]:
            return _scores(means, _gains(table, weight, candidates), group, answered, options)

        _add_intervals(result, point, table, scores_of, boot)
    primary = result["top1_split"]
    some = dominant(gains).any(axis=1)
    scored = some & answered
    warn_undefined(int(not scored.any()), "No item has a dominant category and a prediction: undefined")
    return {
        "dominant_expression": primary["value"],
        **{name: value for name, value in primary.items() if name not in ("value", "random", "prior", "n_items")},
        **boot.population,
        "scores": result,
        "candidates": candidates,
        "discount": discount,
        "k": k,
        "ndcg_k": ndcg_k,
        "n_items": int(scored.sum()),
        "n_raters": distinct(table.rater),
        "n_without_dominant": int((~some & ~np.isnan(gains).all(axis=1)).sum()),
        "n_without_prediction": int((some & ~answered).sum()),
        "n_missing_predictions": int((np.isnan(means) & ~np.isnan(gains))[answered].sum()),
        "n_unused_predictions": n_elsewhere,
        "n_tied_humans": int((dominant(gains).sum(axis=1) > 1).sum()),
        "n_undefined": int(not scored.any()),
        "mean_candidates": float((~np.isnan(gains))[scored].sum(1).mean()) if scored.any() else 0.0,
        **coverage,
    }


def _humans(references: Any) -> Table:
    table = read_ratings(references, what="references")
    if len(table.categories) < 2:
        raise RatingsError("A dominant expression needs at least two categories; the references have one.")
    if (table.rating < 0).any():
        raise RatingsError(f"Human ratings are gains and must be ≥ 0; the lowest is {table.rating.min():g}.")
    return table


def _gains(references: Table, weight: Floats, candidates: str) -> Floats:
    """Mean human ratings; with all candidates, 0 for what nobody was asked on a rated item."""
    gains = cell_means(references, weight)
    if candidates == "rated":
        return gains
    rated = ~np.isnan(gains).all(axis=1, keepdims=True)
    return np.where(rated & np.isnan(gains), 0.0, gains)


def _scores(means: Floats, gains: Floats, group: Ints, answered: Bools, options: dict[str, Any]) -> dict[str, Floats]:
    """Measures of the model, a random order and the prior, "name/source" → [items]; unanswered items are left out."""
    means_of_others = prior(gains, group)
    means_of_others = merge_ties(means_of_others, np.abs(means_of_others))
    sources = {
        "value": all_scores(means, gains, **options),
        "random": random_scores(gains, **options),
        "prior": all_scores(means_of_others, gains, **options),
    }
    return {
        f"{name}/{source}": np.where(answered, score, np.nan)
        for source, scores in sources.items()
        for name, score in scores.items()
    }


def _skill(value: Any, random: Any) -> Any:
    return divide(np.asarray(value - random), np.asarray(1 - random))


def _report(point: dict[str, Floats], k: int) -> dict[str, dict[str, Any]]:
    names = ("top1_split", "top1_any", "top1_unique", f"top{k}", "ndcg")
    found: dict[str, dict[str, Any]] = {
        name: {
            **{source: float(mean_defined(point[f"{name}/{source}"])) for source in ("value", "random", "prior")},
            "n_items": int((~np.isnan(point[f"{name}/value"])).sum()),
        }
        for name in names
    }
    of_ndcg = found["ndcg"]
    found["skill"] = {
        "value": float(_skill(of_ndcg["value"], of_ndcg["random"])),
        "random": 0.0,
        "prior": float(_skill(of_ndcg["prior"], of_ndcg["random"])),
        "n_items": of_ndcg["n_items"],
    }
    return found


def _add_intervals(
    result: dict[str, dict[str, Any]],
    point: dict[str, Floats],
    table: Table,
    scores_of: Callable[[Floats], dict[str, Floats]],
    boot: Bootstrap,
) -> None:
    """Add to every measure its interval."""
    *names, _ = result  # skill is the last, and follows from two others
    n_items = len(table.items)

    def means(scores: dict[str, Floats], counts: Floats) -> Floats:
        value, random = (
            np.stack([mean_defined(scores[f"{name}/{source}"], weights=counts) for name in names])
            for source in ("value", "random")
        )
        return np.vstack([value, _skill(value[-1:], random[-1:])])

    def draw(of_items: Any, of_raters: Any) -> Floats:
        if of_raters is None:
            return means(point, of_items)
        once = np.ones((1, n_items))
        return np.hstack([means(scores_of(weight[table.rater]), once) for weight in of_raters])

    found = intervals(
        boot,
        np.array([entry["value"] for entry in result.values()]),
        draw,
        n_items=n_items,
        raters=np.bincount(table.rater, minlength=len(table.raters)),
        scale="logit",
        positives=np.array([_rests_on(name, point[f"{name}/value"]) for name in [*names, "ndcg"]]),
    )
    for entry, one in zip(result.values(), found, strict=True):
        entry |= one


def _rests_on(name: str, scores: Floats) -> float:
    """On how many items a mean of scores rests; of hits and misses: thrice those that are fewer."""
    defined = scores[~np.isnan(scores)]
    if name == "ndcg":
        return float(len(defined))
    return min(3 * float(defined.sum()), 3 * float((1 - defined).sum()), float(len(defined)))


class DominantExpression(TakesTables, evaluate.Metric):
    """Dominant expression as an `evaluate` metric."""

    _by_item = ("references",)
    _compute = staticmethod(collected_by_item(analyse, *_by_item))

    def _info(self) -> evaluate.MetricInfo:
        return metric_info(analyse, CITATION, "https://doi.org/10.1145/582415.582418", **FEATURES)
