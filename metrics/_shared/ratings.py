"""Reads ratings, whatever they are held in, into a `Table`."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from .checks import RatingsError
from .frames import COLUMNS, TABLES, codes_of, frame_of, listed, name_of, require_columns, unmasked
from .resampling import divide, merge_ties, totals
from .table import Floats, Numbered, Table, table_of

ARRAYS = "an array [raters, items] or [raters, items, categories]"


def read_ratings(ratings: Any, *, what: str = "ratings", samples: bool = False) -> Table:
    """Ratings from an array or from a long table.

    Args:
        ratings: numbers [raters, items] or [raters, items, categories] with nan, None or a mask for gaps; or a table
            with the columns item, rater, rating and optionally category and sample: a pandas, polars or Arrow table,
            a DuckDB relation, a `datasets.Dataset`, a dict of columns, a list of records. A missing rating in a table
            is a gap. Names are text: 7, 7.0 and "7" are one item. A `Table` is returned as it is.
        what: the argument's name, for messages.
        samples: whether a rater may have rated a cell more than once, each time with another `sample` number.

    Returns:
        The ratings that are there, as a `Table`.

    Raises:
        RatingsError: text, infinities, a wrong shape, missing or repeated columns, empty names, a cell rated twice, no
            rating.

    Example:
        >>> table = read_ratings({"item": ["a", "a", "b"], "rater": ["x", "y", "x"], "rating": [1, 2, None]})
        >>> len(table), table.items, table.raters
        (2, ('a', 'b'), ('x', 'y'))
        >>> read_ratings([[1, 2, float("nan")], [1, 3, 3]]).matrix()
        array([[ 1.,  2., nan],
               [ 1.,  3.,  3.]])
    """
    if isinstance(ratings, Table):
        return ratings
    ratings = listed(ratings)
    frame = frame_of(ratings, what)
    table = _from_array(numbers_of(ratings, what), what) if frame is None else _from_frame(frame, what, samples)
    if not len(table):
        raise RatingsError(f"{what} hold no rating: every value is missing. Give at least one.")
    return table


def numbers_of(values: Any, what: str) -> Floats:
    """Values as float64, None and masked ones as nan; text, complex numbers and infinities are errors."""
    try:
        values = unmasked(values)
        raw = np.asarray(values) if hasattr(values, "__array__") else np.asarray(values, dtype=object)
        if raw.dtype.kind not in "biufO":
            raise TypeError(f"they are of type {raw.dtype}")
        if raw.dtype == object:
            if raw.ndim == 0 and not isinstance(raw.item(), int | float | str | np.number):
                raise TypeError(f"they are a {type(values).__module__}.{type(values).__name__}")
            if texts := [value for value in raw.flat if isinstance(value, str | bytes)]:
                raise TypeError(f"found the text {texts[0]!r}")
            raw = np.where(pd.isna(raw), np.nan, raw)
        numbers = raw.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise RatingsError(
            f"{what} must be numbers in a full array, with nan or None for gaps: {error}. "
            f"Valid: {ARRAYS}; or {TABLES}."
        ) from error
    if np.isinf(numbers).any():
        where = tuple(int(axis[0]) for axis in np.nonzero(np.isinf(numbers)))
        raise RatingsError(f"{what} must be finite: found {numbers[where]} at {list(where)}. Use nan for a gap.")
    return numbers


def _from_array(numbers: Floats, what: str) -> Table:
    if numbers.ndim not in (2, 3):
        raise RatingsError(
            f"{what} have shape {list(numbers.shape)}; valid: [raters, items], [raters, items, categories], or a "
            f"table with the columns {', '.join(COLUMNS)} and optionally category."
        )
    cells = numbers.reshape(*numbers.shape, 1) if numbers.ndim == 2 else numbers
    cells = np.ascontiguousarray(np.moveaxis(cells, 2, 0))
    cell, every = np.flatnonzero(~np.isnan(cells)), cells.ravel()
    categories, raters = (tuple(map(str, range(size))) for size in cells.shape[:2])
    rating = every[cell] if len(cell) < len(every) else every
    return Table(cell, rating, Numbered(cells.shape[2]), raters, categories if numbers.ndim == 3 else ("",))


def _from_frame(frame: pd.DataFrame, what: str, samples: bool) -> Table:
    require_columns(frame, COLUMNS, what)
    column = frame["rating"]
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
    cells = column.to_numpy() if plain else column.astype(object).to_numpy()
    rating = numbers_of(cells, f"{what}' column 'rating'")
    with ThreadPoolExecutor() as pool:  # text is looked up without Python's lock
        named = [name for name in ("item", "rater", "category") if name in frame]
        (item, items), (rater, raters), *more = pool.map(lambda name: codes_of(frame, name, what), named)
    category, categories = more[0] if more else (np.zeros_like(item), ("",))
    if samples and "sample" in frame and frame["sample"].notna().any():
        sample, numbers = pd.factorize(frame["sample"].astype(object).where(frame["sample"].notna(), ""))
        rater, pairs = pd.factorize(rater * len(numbers) + sample)
        raters = tuple(f"{raters[pair // len(numbers)]}#{name_of(numbers[pair % len(numbers)])}" for pair in pairs)
    given = ~np.isnan(rating)
    table = table_of(item, rater, category, rating, items, raters, categories)
    table = table if given.all() else table.rows(given)
    _once(table, what, samples)
    return table


def _once(table: Table, what: str, samples: bool) -> None:
    """Raise if a rater rated a cell twice."""
    if table.rated is not None and np.count_nonzero(table.rated) == len(table):
        return
    repeated = pd.Series(table.cell).duplicated().to_numpy()
    if repeated.any():
        row = int(np.argmax(repeated))
        hint = "number repeated answers in a column 'sample'" if samples else "keep one of them"
        raise RatingsError(
            f"{what}: rater {table.raters[table.rater[row]]!r} rated category "
            f"{table.categories[table.category[row]]!r} of item {table.items[table.item[row]]!r} more than once "
            f"({int(repeated.sum()):,} such rows); {hint}."
        )


def cell_means(table: Table, weight: Floats) -> Floats:
    """Weighted mean rating of each category of each item, [items, categories]; nan where there is none.

    Means that differ by rounding only, because their ratings stand in another order, are equal.
    """
    shape, cell = (len(table.items), len(table.categories)), table.units()
    total = totals(cell, weight, shape[0] * shape[1])
    means, sizes = (
        divide(totals(cell, weight * rating, total.size), total) for rating in (table.rating, np.abs(table.rating))
    )
    return merge_ties(means, sizes).reshape(shape)
