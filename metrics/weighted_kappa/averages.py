"""Averages of κ_w over pairs, partners and categories, plain and in resamples, and their intervals."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .intervals import Bootstrap, intervals, off_mode, positives_of
from .kappa import pairwise_kappa, resampled_kappa
from .resampling import divide, mean_defined
from .table import Floats, Ints, Table


@dataclass(frozen=True, slots=True)
class Category:
    """One category: the ratings of the items that have any, and the pairs of raters that share some of them."""

    ratings: Floats  # [raters, items with ratings]
    items: Ints  # [items with ratings] their numbers
    shared: Ints  # numbers of the pairs
    kappa: Floats  # [pairs]
    n: Ints  # [pairs] common items


@dataclass(frozen=True, slots=True)
class Averages:
    """Averages of κ_w, one per resample."""

    per_category: Floats  # [categories, resamples], over pairs
    per_rater: Floats  # [resamples, raters], over each one's partners, then over categories
    per_pair: Floats  # [resamples, pairs], over categories

    @property
    def stacked(self) -> Floats:
        """[1 + categories + raters + pairs, resamples]: the mean over categories first."""
        overall = mean_defined(self.per_category, axis=0)
        return np.vstack([overall, self.per_category, self.per_rater.T, self.per_pair.T])


def category_of(cells: Floats, pairs: Ints, weights: str, min_common: int) -> Category:
    """κ_w of the pairs that share at least `min_common` items, of the ratings [raters, items] of one category."""
    items = np.flatnonzero(~np.isnan(cells).all(0))
    ratings = cells[:, items] if len(items) < cells.shape[1] else cells
    kappa, n = pairwise_kappa(ratings, weights=weights)
    of_pairs = n[pairs[:, 0], pairs[:, 1]]
    shared = np.flatnonzero(of_pairs >= min_common)
    return Category(ratings, items, shared, kappa[pairs[shared, 0], pairs[shared, 1]], of_pairs[shared])


def averages_of(categories: list[Category], kappas: Iterable[Floats], weight: Floats, counts_for: Floats) -> Averages:
    """Averages over pairs, partners and categories.

    Args:
        categories: the categories.
        kappas: for each of them κ_w [resamples, its shared pairs].
        weight: [resamples, pairs] how often a pair counts.
        counts_for: [pairs, raters].
    """
    per_category = []
    raters, of_pairs = np.zeros((2, len(weight), counts_for.shape[1])), np.zeros((2, *weight.shape))
    for category, kappa in zip(categories, kappas, strict=True):
        given = ~np.isnan(kappa)
        values = np.where(given, kappa, 0.0)
        weighed, share = values * weight[:, category.shared], given * weight[:, category.shared]
        per_category.append(divide(weighed.sum(1), share.sum(1)))
        over_partners = divide(weighed @ counts_for[category.shared], share @ counts_for[category.shared])
        raters += np.stack([np.nan_to_num(over_partners), ~np.isnan(over_partners)])
        of_pairs[0][:, category.shared] += values
        of_pairs[1][:, category.shared] += given
    return Averages(np.stack(per_category), divide(*raters), divide(*of_pairs))


def intervals_of(
    table: Table,
    categories: list[Category],
    pairs: Ints,
    counts_for: Floats,
    point: Averages,
    weights: str,
    boot: Bootstrap,
) -> list[dict[str, Any]]:
    """The intervals of all averages, in the order of `Averages.stacked`."""

    def draw(of_items: Any, of_raters: Any) -> Floats:
        n = len(of_raters if of_items is None else of_items)
        weight = (
            np.ones((n, len(pairs))) if of_raters is None else of_raters[:, pairs[:, 0]] * of_raters[:, pairs[:, 1]]
        )
        kappas = (
            np.broadcast_to(one.kappa, (n, len(one.kappa)))
            if of_items is None
            else resampled_kappa(one.ratings, of_items[:, one.items], pairs[one.shared], weights=weights)
            for one in categories
        )
        drawn = averages_of(categories, kappas, weight, counts_for)
        if of_raters is not None:  # who is left out keeps the own value: only the partners vary
            drawn = replace(drawn, per_rater=np.where(of_raters == 0, point.per_rater, drawn.per_rater))
        return drawn.stacked

    found = intervals(
        boot,
        point.stacked[:, 0],
        draw,
        n_items=len(table.items),
        raters=np.bincount(table.rater, minlength=len(table.raters)),
        scale="tanh",
        positives=_positives(table, pairs, counts_for),
        width=len(pairs),
    )
    if boot.resample == "items":
        return found
    two = {"interval": None, "no_interval": "two raters are no sample of raters; see resample='items'"}
    return [*found[: len(found) - len(pairs)], *(two | {"n_undefined_resamples": 0} for _ in pairs)]


def _positives(table: Table, pairs: Ints, counts_for: Floats) -> Floats:
    """On how many items each average rests; of a pair or a rater: the fewer of one's own and the partners' positives.

    Of averages over categories it is the median category.
    """
    halves = [pairs[counts_for[:, rater] > 0] for rater in range(len(table.raters))]
    partners = [np.setdiff1d(both, [rater]) for rater, both in enumerate(halves)]
    of_raters, of_pairs = [], []
    for cells in table.matrices():
        given, other = ~np.isnan(cells), off_mode(cells)
        shares = [divide(other[whom].sum(0) * 1.0, given[whom].sum(0) * 1.0) for whom in partners]
        of_raters.append(
            [
                min(np.count_nonzero(other[rater] & ~np.isnan(share)), np.nansum(share[given[rater]]))
                for rater, share in enumerate(shares)
            ]
        )
        crossed = other.astype(np.float64) @ given.T  # [raters, raters] the row's positives among the column's items
        of_pairs.append(np.minimum(crossed[pairs[:, 0], pairs[:, 1]], crossed[pairs[:, 1], pairs[:, 0]]))
    per_category = positives_of(table)
    return np.concatenate(
        [[np.median(per_category)], per_category, np.median(of_raters, axis=0), np.median(of_pairs, axis=0)]
    )
