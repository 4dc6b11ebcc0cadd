"""Krippendorff's α: agreement of any number of raters, with gaps, corrected for chance.

    α = 1 − D_o / D_e

D_o is the mean difference of two ratings of the same unit, D_e that of any two ratings:

    D_o = Σ_u 1/(m_u − 1) · Σ_{i≠j in u} δ²(x_i, x_j) / n        D_e = Σ_{i≠j} δ²(x_i, x_j) / (n·(n − 1))

m_u is the number of ratings of unit u, n their sum over units with at least two. δ² is 1[x ≠ y] (nominal), (x − y)²
(interval), ((x − y)/(x + y))² (ratio), or the squared difference of mid-ranks among all n ratings (ordinal). 1 is
perfect agreement, 0 what chance gives, below 0 is systematic disagreement.

The double sums are never formed where δ² is a squared distance: Σ_{i≠j} (x_i − x_j)² = 2·(m·Σx² − (Σx)²), so that
nominal, ordinal and interval α take time linear in the ratings (after sorting); ratio α also takes the square of the
number of distinct values, in bounded memory.

Source: Krippendorff, Content Analysis, ch. 12, and "Computing Krippendorff's Alpha-Reliability" (2011).
"""

import importlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import datasets
import evaluate
import numpy as np

from .ratings import (
    CHUNK,
    ROUNDING,
    Bools,
    Floats,
    Ints,
    RatingsError,
    Table,
    TakesTables,
    check_bootstrap,
    choice,
    divide,
    mean_defined,
    percentiles,
    read_ratings,
    resamples,
    tell_undefined,
    totals,
)

LEVELS = ("nominal", "ordinal", "interval", "ratio")
ENGINES = ("own", "krippendorff")
RESAMPLE = ("items", "raters", "both")

CITATION = """\
@book{krippendorff2018content,
  title = {Content Analysis: An Introduction to Its Methodology}, edition = {4},
  author = {Krippendorff, Klaus}, publisher = {SAGE}, year = {2018}
}
@techreport{krippendorff2011computing,
  title = {Computing {Krippendorff's} Alpha-Reliability},
  author = {Krippendorff, Klaus}, institution = {University of Pennsylvania}, year = {2011},
  url = {https://repository.upenn.edu/asc_papers/43}
}
"""


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
    key, value, _ = _keys(unit, rating)
    n_values = max(1, len(value))
    cells, count = _tally(key, (int(unit.max(initial=0)) + 1) * n_values)
    del key
    code = np.remainder(cells, n_values, out=np.empty(len(cells), dtype=np.int32), casting="unsafe")
    cells //= n_values
    start = np.flatnonzero(_first(cells))
    return Units(value, code, count, start, cells[start] // per_item)


def _keys(unit: Ints, rating: Floats) -> tuple[Ints, Floats, Any]:
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
        code = (rating - low).astype(np.int32)
        used = np.bincount(code) > 0
        return np.flatnonzero(used) + low, (np.cumsum(used, dtype=np.int32) - 1)[code]
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


def _ratios_of_all(value: Floats, of_value: Floats) -> Floats:
    """Σ over all ordered pairs of ((x − y)/(x + y))², [resamples, values] counts → [resamples]."""
    found = np.zeros(len(of_value))
    for part in np.array_split(np.arange(len(value)), -(-(len(value) ** 2) // CHUNK) or 1):
        found += ((of_value @ _ratio(value[:, None], value[None, part])) * of_value[:, part]).sum(1)
    return found


# level → Σδ² over ordered pairs of ratings within each unit, and over all; from counts per cell and per value.
_WITHIN: dict[str, Callable[[Units, Floats, Floats], Floats]] = {
    "nominal": lambda units, count, of_value: units.sums(count) ** 2 - units.sums(count**2),
    "ordinal": lambda units, count, of_value: _distances(mid_ranks(of_value), count, units),
    "interval": lambda units, count, of_value: _distances(units.value, count, units),
    "ratio": lambda units, count, of_value: _ratios(units, count),
}
_BETWEEN: dict[str, Callable[[Floats, Floats], Floats]] = {
    "nominal": lambda value, of_value: of_value.sum(-1) ** 2 - (of_value**2).sum(-1),
    "ordinal": lambda value, of_value: _distance(mid_ranks(of_value), of_value),
    "interval": lambda value, of_value: _distance(value, of_value),
    "ratio": lambda value, of_value: _ratios_of_all(value, of_value),
}


def alpha_of_units(units: Units, level: str) -> float:
    """α of units; nan if all ratings are equal or none is pairable.

    Args:
        units: the pairable ratings.
        level: "nominal", "ordinal", "interval" or "ratio".
    """
    count = units.count[None]
    return float(_alphas(units, level, count, units.sums(count), np.broadcast_to(1.0, (1, len(units.start))))[0])


def _alphas(units: Units, level: str, count: Floats, copies: Floats, times: Floats) -> Floats:
    """α of resamples.

    Args:
        units: the pairable ratings.
        level: "nominal", "ordinal", "interval" or "ratio".
        count: [resamples, cells] how often each cell's ratings count in sum.
        copies: [resamples, units] Σ w² over the ratings of a unit that count w times: copies of a rating form no pairs
            with one another, they would agree by construction.
        times: [resamples, units] how often a unit counts; copies of a unit are units of their own.

    Returns:
        [resamples]; nan where all ratings are equal or none is pairable.
    """

    def blocks() -> Iterator[tuple[Units, Floats, Floats, Floats, Floats]]:
        for block, numbers, cells in units.blocks():
            size, own = block.sums(count[:, cells]), copies[:, numbers]
            yield block, count[:, cells], size, own, np.where(size**2 > own, times[:, numbers], 0.0)

    of_value = np.zeros((len(count), len(units.value)))
    n, alike, observed = np.zeros((3, len(count)))
    for block, counted, size, own, used in blocks():
        n += (used * size).sum(1)
        alike += (used * own).sum(1)
        for found, row in zip(of_value, counted * used[:, block.unit], strict=True):
            found += totals(block.code, row, len(found))
    for block, counted, size, own, used in blocks():
        within = _WITHIN[level](block, counted, of_value)
        observed += (used * size * np.nan_to_num(divide(within, size**2 - own))).sum(1)
    expected = divide(_BETWEEN[level](units.value, of_value), n**2 - alike)
    defined = np.count_nonzero(of_value, axis=1) > 1
    return np.where(defined, 1 - divide(divide(observed, n), expected), np.nan)


def resampled_raters(units: Units, rater: Ints, counts: Floats, level: str, *, items: Floats | None = None) -> Floats:
    """α in bootstrap resamples of the raters, and of the items too on request.

    A rater drawn twice counts twice, but forms no pairs with itself; a unit left with one rater does not count.

    Args:
        units: the pairable ratings.
        rater: [pairable ratings] number of the rater, in the order of the cells, see `raters_by_cell`.
        counts: [resamples, raters] how often a rater was drawn.
        level: "nominal", "ordinal", "interval" or "ratio".
        items: [resamples, items] how often an item was drawn; None: once.

    Returns:
        [resamples]; nan where a resample has no variation.
    """
    if not len(units.start):
        return np.full(len(counts), np.nan)
    first, found = (np.cumsum(units.count) - units.count).astype(np.int64), []
    for part in np.array_split(np.arange(len(counts)), -(-2 * len(counts) * len(rater) // CHUNK)):
        drawn = counts[part][:, rater]
        count = np.add.reduceat(drawn, first, axis=1)
        copies = np.add.reduceat(drawn**2, first[units.start], axis=1)
        times = np.ones(copies.shape) if items is None else items[part][:, units.item]
        found.append(_alphas(units, level, count, copies, times))
    return np.concatenate(found)


def raters_by_cell(table: Table) -> Ints:
    """[pairable ratings] numbers of the raters, in the order of the cells of the table's units."""
    key, _, row = _keys(table.units(), table.rating)
    return table.rater[row][np.argsort(key, kind="stable")]


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
        within = _WITHIN[level](units, units.count, units.value)
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
    "ratio": lambda units, counts, n: _ratios_of_all(units.value, _value_counts(units, counts)),
}


def krippendorff_alpha(ratings: Any, *, level: str = "interval", engine: str = "own") -> float:
    """α of a raters × items matrix.

    Args:
        ratings: [raters, items] numbers, nan or None for gaps.
        level: "nominal", "ordinal", "interval" or "ratio".
        engine: "own", or "krippendorff" for the package of that name (GPL-3.0, imported only then).

    Returns:
        α; nan if no item has two ratings or all pairable ratings are equal.

    Example:
        Four observers, twelve units (Krippendorff 2011, sections C and D).

        >>> nan = float("nan")
        >>> observers = [
        ...     [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        ...     [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        ...     [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        ...     [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
        ... ]
        >>> {level: round(krippendorff_alpha(observers, level=level), 3) for level in LEVELS}
        {'nominal': 0.743, 'ordinal': 0.815, 'interval': 0.849, 'ratio': 0.797}
    """
    table = read_ratings(ratings)
    if len(table.categories) > 1:
        raise RatingsError("Give one category as [raters, items]; `analyse` takes several.")
    _check(table, level, engine)
    return _alpha(table, _units(table), level, engine)


def _check(table: Table, level: str, engine: str) -> None:
    choice("level", level, LEVELS)
    choice("engine", engine, ENGINES)
    if level == "ratio" and (table.rating < 0).any():
        raise RatingsError(
            f"level='ratio' needs ratings ≥ 0 (a true zero); the lowest is {table.rating.min():g}. Use 'interval'."
        )


def _alpha(table: Table, units: Units, level: str, engine: str) -> float:
    """α of a table in which every (item, category) is a unit."""
    return alpha_of_units(units, level) if engine == "own" else package_alpha(_unit_matrix(table)[0], level)


def _units(table: Table) -> Units:
    return pairable(table.units(), table.rating, per_item=len(table.categories))


def _unit_matrix(table: Table) -> tuple[Floats, Ints]:
    """[raters, units] with gaps and the item [units] of each, for the package."""
    unit, code = np.unique(table.units(), return_inverse=True)
    cells = np.full((len(table.raters), len(unit)), np.nan)
    cells[table.rater, code] = table.rating
    return cells, unit // len(table.categories)


def package_alpha(matrix: Floats, level: str) -> float:
    """α of [raters, units] by the `krippendorff` package; nan where it refuses because nothing varies."""
    try:
        package = importlib.import_module("krippendorff")
    except ImportError as error:
        raise RatingsError(
            "engine='krippendorff' needs the package of that name (GPL-3.0): pip install krippendorff. "
            "engine='own' gives the same values without it."
        ) from error
    pairable_values = matrix[:, (~np.isnan(matrix)).sum(0) > 1]
    if len(np.unique(pairable_values[~np.isnan(pairable_values)])) < 2:
        return float("nan")
    return float(package.alpha(reliability_data=matrix, level_of_measurement=level))


def analyse(
    table: Table,
    *,
    level: str = "interval",
    engine: str = "own",
    upstream: bool = False,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
    resample: str = "items",
) -> dict[str, Any]:
    """α of every category, their mean, and α of all (item, category) units together.

    Args:
        table: the ratings.
        level: "nominal", "ordinal", "interval" or "ratio".
        engine: "own", or "krippendorff" for the package of that name (slower; items can be resampled, raters not).
        upstream: also give the values that follow when items are taken as raters and raters as units, as the published
            α of EmoNet-Face BINARY were computed. They measure something else.
        bootstrap: number of resamples for the intervals; 0 gives none.
        seed: seed of the resamples.
        confidence: share of the resamples within an interval.
        resample: "items", "raters" (a rater drawn twice counts twice, but forms no pairs with itself) or "both".

    Returns:
        Plain numbers: `krippendorff_alpha` (mean over categories), `interval`, counts, `per_category`, `pooled`, and
        `upstream` on request. Undefined values are nan and counted.

    Raises:
        RatingsError: fewer than two raters, options or ratings that cannot be used.
    """
    check_bootstrap(bootstrap, seed, confidence)
    _check(table, level, engine)
    choice("resample", resample, RESAMPLE)
    if engine == "krippendorff" and resample != "items":
        raise RatingsError("engine='krippendorff' resamples items only; use engine='own' to resample raters.")
    if table.counts()["n_raters"] < 2:
        raise RatingsError(f"α needs at least two raters; there is only {table.raters[table.rater[0]]!r}.")

    parts = table.parts()
    tables = [*parts, table] if len(parts) > 1 else parts
    units = [_units(one) for one in tables]
    alphas = np.array([_alpha(*pair, level, engine) for pair in zip(tables, units, strict=True)])
    draws = _draws(tables, units, level, engine, bootstrap, seed, resample) if bootstrap else None
    entries = [
        _entry(alpha, None if draws is None else draws[number], confidence)
        for number, alpha in enumerate(alphas.tolist())
    ]
    counts = [one.counts() | _pairable_counts(of_one) for one, of_one in zip(tables, units, strict=True)]
    in_parts, mean_draws = alphas[: len(parts)], None if draws is None else mean_defined(draws[: len(parts)], axis=0)
    undefined = int(np.isnan(in_parts).sum())
    tell_undefined(undefined, f"α is undefined for {undefined} categories: no item with two ratings, or no variation")
    result = {
        **_entry(float(mean_defined(in_parts)), mean_draws, confidence),
        **counts[-1],
        "n_categories": len(parts),
        "n_undefined": undefined,
        "per_category": {name: entries[i] | counts[i] for i, name in enumerate(table.categories)},
        "pooled": entries[-1],
        "level": level,
        "engine": engine,
    }
    return result | ({"upstream": _upstream(table, level)} if upstream else {})


def _pairable_counts(units: Units) -> dict[str, int]:
    return {"n_units": len(units.start), "n_pairable": int(units.count.sum())}


def _entry(alpha: float, draws: Floats | None, confidence: float) -> dict[str, Any]:
    if draws is None:
        return {"krippendorff_alpha": alpha}
    return {
        "krippendorff_alpha": alpha,
        "interval": percentiles(draws, confidence),
        "n_undefined_resamples": int(np.isnan(draws).sum()),
    }


def _draws(
    tables: list[Table], units: list[Units], level: str, engine: str, bootstrap: int, seed: int, resample: str
) -> Floats:
    """α of every resample, [tables, bootstrap]; all tables have the same items and raters, drawn at once for all."""
    if engine == "krippendorff":
        return np.stack([_package_draws(table, level, bootstrap, seed) for table in tables])
    n_items, n_raters = len(tables[0].items), len(tables[0].raters)
    width = max(n_items, n_raters, *(_width(one, level, n_items) for one in units))
    items: Iterable[Any] = itertools.repeat(None)
    raters: Iterable[Any] = itertools.repeat(None)
    if resample != "raters":
        items = resamples(n_items, bootstrap, seed, width=width)
    if resample != "items":
        raters = resamples(n_raters, bootstrap, seed + 1, width=width)
        who = [raters_by_cell(table) for table in tables]
    found = [
        [
            resampled_alpha(one, of_items, level)
            if of_raters is None
            else resampled_raters(one, who[number], of_raters, level, items=of_items)
            for number, one in enumerate(units)
        ]
        for of_items, of_raters in zip(items, raters, strict=False)
    ]
    return np.concatenate(found, axis=1)


def _width(units: Units, level: str, n_items: int) -> int:
    """How many numbers `resampled_alpha` holds per resample."""
    by_cell = level == "ordinal" and not _few_values(units, n_items)
    return len(units.code if by_cell else units.value)


def _package_draws(table: Table, level: str, bootstrap: int, seed: int) -> Floats:
    matrix, item = _unit_matrix(table)
    chunks = resamples(len(table.items), bootstrap, seed)
    drawn = (row[item].astype(np.int64) for chunk in chunks for row in chunk)
    return np.array([package_alpha(np.repeat(matrix, times, axis=1), level) for times in drawn])


def _upstream(table: Table, level: str) -> dict[str, Any]:
    """α with items as raters and raters as units, all categories together and each by itself."""

    def turned(part: Table) -> float:
        return alpha_of_units(pairable(part.rater, part.rating), level)

    parts = table.parts()
    return {
        "krippendorff_alpha": turned(table),
        "per_category": dict(zip(table.categories, map(turned, parts), strict=True)),
    }


class KrippendorffAlpha(TakesTables, evaluate.Metric):
    """α as an `evaluate` metric."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=str(__doc__),
            citation=CITATION,
            inputs_description=str(analyse.__doc__),
            features=datasets.Features({"ratings": datasets.Sequence(datasets.Value("float64"))}),
            reference_urls=["https://repository.upenn.edu/asc_papers/43"],
        )

    def _result(self, *, ratings: Any, **options: Any) -> dict[str, Any]:
        return analyse(read_ratings(ratings), **options)
