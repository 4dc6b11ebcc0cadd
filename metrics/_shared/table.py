"""Ratings in long form, as every module of this family computes with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .checks import RatingsError

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Numbered(Sequence[str]):
    """The names "0", "1", … of n things, made when asked for: strings would need more memory than their ratings."""

    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, at: Any) -> Any:
        return [str(number) for number in range(self.n)[at]] if isinstance(at, slice) else str(range(self.n)[at])


@dataclass(frozen=True)
class Table:
    """Ratings in long form, names replaced by their numbers: row r is one rating.

    Attributes:
        cell: [n] int64, what was rated by whom: (category · n_raters + rater) · n_items + item.
        rating: [n] finite float64.
        items: names of the items, in order of appearance; likewise `raters` and `categories`.
        raters: names of the raters; with samples, one for every (rater, sample).
        categories: names of what is rated; one empty name where the ratings have no categories.
    """

    cell: Ints
    rating: Floats
    items: Sequence[str]
    raters: tuple[str, ...]
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rating)

    @cached_property
    def item(self) -> Ints:
        """[n] index into `items`."""
        before = self.cell // len(self.items)
        before *= len(self.items)
        return np.subtract(self.cell, before, out=np.empty(len(self), dtype=np.int32), casting="unsafe")

    @cached_property
    def rater(self) -> Ints:
        """[n] index into `raters`."""
        row = self.cell // len(self.items)
        return row - row // len(self.raters) * len(self.raters)

    @cached_property
    def category(self) -> Ints:
        """[n] index into `categories`."""
        return self.cell // (len(self.items) * len(self.raters))

    def units(self) -> Ints:
        """[n] number of each rating's unit, one category of one item: item · n_categories + category."""
        if len(self.categories) == 1:
            return self.item
        return self.item * np.int64(len(self.categories)) + self.category

    @cached_property
    def rated(self) -> Bools | None:
        """[categories, raters, items] which cells have a rating; None where few have: it would be mostly empty."""
        shape = len(self.categories), len(self.raters), len(self.items)
        size = shape[0] * shape[1] * shape[2]
        if size > 8 * len(self):
            return None
        found = np.zeros(size, dtype=bool)
        found[self.cell] = True
        return found.reshape(shape)

    def counts(self) -> dict[str, int]:
        """How many raters rated anything, how many items were rated, and how many ratings there are."""
        return {
            "n_raters": int(np.count_nonzero(self._rated_by_each)),
            "n_items": self._n_items,
            "n_ratings": len(self),
        }

    def coverage(self) -> dict[str, dict[str, float]]:
        """How many items each rater rated, and their share of the items that anybody rated."""
        each, total = self._rated_by_each.tolist(), self._n_items
        return {name: {"n_items": n, "share": n / total} for name, n in zip(self.raters, each, strict=True)}

    @cached_property
    def _n_items(self) -> int:
        """How many items have a rating."""
        if self.rated is not None:
            return int(np.count_nonzero(self.rated.any(axis=(0, 1))))
        return int(np.count_nonzero(np.bincount(self.item)))

    @cached_property
    def _rated_by_each(self) -> Ints:
        """[raters] how many items each one rated."""
        n_items = len(self.items)
        if self.rated is not None:
            return self.rated.any(axis=0).sum(axis=1)
        cell = self.cell if len(self.categories) == 1 else np.unique(self.cell % (n_items * len(self.raters)))
        return np.bincount(cell // n_items, minlength=len(self.raters))

    def common(self, compared: Bools) -> Bools:
        """[n] whether a rating's unit, one category of one item, was rated by each of these raters [raters].

        Raters without any rating do not count.
        """
        compared = compared & (self._rated_by_each > 0)
        if self.rated is not None:
            whole = self.rated[:, compared].all(axis=1, keepdims=True)
            return np.broadcast_to(whole, self.rated.shape).reshape(-1)[self.cell]
        unit = self.units()
        n_raters = np.bincount(unit[compared[self.rater]], minlength=len(self.items) * len(self.categories))
        return (n_raters == compared.sum())[unit]

    def rows(self, mask: Bools) -> "Table":
        """The rows where `mask` [n] is true; all names stay."""
        return replace(self, cell=self.cell[mask], rating=self.rating[mask])

    def parts(self) -> list["Table"]:
        """The rows of each category; all names stay."""
        if len(self.categories) == 1:
            return [self]
        in_order = bool((self.cell[1:] > self.cell[:-1]).all())
        order = slice(None) if in_order else np.argsort(self.category, kind="stable")
        ends = np.cumsum(np.bincount(self.category, minlength=len(self.categories)))[:-1]
        split = np.split(self.cell[order], ends), np.split(self.rating[order], ends)
        return [replace(self, cell=cell, rating=rating) for cell, rating in zip(*split, strict=True)]

    def matrices(self) -> Iterator[Floats]:
        """Ratings of each category, [n_raters, n_items] with nan for gaps; all at once where most cells are full."""
        shape = len(self.raters), len(self.items)
        size = shape[0] * shape[1]
        if size * len(self.categories) > 4 * len(self):
            return (_filled(part.cell % size, part.rating, size).reshape(shape) for part in self.parts())
        return iter(_filled(self.cell, self.rating, size * len(self.categories)).reshape(-1, *shape))

    def matrix(self) -> Floats:
        """Ratings of a table with one category, [n_raters, n_items]; nan where there is none."""
        (cells,) = self.matrices()
        return cells


def _filled(cell: Ints, rating: Floats, size: int) -> Floats:
    found = np.full(size, np.nan)
    found[cell] = rating
    return found


def table_of(
    item: Ints,
    rater: Ints,
    category: Ints,
    rating: Floats,
    items: Sequence[str],
    raters: tuple[str, ...],
    categories: tuple[str, ...],
) -> Table:
    """A table from the numbers [n] of item, rater and category, and their names."""
    cell = category * np.int64(len(raters))
    cell += rater  # in place: a new array costs more than the sum
    cell *= len(items)
    cell += item
    return Table(cell, rating, items, raters, categories)


def only_common(table: Table, compared: Bools) -> Table:
    """The ratings of what every one of these raters [raters] rated.

    Raises:
        RatingsError: there is nothing that all of them rated.
    """
    kept = table.rows(table.common(compared))
    if not len(kept):
        least = sorted((entry["n_items"], name) for name, entry in table.coverage().items())[:3]
        raise RatingsError(
            f"common_items=True leaves nothing: no item was rated by all {int(compared.sum())} raters. Leave some "
            f"out; these rated fewest items: {', '.join(f'{name} ({n})' for n, name in least)}."
        )
    return kept


def align(predictions: Table, references: Table) -> Table:
    """The predictions on the references' items and categories, with the references' numbers.

    Raises:
        RatingsError: no item or no category has the same name on both sides.
    """
    numbers = []
    for what in ("items", "categories"):
        own, other = getattr(predictions, what), getattr(references, what)
        if own == other:
            numbers.append(np.arange(len(own)))
            continue
        number = {name: position for position, name in enumerate(other)}
        numbers.append(np.array([number.get(name, -1) for name in own], dtype=np.int64))
        if (numbers[-1] < 0).all():
            raise RatingsError(
                f"predictions and references share no {what}: {list(own[:3])} and {list(other[:3])} are the first. "
                "Use the same names on both sides."
            )
    item, category = numbers[0][predictions.item], numbers[1][predictions.category]
    names = references.items, predictions.raters, references.categories
    moved = table_of(np.maximum(item, 0), predictions.rater, np.maximum(category, 0), predictions.rating, *names)
    return moved.rows((item >= 0) & (category >= 0))
