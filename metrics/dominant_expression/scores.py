"""The scores of each item: dominant categories, top-1, top-k, nDCG, a random order and the prior."""

import numpy as np

from .resampling import divide
from .table import Bools, Floats, Ints

DISCOUNTS = ("log2", "2002")
LAST = np.finfo(np.float64).min  # a candidate without a prediction ranks below every prediction


def dominant(gains: Floats) -> Bools:
    """The categories with the highest mean human rating, if that is above 0.

    Args:
        gains: [items, categories] mean human ratings, nan for those that are not candidates.

    Example:
        >>> dominant(np.array([[2.0, 2.0, 1.0], [0.0, np.nan, 0.0]])).tolist()
        [[True, True, False], [False, False, False]]
    """
    best = np.max(gains, axis=1, initial=0.0, where=~np.isnan(gains), keepdims=True)
    return (gains == best) & (best > 0)


def top_1(scores: Floats, goal: Bools) -> dict[str, Floats]:
    """The three rules for ties.

    Args:
        scores: [items, categories] predictions, −inf for those that are not candidates.
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
        scores: [items, categories] predictions, −inf for those that are not candidates.
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
        scores: [items, categories] predictions, −inf for those that are not candidates.
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
        gains: [items, categories] mean human ratings; nan for those that are not candidates.
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
