"""α in bootstrap resamples of the items, all at once, and of the raters."""

from collections.abc import Callable

import numpy as np

from .alpha import WITHIN, Units, keys, mid_ranks, ratios_of_all, weighted_alphas
from .resampling import CHUNK, ROUNDING, divide, totals
from .table import Floats, Ints, Table


def resampled_raters(units: Units, rater: Ints, counts: Floats, level: str) -> Floats:
    """α in resamples of the raters.

    A rater drawn twice counts twice, but forms no pairs with itself; a unit left with one rater does not count.

    Args:
        units: the pairable ratings.
        rater: [pairable ratings] number of the rater, in the order of the cells, see `raters_by_cell`.
        counts: [resamples, raters] how often a rater was drawn.
        level: "nominal", "ordinal", "interval" or "ratio".

    Returns:
        [resamples]; nan where a resample has no variation.
    """
    if not len(units.start):
        return np.full(len(counts), np.nan)
    found = []
    for part in np.array_split(np.arange(len(counts)), -(-2 * len(counts) * len(rater) // CHUNK)):
        count, copies = _drawn_counts(units, rater, counts[part])
        found.append(weighted_alphas(units, level, count, copies))
    return np.concatenate(found)


def _drawn_counts(units: Units, rater: Ints, counts: Floats) -> tuple[Floats, Floats]:
    """[resamples, cells] and [resamples, units]: Σ w and Σ w² over the ratings, w being how often a rater is drawn."""
    n_raters, n_cells = counts.shape[1], len(units.code)
    if n_raters * n_cells <= CHUNK:
        cell = np.repeat(np.arange(n_cells), units.count.astype(np.int64))
        rated = totals(rater * np.int64(n_cells) + cell, np.ones(len(cell)), n_raters * n_cells)
        rated = rated.reshape(n_raters, n_cells)
        return counts @ rated, units.sums(counts**2 @ rated)
    first, drawn = (np.cumsum(units.count) - units.count).astype(np.int64), counts[:, rater]
    return np.add.reduceat(drawn, first, axis=1), np.add.reduceat(drawn**2, first[units.start], axis=1)


def raters_by_cell(table: Table) -> Ints:
    """[pairable ratings] numbers of the raters, in the order of the cells of the table's units."""
    return by_cell(table.units(), table.rating, table.rater)


def by_cell(unit: Ints, rating: Floats, of_rating: Ints) -> Ints:
    """What belongs to each rating [ratings], for the pairable ones, in the order of the cells of `pairable`."""
    key, _, row = keys(unit, rating)
    return of_rating[row][np.argsort(key, kind="stable")]


def resampled_alpha(units: Units, counts: Floats, level: str) -> Floats:
    """α in bootstrap resamples of the items, all at once.

    Args:
        units: the pairable ratings.
        counts: [resamples, items] how often an item was drawn.
        level: "nominal", "ordinal", "interval" or "ratio".

    Returns:
        [resamples]; nan where a resample has no variation.
    """
    if not len(units.start):
        return np.full(len(counts), np.nan)
    size = units.sums(units.count)
    n = counts @ _per_item(units, size, counts)
    if level == "ordinal":
        observed, between = _resampled_ordinal(units, counts, size)
    else:
        within = WITHIN[level](units, units.count, units.value)
        observed = counts @ _per_item(units, within / (size - 1), counts)
        between = _RESAMPLED_BETWEEN[level](units, counts, n)
    return 1 - divide(observed * (n - 1), between)


def _per_item(units: Units, of_unit: Floats, counts: Floats) -> Floats:
    """Sum over the units of each item, [units] → [items]."""
    return totals(units.item, of_unit, counts.shape[1])


def _value_counts(units: Units, counts: Floats) -> Floats:
    """How often each value is among the pairable ratings of a resample, [resamples, values]."""
    items, values = counts.shape[1], len(units.value)
    item = units.item[units.unit]
    if items * values <= CHUNK:
        table = totals(item * values + units.code, units.count, items * values)
        return counts @ table.reshape(items, values)
    return np.stack([totals(units.code, units.count * row[item], values) for row in counts])


def _resampled_squares(units: Units, counts: Floats, n: Floats) -> Floats:
    cells = units.count * units.value[units.code]
    centred = units.value[units.code] - cells.sum() / max(units.count.sum(), 1.0)
    first = counts @ _per_item(units, units.sums(units.count * centred), counts)
    second = counts @ _per_item(units, units.sums(units.count * centred**2), counts)
    between = 2 * (n * second - first**2)
    return np.where(between <= ROUNDING * n * second, 0.0, between)  # all ratings of the resample are equal


def _resampled_ordinal(units: Units, counts: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Σ within units / (m − 1), and Σ over all pairs; ranks depend on the resample, their mean is n/2."""
    of_value = _value_counts(units, counts)
    phi = mid_ranks(of_value) - of_value.sum(1, keepdims=True) / 2
    between = 2 * of_value.sum(1) * (of_value * phi**2).sum(1)
    if _few_values(units, counts.shape[1]):
        pairs = (counts @ _coincidences(units, size, counts)).reshape(len(counts), len(units.value), -1)
        crossed = np.einsum("rv,rvw,rw->r", phi, pairs, phi)
        return 2 * ((pairs.sum(2) * phi**2).sum(1) - crossed), between
    cells = phi[:, units.code]
    first, second = units.sums(units.count * cells), units.sums(units.count * cells**2)
    within = 2 * (size * second - first**2) / (size - 1)
    return (within * counts[:, units.item]).sum(1), between


def resampling_width(units: Units, level: str, n_items: int) -> int:
    """How many numbers `resampled_alpha` holds per resample."""
    by_cell = level == "ordinal" and not _few_values(units, n_items)
    return len(units.code if by_cell else units.value)


def _few_values(units: Units, items: int) -> bool:
    """Whether a table [items, values²] is small."""
    return items * len(units.value) ** 2 <= CHUNK


def _coincidences(units: Units, size: Floats, counts: Floats) -> Floats:
    """[items, values²]: pairs of values within the units of each item, each unit's divided by m − 1."""
    items, values, cells_of = counts.shape[1], len(units.value), np.diff(units.start, append=len(units.code))
    found = np.zeros(items * values**2)
    for cells in np.unique(cells_of):
        alike = np.flatnonzero(cells_of == cells)
        at = units.start[alike][:, None] + np.arange(cells)
        key = (units.item[alike][:, None, None] * values + units.code[at][:, :, None]) * values
        times = units.count[at] / np.sqrt(size[alike] - 1)[:, None]
        np.add.at(found, key + units.code[at][:, None, :], times[:, :, None] * times[:, None, :])
    return found.reshape(items, values**2)


_RESAMPLED_BETWEEN: dict[str, Callable[[Units, Floats, Floats], Floats]] = {
    "nominal": lambda units, counts, n: n**2 - (_value_counts(units, counts) ** 2).sum(1),
    "interval": _resampled_squares,
    "ratio": lambda units, counts, n: ratios_of_all(units.value, _value_counts(units, counts)),
}
