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

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from .checks import RatingsError, choice, warn_undefined, whole
from .frames import name_of
from .models import compared_items, read_model
from .rating_metric import TakesTables, collected_by_item, metric_info
from .ratings import cell_means, read_ratings
from .resampling import Bootstrap, divide, mean_defined, merge_ties
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
        bootstrap: number of resamples for the intervals; 0 gives none.
        seed: seed of the resamples.
        confidence: share of the resamples within an interval.
        resample: "items", "raters" (the humans') or "both".
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
    group = _groups(groups, table.items)
    means, n_elsewhere = read_model(predictions, table)
    table, coverage = compared_items(table, (~np.isnan(means)).sum(axis=1) > 0, common_items=common_items)
    options = {"k": k, "ndcg_k": ndcg_k, "discount": discount}
    gains = _gains(table, np.ones(len(table)), candidates)
    answered: Bools = np.any(~np.isnan(means) & ~np.isnan(gains), axis=1)
    point = _scores(means, gains, group, answered, options)
    result = _report(point, k)
    if boot:
        draws = _draws(means, table, group, answered, candidates, options, point, boot)
        for name, entry in result.items():
            values = draws[f"{name}/value"] if name != "skill" else _skill(draws["ndcg/value"], draws["ndcg/random"])
            entry |= boot.interval(values)
    primary = result["top1_split"]
    some = dominant(gains).any(axis=1)
    scored = some & answered
    warn_undefined(int(not scored.any()), "No item has a dominant category and a prediction: undefined")
    return {
        "dominant_expression": primary["value"],
        **{name: primary[name] for name in ("interval", "n_undefined_resamples") if name in primary},
        "scores": result,
        "candidates": candidates,
        "discount": discount,
        "k": k,
        "ndcg_k": ndcg_k,
        "n_items": int(scored.sum()),
        "n_raters": len(np.unique(table.rater)),
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


def _groups(groups: Any, items: Sequence[str]) -> Ints:
    if groups is None:
        return np.zeros(len(items), dtype=np.int64)
    pairs = groups.items() if isinstance(groups, Mapping) else zip(items, groups, strict=False)
    named = {name_of(item): name_of(group) for item, group in pairs}
    missing = [item for item in items if item not in named]
    if missing or (not isinstance(groups, Mapping) and len(groups) != len(items)):
        raise RatingsError(
            f"groups name {len(groups)} groups for {len(items)} items"
            + (f"; {missing[:3]} have none" if missing else "")
            + ". Give one for every item, as {item: group} or in the order of the items."
        )
    return np.unique([named[item] for item in items], return_inverse=True)[1]


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


def _draws(
    means: Floats,
    table: Table,
    group: Ints,
    answered: Bools,
    candidates: str,
    options: dict[str, Any],
    point: dict[str, Floats],
    boot: Bootstrap,
) -> dict[str, Floats]:
    """Mean over items of every measure in every resample, name → [bootstrap]."""
    drawn = []
    for of_items, of_raters in boot.rows(len(means), len(table.raters)):
        scores = point
        if of_raters is not None:
            again = _gains(table, of_raters[table.rater], candidates)
            scores = _scores(means, again, group, answered, options)
        drawn.append(_means(scores, np.ones(len(means)) if of_items is None else of_items))
    return {name: np.array([one[name] for one in drawn]) for name in point}


def _means(scores: dict[str, Floats], counts: Floats) -> dict[str, float]:
    return {name: float(mean_defined(score, weights=counts)) for name, score in scores.items()}


class DominantExpression(TakesTables, evaluate.Metric):
    """Dominant expression as an `evaluate` metric."""

    _by_item = ("references",)
    _compute = staticmethod(collected_by_item(analyse, *_by_item))

    def _info(self) -> evaluate.MetricInfo:
        return metric_info(analyse, CITATION, "https://doi.org/10.1145/582415.582418", **FEATURES)
