"""The formula of ρ: items that are alike as one, ranked once for all resamples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .resampling import divide
from .table import Floats, Ints


@dataclass(frozen=True, slots=True)
class Ranking:
    """Values that are ranked however often each one counts.

    Attributes:
        code: [n] which distinct value, ascending.
        order: [n] positions by value, ascending.
        last: [distinct] place in `order` of the last one of each value.
    """

    code: Ints
    order: Ints
    last: Ints

    @classmethod
    def of(cls, values: Floats) -> "Ranking":
        """The ranking of values [n]."""
        _, code, n = np.unique(values, return_inverse=True, return_counts=True)
        return cls(code, np.argsort(code, kind="stable"), np.cumsum(n) - 1)

    def mid_ranks(self, counts: Floats) -> Floats:
        """Mid-ranks in resamples, less their mean.

        Args:
            counts: [n, resamples] how often each one counts.

        Returns:
            [n, resamples] rank of each value among all, tied ones sharing theirs, minus the mean rank; exactly 0 where
            all are tied.
        """
        below_or_tied = np.cumsum(counts[self.order], axis=0)[self.last]  # [distinct, resamples]
        tied = np.diff(below_or_tied, axis=0, prepend=0.0)
        return (below_or_tied - tied / 2 - below_or_tied[-1:] / 2)[self.code]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The distinct pairs of values of two sides: many items are alike where most ratings are 0.

    Attributes:
        having: [pairs, items] sparse, 1 where an item has the pair.
        first: ranking of the pairs by their first value.
        second: ranking of the pairs by their second value.
    """

    having: Any
    first: Ranking
    second: Ranking

    @classmethod
    def of(cls, first: Floats, second: Floats) -> "Pairs":
        """The pairs of both sides, [items] each; an item with a gap, nan, on either side has none."""
        items = np.flatnonzero(~np.isnan(first) & ~np.isnan(second))
        (x, of_x), (y, of_y) = (np.unique(side[items], return_inverse=True) for side in (first, second))
        pair, code = np.unique(of_x * len(y) + of_y, return_inverse=True)
        having = sparse.csr_array((np.ones(len(items)), (code, items)), shape=(len(pair), len(first)))
        return cls(having, *(Ranking.of(side) for side in (x[pair // max(1, len(y))], y[pair % max(1, len(y))])))

    def spearman(self, counts: Floats) -> Floats:
        """ρ in resamples of the items.

        Args:
            counts: [items, resamples] how often an item was drawn.

        Returns:
            [resamples]; nan where either side is constant.
        """
        weight = self.having @ counts
        x, y = self.first.mid_ranks(weight), self.second.mid_ranks(weight)
        return divide((weight * x * y).sum(0), np.sqrt((weight * x**2).sum(0)) * np.sqrt((weight * y**2).sum(0)))


def spearman(first: Floats, second: Floats, counts: Floats | None = None) -> Floats:
    """Spearman's ρ, plain or in resamples of the items.

    Args:
        first: [items] finite numbers, nan for gaps.
        second: [items] finite numbers, nan for gaps.
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
    return Pairs.of(first, second).spearman(np.ones((len(first), 1)) if counts is None else counts.T)
