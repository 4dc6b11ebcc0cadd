"""The formula of α, in linear time: pairable ratings as units, differences within units and between all ratings."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .resampling import CHUNK, divide, numbered, totals
from .table import Bools, Floats, Ints

LEVELS = ("nominal", "ordinal", "interval", "ratio")


@dataclass(frozen=True, slots=True)
class Units:
    """Pairable ratings, sorted by unit and value; equal ratings of a unit are one cell.

    Attributes:
        value: [values] distinct ratings, ascending.
        code: [cells] index into `value`.
        count: [cells] how many ratings a cell has.
        start: [units] first cell of each unit.
        item: [units] number of the item that the unit is a rating of.
    """

    value: Floats
    code: Ints
    count: Floats
    start: Ints
    item: Ints

    @property
    def unit(self) -> Ints:
        """[cells] index of each cell's unit."""
        return np.repeat(np.arange(len(self.start)), np.diff(self.start, append=len(self.code)))

    def sums(self, cells: Floats) -> Floats:
        """Sum over each unit's cells, [..., cells] → [..., units]."""
        if not len(self.start):
            return np.zeros((*cells.shape[:-1], 0))
        return np.add.reduceat(cells, self.start, axis=-1)

    def blocks(self) -> Iterator[tuple["Units", slice, slice]]:
        """Consecutive units that keep temporary arrays small, with the numbers of their units and cells."""
        steps = np.searchsorted(self.start, np.arange(0, len(self.code), max(1, CHUNK // 8)))
        for begin, end in itertools.pairwise(np.unique([*steps, len(self.start)]).tolist()):
            cells = slice(self.start[begin], self.start[end] if end < len(self.start) else len(self.code))
            start, item = self.start[begin:end] - cells.start, self.item[begin:end]
            yield Units(self.value, self.code[cells], self.count[cells], start, item), slice(begin, end), cells


def pairable(unit: Ints, rating: Floats, *, per_item: int = 1) -> Units:
    """The ratings of units that have at least two.

    Args:
        unit: [ratings] number of the unit, from 0.
        rating: [ratings] finite values.
        per_item: how many consecutive units belong to one item.
    """
    key, value, _ = keys(unit, rating)
    n_values = max(1, len(value))
    cells, count = _tally(key, (int(unit.max(initial=0)) + 1) * n_values)
    del key
    code = np.remainder(cells, n_values, out=np.empty(len(cells), dtype=np.int32), casting="unsafe")
    cells //= n_values
    start = np.flatnonzero(_first(cells))
    return Units(value, code, count, start, cells[start] // per_item)


def keys(unit: Ints, rating: Floats) -> tuple[Ints, Floats, Any]:
    """(unit · n_values + index of the value [pairable], values [values], which ratings are pairable)."""
    several = np.bincount(unit) > 1
    row = slice(None) if several.all() else np.flatnonzero(several[unit])
    value, code = _distinct(rating[row])
    key = unit[row].astype(np.int64)
    key *= max(1, len(value))
    key += code
    return key, value, row


def _distinct(rating: Floats) -> tuple[Floats, Ints]:
    """Distinct values, ascending, and the index of each rating's; whole ratings on a short scale need no sorting."""
    if not len(rating):
        return rating, np.zeros(0, dtype=np.int32)
    low, span = rating.min(), np.ptp(rating)
    if span < 1 << 16 and (np.rint(rating) == rating).all():
        found, code = numbered((rating - low).astype(np.int32), int(span) + 1)
        return found + low, code
    order = np.argsort(rating)
    ranked = rating[order]
    new = _first(ranked)
    value = ranked[new]
    del ranked
    code = np.empty(len(rating), dtype=np.int32)
    code[order] = np.cumsum(new, dtype=np.int32) - 1
    return value, code


def _first(ranked: Any) -> Bools:
    """Whether each of some sorted numbers is the first of its kind."""
    new = np.ones(len(ranked), dtype=bool)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    return new


def _tally(key: Ints, size: int) -> tuple[Ints, Floats]:
    """Distinct keys, ascending, and how often each occurs; keys are below `size` and may be sorted in place."""
    if size <= 2 * len(key):
        counts = np.bincount(key)
        distinct = np.flatnonzero(counts)
        return distinct, counts[distinct].astype(np.float64)
    key.sort()
    new = _first(key)
    first = np.flatnonzero(new)
    count = np.full(len(first), float(len(key)))
    np.subtract(first[1:], first[:-1], out=count[:-1])
    count[-1:] -= first[-1:]
    del first
    return key[new], count


def _distances(phi: Floats, count: Floats, units: Units) -> Floats:
    """Σ over ordered pairs of (φ_i − φ_j)² within each unit, from the deviations from its mean."""
    size, cells = units.sums(count), phi[..., units.code]
    apart = cells - np.nan_to_num(divide(units.sums(count * cells), size))[..., units.unit]
    single = np.diff(units.start, append=len(units.code)) == 1  # all ratings equal: 0, not rounding
    return np.where(single, 0.0, 2 * size * units.sums(count * apart**2))


def _distance(phi: Floats, of_value: Floats) -> Floats:
    """Σ over all ordered pairs of (φ_i − φ_j)²."""
    n = of_value.sum(-1, keepdims=True)
    mean = divide((of_value * phi).sum(-1, keepdims=True), n)
    return 2 * n[..., 0] * (of_value * (phi - mean) ** 2).sum(-1)


def mid_ranks(of_value: Floats) -> Floats:
    """Mean rank of each value among all ratings, [..., values] counts → [..., values]."""
    return np.cumsum(of_value, axis=-1) - of_value / 2


def _ratio(x: Floats, y: Floats) -> Floats:
    return np.nan_to_num(divide(x - y, x + y)) ** 2


def _ratios(units: Units, count: Floats) -> Floats:
    """Σ over ordered pairs of ((x − y)/(x + y))² within each unit; units with equally many cells at once."""
    cells_of = np.diff(units.start, append=len(units.code))
    found = np.zeros((*count.shape[:-1], len(units.start)))
    for cells in np.unique(cells_of[cells_of > 1]):
        alike = np.flatnonzero(cells_of == cells)
        for part in np.array_split(alike, -(-len(alike) * int(cells) ** 2 // CHUNK)):
            at = units.start[part][:, None] + np.arange(cells)
            value, times = units.value[units.code[at]], count[..., at]
            delta = _ratio(value[:, :, None], value[:, None, :])
            found[..., part] = np.einsum("...ui,uij,...uj->...u", times, delta, times)
    return found


def ratios_of_all(value: Floats, of_value: Floats) -> Floats:
    """Σ over all ordered pairs of ((x − y)/(x + y))², [resamples, values] counts → [resamples]."""
    found = np.zeros(len(of_value))
    for part in np.array_split(np.arange(len(value)), -(-(len(value) ** 2) // CHUNK) or 1):
        found += ((of_value @ _ratio(value[:, None], value[None, part])) * of_value[:, part]).sum(1)
    return found


# level → Σδ² over ordered pairs of ratings within each unit, and over all; from counts per cell and per value.
WITHIN: dict[str, Callable[[Units, Floats, Floats], Floats]] = {
    "nominal": lambda units, count, of_value: units.sums(count) ** 2 - units.sums(count**2),
    "ordinal": lambda units, count, of_value: _distances(mid_ranks(of_value), count, units),
    "interval": lambda units, count, of_value: _distances(units.value, count, units),
    "ratio": lambda units, count, of_value: _ratios(units, count),
}
_BETWEEN: dict[str, Callable[[Floats, Floats], Floats]] = {
    "nominal": lambda value, of_value: of_value.sum(-1) ** 2 - (of_value**2).sum(-1),
    "ordinal": lambda value, of_value: _distance(mid_ranks(of_value), of_value),
    "interval": lambda value, of_value: _distance(value, of_value),
    "ratio": lambda value, of_value: ratios_of_all(value, of_value),
}


def alpha_of_units(units: Units, level: str) -> float:
    """α of units; nan if all ratings are equal or none is pairable.

    Args:
        units: the pairable ratings.
        level: "nominal", "ordinal", "interval" or "ratio".
    """
    count = units.count[None]
    return float(weighted_alphas(units, level, count, units.sums(count))[0])


def weighted_alphas(units: Units, level: str, count: Floats, copies: Floats) -> Floats:
    """α of resamples.

    Args:
        units: the pairable ratings.
        level: "nominal", "ordinal", "interval" or "ratio".
        count: [resamples, cells] how often each cell's ratings count in sum.
        copies: [resamples, units] Σ w² over the ratings of a unit that count w times: copies of a rating form no pairs
            with one another, they would agree by construction.

    Returns:
        [resamples]; nan where all ratings are equal or none is pairable.
    """

    def blocks() -> Iterator[tuple[Units, Floats, Floats, Floats, Floats]]:
        for block, numbers, cells in units.blocks():
            size, own = block.sums(count[:, cells]), copies[:, numbers]
            yield block, count[:, cells], size, own, (size**2 > own) * 1.0

    of_value = np.zeros((len(count), len(units.value)))
    n, alike, observed = np.zeros((3, len(count)))
    for block, counted, size, own, used in blocks():
        n += (used * size).sum(1)
        alike += (used * own).sum(1)
        for found, row in zip(of_value, counted * used[:, block.unit], strict=True):
            found += totals(block.code, row, len(found))
    for block, counted, size, own, used in blocks():
        within = WITHIN[level](block, counted, of_value)
        observed += (used * size * np.nan_to_num(divide(within, size**2 - own))).sum(1)
    expected = divide(_BETWEEN[level](units.value, of_value), n**2 - alike)
    defined = np.count_nonzero(of_value, axis=1) > 1
    return np.where(defined, 1 - divide(divide(observed, n), expected), np.nan)
