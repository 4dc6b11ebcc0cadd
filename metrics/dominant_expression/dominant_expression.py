"""Dominant expression: does a model name the category that humans see most, and does it rank the rest as they do?

G_v are the categories of item v with the highest mean human rating, p the model's highest.

    top-1 split   mean over the tied predictions p of 1[p ∈ G_v] / |G_v|    (the primary rule)
    top-1 any     1 if a tied prediction is in G_v
    top-1 unique  mean over p of 1[p ∈ G_v], only on items with one dominant category
    top-k         chance that a category of G_v is among the k predictions rated highest, ties broken at random
    nDCG@k        Σ_i gain(i)·d(i) / the same in the best order; gain is the mean human rating, d(i) = 1/log2(i + 1)
    skill         (nDCG − random) / (1 − random)

All lie in 0…1 (skill: up to 1, 0 is a random order). Items without a dominant category (no rating, or none above 0)
are left out and counted. The values say nothing without the candidate set and the baselines beside them: with three to
six candidates a random order already scores high, and so does the prior (what other items of the same group, say the
same emoji, show on average).
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import datasets
import evaluate
import numpy as np

from .ratings import (
    Bools,
    Floats,
    Ints,
    RatingsError,
    Table,
    TakesTables,
    cell_means,
    check_bootstrap,
    choice,
    divide,
    mean_defined,
    percentiles,
    read_model,
    read_ratings,
    resamples,
    tell_undefined,
)

CANDIDATES = ("rated", "all")
DISCOUNTS = ("log2", "2002")
RESAMPLE = ("items", "raters", "both")
LAST = np.finfo(np.float64).min  # a candidate without a prediction ranks below every prediction

CITATION = """\
@article{jarvelin2002cumulated,
  title = {Cumulated gain-based evaluation of {IR} techniques},
  author = {J{\\"a}rvelin, Kalervo and Kek{\\"a}l{\\"a}inen, Jaana},
  journal = {ACM Transactions on Information Systems},
  volume = {20}, number = {4}, pages = {422--446}, year = {2002}, doi = {10.1145/582415.582418}
}
"""


def dominant(gains: Floats) -> Bools:
    """The categories with the highest mean human rating, if that is above 0.

    Args:
        gains: [items, categories] mean human ratings, nan for what is no candidate.

    Example:
        >>> dominant(np.array([[2.0, 2.0, 1.0], [0.0, np.nan, 0.0]])).tolist()
        [[True, True, False], [False, False, False]]
    """
    best = np.max(gains, axis=1, initial=0.0, where=~np.isnan(gains), keepdims=True)
    return (gains == best) & (best > 0)


def top_1(scores: Floats, goal: Bools) -> dict[str, Floats]:
    """The three rules for ties.

    Args:
        scores: [items, categories] predictions, −inf for what is no candidate.
        goal: [items, categories] the dominant categories.

    Returns:
        Rule → [items]; nan where there is no dominant category (unique: not exactly one).

    Example:
        >>> rules = top_1(np.array([[3.0, 3.0, 1.0]]), np.array([[True, False, True]]))
        >>> {rule: float(score[0]) for rule, score in rules.items()}
        {'split': 0.25, 'any': 1.0, 'unique': nan}
    """
    top = scores == scores.max(axis=1, keepdims=True)
    n_goal = goal.sum(axis=1) * 1.0
    share = (top & goal).sum(axis=1) / top.sum(axis=1)
    return {
        "split": divide(share, n_goal),
        "any": np.where(n_goal > 0, share > 0, np.nan),
        "unique": np.where(n_goal == 1, share, np.nan),
    }


def top_k(scores: Floats, goal: Bools, k: int) -> Floats:
    """Chance that a dominant category is among the k highest predictions, ties at the border broken at random.

    Args:
        scores: [items, categories] predictions, −inf for what is no candidate.
        goal: [items, categories] the dominant categories.
        k: how many predictions count.

    Returns:
        [items]; nan where there is no dominant category.
    """
    kth = -np.sort(-scores, axis=1)[:, [min(k, scores.shape[1]) - 1]]
    above, border = scores > kth, (scores == kth) & np.isfinite(scores)
    tied, tied_goal, places = border.sum(1), (border & goal).sum(1), k - above.sum(1)
    missed = missed_all(tied, tied_goal, places)
    found = np.where((above & goal).any(axis=1), 1.0, 1.0 - missed)
    return np.where(goal.any(axis=1), found, np.nan)


def missed_all(n: Ints, goal: Ints, places: Ints) -> Floats:
    """Chance that `places` draws without replacement out of n contain none of the `goal` ones: C(n−g, r) / C(n, r)."""
    chance = np.ones(len(n))
    for draw in range(int(max(0, places.max(initial=0)))):
        left = np.maximum(n - draw, 1)
        chance *= np.where((draw < places) & (draw < n), np.maximum(n - goal - draw, 0) / left, 1.0)
    return chance


def discounts(n: int, k: int | None, discount: str) -> Floats:
    """[n] weight of rank i = 1…n: 1/log2(i + 1), or of 2002: 1 for i = 1 and 1/log2(i) from 2 on; 0 beyond k."""
    rank = np.arange(1, n + 1)
    weight = 1 / (np.log2(rank + 1) if discount == "log2" else np.maximum(1.0, np.log2(rank)))
    return np.where(rank <= (k or n), weight, 0.0)


def ndcg(scores: Floats, gains: Floats, *, k: int | None = None, discount: str = "log2") -> Floats:
    """nDCG@k of each item; tied predictions share the places that they take.

    Args:
        scores: [items, categories] predictions, −inf for what is no candidate.
        gains: [items, categories] at least 0; those of non-candidates do not count.
        k: how many places count; None: all.
        discount: "log2" or "2002".

    Returns:
        [items]; nan where there is no gain.

    Example:
        >>> ndcg(np.array([[0.1, 0.2, 0.3]]), np.array([[3.0, 1.0, 0.0]])).round(4).tolist()
        [0.5869]
    """
    gained = np.where(np.isfinite(scores), gains, 0.0)
    weight = discounts(scores.shape[1], k, discount)
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked, gain = np.take_along_axis(scores, order, 1), np.take_along_axis(gained, order, 1)
    new = np.concatenate([np.ones((len(scores), 1), dtype=bool), ranked[:, 1:] != ranked[:, :-1]], axis=1)
    tie = np.cumsum(new.ravel()) - 1
    shared = np.bincount(tie, weights=gain.ravel()) / np.bincount(tie)
    best = -np.sort(-gained, axis=1) @ weight
    return divide(shared[tie].reshape(scores.shape) @ weight, best)


def random_ndcg(scores: Floats, gains: Floats, *, k: int | None = None, discount: str = "log2") -> Floats:
    """[items] expected nDCG@k of a random order of the candidates: that of a model for which all are tied."""
    return ndcg(np.where(np.isfinite(scores), 0.0, -np.inf), gains, k=k, discount=discount)


def prior(gains: Floats, group: Ints) -> Floats:
    """Mean human rating of each category over the other items of the same group, [items, categories].

    nan where no other item of the group has the category.
    """
    rated = ~np.isnan(gains)
    total, n = np.zeros((2, int(group.max(initial=0)) + 1, gains.shape[1]))
    np.add.at(total, group, np.where(rated, gains, 0.0))
    np.add.at(n, group, rated)
    return divide(total[group] - np.where(rated, gains, 0.0), n[group] - rated)


def all_scores(
    predictions: Floats, gains: Floats, *, k: int = 3, ndcg_k: int | None = None, discount: str = "log2"
) -> dict[str, Floats]:
    """Every measure of each item.

    Args:
        predictions: [items, categories], nan where there is none; such a candidate ranks last.
        gains: [items, categories] mean human ratings; nan for what is no candidate.
        k: of top-k.
        ndcg_k: of nDCG; None: all places.
        discount: "log2" or "2002".

    Returns:
        Name → [items], nan where an item is left out.
    """
    scores = np.where(np.isnan(gains), -np.inf, np.where(np.isnan(predictions), LAST, predictions))
    goal = dominant(gains)
    gained = np.nan_to_num(gains)
    return {
        **{f"top1_{rule}": score for rule, score in top_1(scores, goal).items()},
        f"top{k}": top_k(scores, goal, k),
        "ndcg": ndcg(scores, gained, k=ndcg_k, discount=discount),
    }


def random_scores(
    gains: Floats, *, k: int = 3, ndcg_k: int | None = None, discount: str = "log2"
) -> dict[str, Floats]:
    """What a random order of the candidates scores on each item in expectation."""
    goal, candidates = dominant(gains), ~np.isnan(gains)
    n, n_goal = candidates.sum(1), goal.sum(1)
    some = n_goal > 0
    hit = divide(n_goal * 1.0, n * 1.0)
    places = np.where(candidates, 0.0, -np.inf)
    return {
        "top1_split": np.where(some, divide(np.ones(len(n)), n * 1.0), np.nan),
        "top1_any": np.where(some, hit, np.nan),
        "top1_unique": np.where(n_goal == 1, hit, np.nan),
        f"top{k}": np.where(some, 1 - missed_all(n, n_goal, np.full(len(n), k)), np.nan),
        "ndcg": random_ndcg(places, np.nan_to_num(gains), k=ndcg_k, discount=discount),
    }


def analyse(
    predictions: Any,
    references: Table,
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
) -> dict[str, Any]:
    """Every measure with its baselines, averaged over items.

    Args:
        predictions: the model's ratings, [items, categories] or as `read_model` takes them; samples are averaged.
        references: the humans' ratings, at least 0.
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

    Returns:
        Plain numbers: `dominant_expression` (top-1 split), `interval`, counts, and under `scores` for every measure
        `value`, `interval`, `random`, `prior`, `n_items`; `skill` stands there too.

    Raises:
        RatingsError: options or ratings that cannot be used.
    """
    check_bootstrap(bootstrap, seed, confidence)
    choice("candidates", candidates, CANDIDATES)
    choice("discount", discount, DISCOUNTS)
    choice("resample", resample, RESAMPLE)
    _check_places(k, ndcg_k)
    if len(references.categories) < 2:
        raise RatingsError("A dominant expression needs at least two categories; the references have one.")
    if (references.rating < 0).any():
        raise RatingsError(f"Human ratings are gains and must be ≥ 0; the lowest is {references.rating.min():g}.")
    group = _groups(groups, references.items)
    means, n_elsewhere = read_model(predictions, references)
    options = {"k": k, "ndcg_k": ndcg_k, "discount": discount}
    gains = _gains(references, np.ones(len(references)), candidates)
    answered: Bools = np.any(~np.isnan(means) & ~np.isnan(gains), axis=1)
    point = _scores(means, gains, group, answered, options)
    result = _report(point, k)
    if bootstrap:
        draws = _draws(means, references, group, answered, candidates, options, point, bootstrap, seed, resample)
        for name, entry in result.items():
            values = draws[f"{name}/value"] if name != "skill" else _skill(draws["ndcg/value"], draws["ndcg/random"])
            entry["interval"] = percentiles(values, confidence)
    primary = result["top1_split"]
    some = dominant(gains).any(axis=1)
    tell_undefined(int(not (some & answered).any()), "No item has a dominant category and a prediction: undefined")
    return {
        "dominant_expression": primary["value"],
        **({"interval": primary["interval"]} if bootstrap else {}),
        "scores": result,
        "candidates": candidates,
        "discount": discount,
        "k": k,
        "ndcg_k": ndcg_k,
        "n_items": int((some & answered).sum()),
        "n_raters": len(np.unique(references.rater)),
        "n_without_dominant": int((~some & ~np.isnan(gains).all(axis=1)).sum()),
        "n_without_prediction": int((some & ~answered).sum()),
        "n_missing_predictions": int((np.isnan(means) & ~np.isnan(gains))[answered].sum()),
        "n_unused_predictions": n_elsewhere,
        "n_tied_humans": int((dominant(gains).sum(axis=1) > 1).sum()),
        "n_undefined": int(not (some & answered).any()),
        "mean_candidates": float((~np.isnan(gains))[some & answered].sum(1).mean())
        if (some & answered).any()
        else 0.0,
    }


def _check_places(k: Any, ndcg_k: Any) -> None:
    for name, value in (("k", k), ("ndcg_k", 1 if ndcg_k is None else ndcg_k)):
        if not isinstance(value, int) or value < 1:
            raise RatingsError(f"{name}={value!r} is not valid; give a whole number ≥ 1.")


def _groups(groups: Any, items: Sequence[str]) -> Ints:
    if groups is None:
        return np.zeros(len(items), dtype=np.int64)
    named = groups if isinstance(groups, Mapping) else dict(zip(items, groups, strict=False))
    missing = [item for item in items if item not in named]
    if missing or (not isinstance(groups, Mapping) and len(groups) != len(items)):
        raise RatingsError(
            f"groups name {len(groups)} groups for {len(items)} items"
            + (f"; {missing[:3]} have none" if missing else "")
            + ". Give one for every item, as {item: group} or in the order of the items."
        )
    return np.unique([str(named[item]) for item in items], return_inverse=True)[1]


def _gains(references: Table, weight: Floats, candidates: str) -> Floats:
    """Mean human ratings; with all candidates, 0 for what nobody was asked on a rated item."""
    gains = cell_means(references, weight)
    if candidates == "rated":
        return gains
    rated = ~np.isnan(gains).all(axis=1, keepdims=True)
    return np.where(rated & np.isnan(gains), 0.0, gains)


def _scores(means: Floats, gains: Floats, group: Ints, answered: Bools, options: dict[str, Any]) -> dict[str, Floats]:
    """Measures of the model, a random order and the prior, "name/source" → [items]; unanswered items are left out."""
    sources = {
        "value": all_scores(means, gains, **options),
        "random": random_scores(gains, **options),
        "prior": all_scores(prior(gains, group), gains, **options),
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
    references: Table,
    group: Ints,
    answered: Bools,
    candidates: str,
    options: dict[str, Any],
    point: dict[str, Floats],
    bootstrap: int,
    seed: int,
    resample: str,
) -> dict[str, Floats]:
    """Mean over items of every measure in every resample, name → [bootstrap]."""
    items = (row for chunk in resamples(len(means), bootstrap, seed) for row in chunk)
    if resample == "items":
        drawn = [_means(point, counts) for counts in items]
    else:
        raters = (row for chunk in resamples(len(references.raters), bootstrap, seed + 1) for row in chunk)
        drawn = []
        for of_raters, counts in zip(raters, items, strict=True):
            gains = _gains(references, of_raters[references.rater], candidates)
            scores = _scores(means, gains, group, answered, options)
            drawn.append(_means(scores, counts if resample == "both" else np.ones(len(means))))
    return {name: np.array([one[name] for one in drawn]) for name in point}


def _means(scores: dict[str, Floats], counts: Floats) -> dict[str, float]:
    return {name: float(mean_defined(score, weights=counts)) for name, score in scores.items()}


class DominantExpression(TakesTables, evaluate.Metric):
    """Dominant expression as an `evaluate` metric."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=str(__doc__),
            citation=CITATION,
            inputs_description=str(analyse.__doc__),
            features=datasets.Features(
                {
                    "predictions": datasets.Sequence(datasets.Value("float64")),
                    "references": datasets.Sequence(datasets.Sequence(datasets.Value("float64"))),
                }
            ),
            reference_urls=["https://doi.org/10.1145/582415.582418"],
        )

    def _arrange(self, **collected: Any) -> dict[str, Any]:
        """Human ratings [items][raters][categories], raters of any number, to [raters, items, categories]."""
        none = [None] * max((len(row) for item in collected["references"] for row in item), default=0)
        return collected | {"references": list(zip_longest(*collected["references"], fillvalue=none))}

    def _result(self, *, predictions: Any, references: Any, **options: Any) -> dict[str, Any]:
        return analyse(predictions, read_ratings(references, what="references"), **options)
