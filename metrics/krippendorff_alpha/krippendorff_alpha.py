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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import datasets
import evaluate
import numpy as np

from .ratings import (
    CHUNK,
    ROUNDING,
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
        row: [ratings] which rows of the input are pairable.
        cell: [ratings] index of each such rating's cell.
    """

    value: Floats
    code: Ints
    count: Floats
    start: Ints
    item: Ints
    row: Ints
    cell: Ints

    @property
    def unit(self) -> Ints:
        """[cells] index of each cell's unit."""
        return np.repeat(np.arange(len(self.start)), np.diff(self.start, append=len(self.code)))

    def sums(self, cells: Floats) -> Floats:
        """Sum over each unit's cells, [..., cells] → [..., units]."""
        if not len(self.start):
            return np.zeros((*cells.shape[:-1], 0))
        return np.add.reduceat(cells, self.start, axis=-1)


def pairable(unit: Ints, rating: Floats, item: Ints | None = None) -> Units:
    """The ratings of units that have at least two.

    Args:
        unit: [ratings] number of the unit, from 0.
        rating: [ratings] finite values.
        item: [ratings] number of the item that a unit belongs to; None: the unit itself.
    """
    sizes = np.bincount(unit)
    row = np.flatnonzero((sizes > 1)[unit])
    value, code = _distinct(rating[row])
    n_values = max(1, len(value))
    key = unit[row].astype(np.int64, copy=False)
    key *= n_values
    key += code
    cells, cell, count = _groups(key, len(sizes) * n_values)
    of_unit, of_value = np.divmod(cells, n_values)
    start = np.flatnonzero(np.diff(of_unit, prepend=-1))
    items = of_unit[start]
    if item is not None:
        item_of = np.zeros(len(sizes), dtype=np.int64)
        item_of[unit] = item
        items = item_of[items]
    return Units(value, of_value, count.astype(np.float64), start, items, row, cell)


def _distinct(rating: Floats) -> tuple[Floats, Ints]:
    """Distinct values, ascending, and the index of each rating's; whole ratings on a short scale need no sorting."""
    if len(rating) and np.ptp(rating) < 1 << 16 and not (rating % 1).any():
        codes, code, _ = _groups((rating - rating.min()).astype(np.int64), int(np.ptp(rating)) + 1)
        return codes + rating.min(), code
    value, code, _ = _by_sorting(rating)
    return value, code


def _groups(key: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """Distinct keys, ascending; the index of each key's [keys]; how often each occurs. Keys are below `size`."""
    if size > 4 * len(key):
        return _by_sorting(key)
    counts = np.bincount(key, minlength=size)
    index = (np.cumsum(counts > 0) - 1).astype(np.int32)
    return np.flatnonzero(counts), index[key], counts[counts > 0]


def _by_sorting(values: Any) -> tuple[Any, Ints, Ints]:
    """As `np.unique` with inverse and counts, in half its memory."""
    order = np.argsort(values)
    ranked = values[order]
    new = np.ones(len(values), dtype=bool)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    first = np.flatnonzero(new)
    distinct = ranked[first]
    del ranked
    index = np.empty(len(values), dtype=np.int32)
    index[order] = np.cumsum(new, dtype=np.int32) - 1
    return distinct, index, np.diff(first, append=len(values))


def _distances(phi: Floats, count: Floats, units: Units) -> Floats:
    """Σ over ordered pairs of (φ_i − φ_j)² within each unit, from the deviations from its mean."""
    mean = divide(units.sums(count * phi[units.code]), units.sums(count))
    apart = phi[units.code] - np.where(np.isnan(mean), 0.0, mean)[units.unit]
    single = np.diff(units.start, append=len(units.code)) == 1  # all ratings equal: 0, not rounding
    return np.where(single, 0.0, 2 * units.sums(count) * units.sums(count * apart**2))


def _distance(phi: Floats, of_value: Floats) -> float:
    """Σ over all ordered pairs of (φ_i − φ_j)²."""
    n = of_value.sum()
    return float(2 * n * (of_value * (phi - (of_value * phi).sum() / n) ** 2).sum())


def mid_ranks(of_value: Floats) -> Floats:
    """Mean rank of each value among all ratings, [..., values] counts → [..., values]."""
    return np.cumsum(of_value, axis=-1) - of_value / 2


def _ratio(x: Floats, y: Floats) -> Floats:
    return np.nan_to_num(divide(x - y, x + y)) ** 2


def _ratios(units: Units, count: Floats) -> Floats:
    """Σ over ordered pairs of ((x − y)/(x + y))² within each unit; units with equally many cells at once."""
    cells_of = np.diff(units.start, append=len(units.code))
    found = np.zeros(len(units.start))
    for cells in np.unique(cells_of[cells_of > 1]):
        alike = np.flatnonzero(cells_of == cells)
        for part in np.array_split(alike, -(-len(alike) * int(cells) ** 2 // CHUNK)):
            at = units.start[part][:, None] + np.arange(cells)
            value, times = units.value[units.code[at]], count[at]
            delta = _ratio(value[:, :, None], value[:, None, :])
            found[part] = np.einsum("ui,uij,uj->u", times, delta, times)
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
_BETWEEN: dict[str, Callable[[Floats, Floats], float]] = {
    "nominal": lambda value, of_value: float(of_value.sum() ** 2 - (of_value**2).sum()),
    "ordinal": lambda value, of_value: _distance(mid_ranks(of_value), of_value),
    "interval": lambda value, of_value: _distance(value, of_value),
    "ratio": lambda value, of_value: float(_ratios_of_all(value, of_value[None])[0]),
}


def alpha_of_units(units: Units, level: str, *, weight: Floats | None = None, drawn: Floats | None = None) -> float:
    """α of units, each rating and each unit counted once or as often as said.

    Args:
        units: the pairable ratings.
        level: "nominal", "ordinal", "interval" or "ratio".
        weight: [ratings, as `units.row`] how often a rating counts. Copies of a rating form no pairs with one another:
            they would agree by construction.
        drawn: [units] how often a unit counts; copies of a unit are units of their own.

    Returns:
        α; nan if all ratings are equal or none is pairable.
    """
    times = np.ones(len(units.start)) if drawn is None else drawn
    count = own = units.count
    if weight is not None:
        count, own = (totals(units.cell, weight**power, len(units.code)) for power in (1, 2))
    size, copies = units.sums(count), units.sums(own)
    pairs = size**2 - copies
    times = np.where(pairs > 0, times, 0.0)
    of_value = totals(units.code, count * times[units.unit], len(units.value))
    if np.count_nonzero(of_value) < 2:
        return float("nan")
    n = (times * size).sum()
    observed = (times * size * np.nan_to_num(divide(_WITHIN[level](units, count, of_value), pairs))).sum() / n
    expected = _BETWEEN[level](units.value, of_value) / (n**2 - (times * copies).sum())
    return 1 - float(observed / expected)


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
    return _alpha(table, level, engine)


def _check(table: Table, level: str, engine: str) -> None:
    choice("level", level, LEVELS)
    choice("engine", engine, ENGINES)
    if level == "ratio" and (table.rating < 0).any():
        raise RatingsError(
            f"level='ratio' needs ratings ≥ 0 (a true zero); the lowest is {table.rating.min():g}. Use 'interval'."
        )


def _alpha(table: Table, level: str, engine: str) -> float:
    """α of a table in which every (item, category) is a unit."""
    if engine == "own":
        return alpha_of_units(_units(table), level)
    return package_alpha(_unit_matrix(table)[0], level)


def _units(table: Table) -> Units:
    unit = table.item.astype(np.int64) * len(table.categories) + table.category
    return pairable(unit, table.rating, table.item)


def _unit_matrix(table: Table) -> tuple[Floats, Ints]:
    """[raters, units] with gaps and the item [units] of each, for the package."""
    unit, code = np.unique(table.item.astype(np.int64) * len(table.categories) + table.category, return_inverse=True)
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
    if len(np.unique(table.rater)) < 2:
        raise RatingsError(f"α needs at least two raters; there is only {table.raters[table.rater[0]]!r}.")
    parts = table.parts()
    alphas = np.array([_alpha(part, level, engine) for part in parts])
    draws, pooled_draws = None, None
    if bootstrap:
        draws = np.stack([_draws(part, level, engine, bootstrap, seed, resample) for part in parts])
        pooled_draws = draws[0] if len(parts) == 1 else _draws(table, level, engine, bootstrap, seed, resample)
    undefined = int(np.isnan(alphas).sum())
    tell_undefined(undefined, f"α is undefined for {undefined} categories: no item with two ratings, or no variation")
    result = {
        **_entry(float(mean_defined(alphas)), None if draws is None else mean_defined(draws, axis=0), confidence),
        **_counts(table),
        "n_categories": len(parts),
        "n_undefined": undefined,
        "per_category": {
            name: _entry(float(alphas[number]), None if draws is None else draws[number], confidence)
            | _counts(parts[number])
            for number, name in enumerate(table.categories)
        },
        "pooled": _entry(_alpha(table, level, engine), pooled_draws, confidence),
        "level": level,
        "engine": engine,
    }
    return result | ({"upstream": _upstream(table, level)} if upstream else {})


def _entry(alpha: float, draws: Floats | None, confidence: float) -> dict[str, Any]:
    if draws is None:
        return {"krippendorff_alpha": alpha}
    return {
        "krippendorff_alpha": alpha,
        "interval": percentiles(draws, confidence),
        "n_undefined_resamples": int(np.isnan(draws).sum()),
    }


def _counts(table: Table) -> dict[str, int]:
    """Raters, items and ratings, and how many of the (item, category) units and ratings are pairable."""
    unit = table.item.astype(np.int64) * len(table.categories) + table.category
    sizes = _groups(unit, len(table.items) * len(table.categories))[2]
    return {
        "n_raters": int(np.count_nonzero(np.bincount(table.rater))),
        "n_items": int(np.count_nonzero(np.bincount(table.item))),
        "n_ratings": len(table),
        "n_units": int((sizes > 1).sum()),
        "n_pairable": int(sizes[sizes > 1].sum()),
    }


def _draws(table: Table, level: str, engine: str, bootstrap: int, seed: int, resample: str) -> Floats:
    """α of every resample, [bootstrap]."""
    if engine == "krippendorff":
        return _package_draws(table, level, bootstrap, seed)
    units = _units(table)
    if resample == "items":
        by_cell = level == "ordinal" and not _few_values(units, len(table.items))
        chunks = resamples(len(table.items), bootstrap, seed, width=len(units.code if by_cell else units.value))
        return np.concatenate([resampled_alpha(units, counts, level) for counts in chunks])
    raters = (row for chunk in resamples(len(table.raters), bootstrap, seed + 1) for row in chunk)
    items: Iterable[Any] = (row for chunk in resamples(len(table.items), bootstrap, seed) for row in chunk)
    rater_of = table.rater[units.row]
    return np.array(
        [
            alpha_of_units(
                units, level, weight=rater[rater_of], drawn=item[units.item] if resample == "both" else None
            )
            for rater, item in zip(raters, items, strict=True)
        ]
    )


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

    def _compute(self, *, ratings: Any, **options: Any) -> dict[str, Any]:
        return analyse(read_ratings(ratings), **options)
