"""Reads ratings, whatever they are held in, into a `Table`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .checks import RatingsError
from .resampling import divide, totals
from .table import Floats, Ints, Numbered, Table, align, table_of

COLUMNS = ("item", "rater", "rating")  # of a long table; `category` and `sample` may be there too


def read_ratings(ratings: Any, *, what: str = "ratings", samples: bool = False) -> Table:
    """Ratings from an array or from a long table.

    Args:
        ratings: numbers [raters, items] or [raters, items, categories] with nan or None for gaps; or a table with the
            columns item, rater, rating and optionally category and sample: a mapping of columns, a pandas DataFrame,
            a `datasets.Dataset`, an Arrow table. A missing rating in a table is a gap.
        what: the argument's name, for messages.
        samples: whether a rater may have rated a cell more than once, each time with another `sample` number.

    Returns:
        The ratings that are there, as a `Table`.

    Raises:
        RatingsError: text, infinities, a wrong shape, missing columns, empty names, a cell rated twice, no rating.

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
    frame = _frame(ratings)
    table = _from_array(_numbers(ratings, what), what) if frame is None else _from_frame(frame, what, samples)
    if not len(table):
        raise RatingsError(f"{what} hold no rating: every value is missing. Give at least one.")
    return table


def _frame(ratings: Any) -> pd.DataFrame | None:
    if isinstance(ratings, pd.DataFrame):
        return ratings
    if hasattr(ratings, "to_pandas") and hasattr(ratings, "column_names"):
        return ratings.to_pandas()
    if isinstance(ratings, Mapping):
        try:
            columns = {name: c if hasattr(c, "__array__") else list(c) for name, c in ratings.items()}
            return pd.DataFrame({str(name): column for name, column in columns.items()})
        except (ValueError, TypeError) as error:
            raise RatingsError(f"The columns of the ratings table do not fit together: {error}.") from error
    return None


def _numbers(values: Any, what: str) -> Floats:
    """Values as float64, None as nan; text, complex numbers and infinities are errors."""
    try:
        raw = np.asarray(values) if hasattr(values, "__array__") else np.asarray(values, dtype=object)
        if raw.dtype.kind not in "biufO":
            raise TypeError(f"they are of type {raw.dtype}")
        if texts := [value for value in raw.flat if isinstance(value, str | bytes)] if raw.dtype == object else []:
            raise TypeError(f"found the text {texts[0]!r}")
        numbers = raw.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise RatingsError(f"{what} must be numbers in a full array, with nan or None for gaps: {error}.") from error
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
    if missing := [name for name in COLUMNS if name not in frame.columns]:
        raise RatingsError(f"{what} lack the columns {missing}; found {list(map(str, frame.columns))}.")
    column = frame["rating"]
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
    cells = column.to_numpy() if plain else column.astype(object).where(column.notna(), None).to_numpy()
    rating = _numbers(cells, f"{what}' column 'rating'")
    item, items = _codes(frame, "item", what)
    rater, raters = _codes(frame, "rater", what)
    category, categories = _codes(frame, "category", what) if "category" in frame else (np.zeros_like(item), ("",))
    if samples and "sample" in frame and frame["sample"].notna().any():
        sample, numbers = pd.factorize(frame["sample"].astype("object").where(frame["sample"].notna(), ""))
        rater, pairs = pd.factorize(rater * len(numbers) + sample)
        raters = tuple(f"{raters[pair // len(numbers)]}#{numbers[pair % len(numbers)]}" for pair in pairs)
    given = ~np.isnan(rating)
    table = table_of(item, rater, category, rating, items, raters, categories)
    table = table if given.all() else table.rows(given)
    _once(table, what, samples)
    return table


def _codes(frame: pd.DataFrame, column: str, what: str) -> tuple[Ints, tuple[str, ...]]:
    codes, names = pd.factorize(frame[column])
    if codes.min(initial=0) < 0:
        row = int(np.argmax(codes < 0))
        raise RatingsError(f"{what}' column {column!r} is empty in row {row}; every rating needs one.")
    return codes, tuple(map(str, names))


def _once(table: Table, what: str, samples: bool) -> None:
    """Raise if a rater rated a cell twice."""
    size = len(table.items) * len(table.raters) * len(table.categories)
    if size <= 4 * len(table) and np.bincount(table.cell).max() == 1:
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


def read_model(predictions: Any, references: Table) -> tuple[Floats, int]:
    """One model's ratings, samples averaged, on the references' items and categories.

    Args:
        predictions: [items], [items, categories] or [samples, items, categories]; or a long table, repeated answers
            numbered in the column sample.
        references: what the model is compared with.

    Returns:
        ([items, categories], nan where the model said nothing; number of ratings of other items or categories).

    Raises:
        RatingsError: as `read_ratings`, or a table with several raters, or no shared item or category.
    """
    frame = _frame(predictions)
    if frame is None:
        numbers = _numbers(predictions, "predictions")
        if numbers.ndim not in (1, 2, 3):
            raise RatingsError(
                f"predictions have shape {list(numbers.shape)}; valid: [items], [items, categories], "
                "[samples, items, categories], or a long table."
            )
        table = read_ratings(numbers if numbers.ndim == 3 else numbers[None], what="predictions")
    else:
        if "rater" in frame and frame["rater"].nunique() > 1:
            raise RatingsError(
                f"predictions hold {frame['rater'].nunique()} raters, such as {list(frame['rater'].unique()[:3])}; "
                "give one model at a time, and number its repeated answers in a column 'sample'."
            )
        table = read_ratings(frame.assign(rater="model"), what="predictions", samples=True)
    aligned = align(table, references)
    return cell_means(aligned, np.ones(len(aligned))), len(table) - len(aligned)


def cell_means(table: Table, weight: Floats) -> Floats:
    """Weighted mean rating of each category of each item, [items, categories]; nan where there is none."""
    shape, cell = (len(table.items), len(table.categories)), table.units()
    total = totals(cell, weight, shape[0] * shape[1])
    return divide(totals(cell, weight * table.rating, total.size), total).reshape(shape)
