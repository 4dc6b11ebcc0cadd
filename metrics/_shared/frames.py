"""Tables of any kind as one kind, a pandas DataFrame of the columns that matter, and their names as numbers."""

import importlib
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .checks import RatingsError
from .table import Ints

COLUMNS = ("item", "rater", "rating")
OPTIONAL = ("category", "sample", "step")
TABLES = (
    f"a table with the columns {', '.join(COLUMNS)} and optionally category (a pandas, polars or Arrow table, a "
    "DuckDB relation, a datasets.Dataset, a dict of columns, a list of records)"
)


SAMPLE = 1000  # rows that show in which order names stand


def frame_of(ratings: Any, what: str) -> pd.DataFrame | None:
    """The columns that matter of a long table, rows numbered from 0; None where the ratings are an array.

    Args:
        ratings: anything.
        what: the argument's name, for messages.

    Raises:
        RatingsError: a table that cannot be read, a column that stands there twice.
    """
    frame = _pandas(ratings, what)
    if frame is None:
        return None
    names = [str(name) for name in frame.columns]
    for name in (*COLUMNS, *OPTIONAL):
        if names.count(name) > 1:
            raise RatingsError(f"{what} have the column {name!r} {names.count(name)} times; keep one. Found: {names}.")
    if not set(COLUMNS) & set(names):
        raise RatingsError(f"{what} lack the columns {list(COLUMNS)}; found {names}. {_hint(frame)}")
    at = [number for number, name in enumerate(names) if name in (*COLUMNS, *OPTIONAL)]
    frame = frame.iloc[:, at].reset_index(drop=True)
    return frame.set_axis([names[number] for number in at], axis=1)


def require_columns(frame: pd.DataFrame, needed: tuple[str, ...], what: str) -> None:
    """Raise unless the table has these columns and a row."""
    if missing := [name for name in needed if name not in frame.columns]:
        raise RatingsError(f"{what} lack the columns {missing}; found {list(frame.columns)}. Valid: {TABLES}.")
    if frame.empty:
        raise RatingsError(f"{what} hold no rating: the table has no rows. Give at least one rating.")


def _hint(frame: pd.DataFrame) -> str:
    if set(COLUMNS) & {str(name) for name in frame.index.names}:
        return "The index has them: give frame.reset_index()."
    return f"Valid: {TABLES}. For a matrix of one row per rater give its array, frame.to_numpy()."


def _pandas(ratings: Any, what: str) -> pd.DataFrame | None:
    if isinstance(ratings, pd.DataFrame):
        return ratings
    if isinstance(ratings, Mapping):
        return _of_columns(ratings, what)
    if isinstance(ratings, np.ndarray):
        return None if ratings.dtype.names is None else _of_columns({n: ratings[n] for n in ratings.dtype.names}, what)
    if isinstance(ratings, list | tuple):
        return _of_records(ratings, what)
    if hasattr(ratings, "to_pandas") and hasattr(ratings, "select_columns"):  # datasets: only what is needed is read
        names = [name for name in ratings.column_names if name in (*COLUMNS, *OPTIONAL)]
        return (ratings.select_columns(names) if names else ratings).to_pandas()
    return _foreign(ratings, what)


def _foreign(ratings: Any, what: str) -> pd.DataFrame | None:
    """Tables of other libraries, read by narwhals; it is imported only where there is such a table."""
    marks = ("columns", "column_names", "collect_schema", "__arrow_c_stream__", "__dataframe__")
    if isinstance(ratings, pd.Series) or not any(hasattr(type(ratings), mark) for mark in marks):
        return None
    kind = f"{type(ratings).__module__}.{type(ratings).__name__}"
    try:
        nw = importlib.import_module("narwhals.stable.v2")
    except ImportError as error:
        raise RatingsError(f"A {kind} is read by narwhals: pip install narwhals, or give a dict of lists.") from error
    try:
        native = nw.from_native(ratings, pass_through=True, allow_series=True)
        if isinstance(native, nw.Series):
            return None
        if not isinstance(native, nw.DataFrame | nw.LazyFrame):
            native = nw.from_arrow(ratings, backend="pyarrow")
    except nw.exceptions.DuplicateError as error:
        raise RatingsError(f"{what} have a column twice; keep one: {error}.") from error
    except (TypeError, ValueError) as error:
        raise RatingsError(f"{what} are a {kind}, which cannot be read: {error}. Valid: {TABLES}.") from error
    # DuckDB's relations may name a column twice, which their schema does not show.
    found = ratings.columns if native.implementation.is_duckdb() else native.collect_schema().names()
    names = [name for name in found if name in (*COLUMNS, *OPTIONAL)]
    if len(set(names)) < len(names):
        raise RatingsError(f"{what} have a column twice; keep one. Found: {found}.")
    native = native.select(names) if names else native
    native = native.collect() if isinstance(native, nw.LazyFrame) else native
    return _of_arrow(native.to_native()) if native.implementation.is_pyarrow() else native.to_pandas()


def _of_arrow(table: pa.Table) -> pd.DataFrame:
    """Text as categories: their numbers take a fraction of the memory of the text."""
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            table = table.set_column(at, field.name, table.column(at).dictionary_encode())
    return table.unify_dictionaries().to_pandas()


def _of_records(rows: list[Any] | tuple[Any, ...], what: str) -> pd.DataFrame | None:
    """A list of records (dicts, named tuples, rows of a database) as a table; None where it is an array."""
    named = [hasattr(row, "keys") or hasattr(row, "_fields") for row in rows]
    if not any(named) or isinstance(rows[0], pd.DataFrame | pd.Series):
        return None
    if not all(named):
        other = named.index(False)
        raise RatingsError(f"{what} mix records and other values: row {other} is {rows[other]!r:.80}. Give one kind.")
    return pd.DataFrame([row._asdict() if hasattr(row, "_fields") else dict(row) for row in rows], dtype=object)


def _of_columns(columns: Mapping[Any, Any], what: str) -> pd.DataFrame:
    if columns and all(hasattr(column, "column_names") for column in columns.values()):
        raise RatingsError(f"{what} are several tables, {list(columns)}; give one of them.")
    if missing := [name for name in COLUMNS[::2] if name not in map(str, columns)]:
        raise RatingsError(f"{what} lack the columns {missing}; found {list(map(str, columns))}. Valid: {TABLES}.")
    wanted = {name: column for name, column in columns.items() if str(name) in (*COLUMNS, *OPTIONAL)}
    plain = {str(name): _column(column, f"{what}' column {name!r}") for name, column in wanted.items()}
    try:
        return pd.DataFrame(plain)
    except (ValueError, TypeError) as error:
        raise RatingsError(f"The columns of the {what} table do not fit together: {error}.") from error


def _column(values: Any, what: str) -> Any:
    """The values of a column in their order; a pandas index, by which columns would be aligned, is left behind."""
    if isinstance(values, str | bytes | Mapping | set | frozenset) or not hasattr(values, "__iter__"):
        raise RatingsError(f"{what} is {values!r:.80}; a column is a list or array with one value per row.")
    if isinstance(values, np.ma.MaskedArray):
        return unmasked(values)
    if isinstance(values, pd.Series | pd.Index):
        return values.array
    if hasattr(values, "to_pandas"):  # a polars or Arrow column
        return values.to_pandas().array
    return np.asarray(values) if hasattr(values, "__array__") else list(values)


def codes_of(frame: pd.DataFrame, column: str, what: str) -> tuple[Ints, tuple[str, ...]]:
    """Each row's number of its name, and the names in order of appearance; values with one name are one.

    Raises:
        RatingsError: an empty cell, or one that is no name.
    """
    try:
        codes, found = _factorized(frame[column])
    except TypeError as error:
        raise RatingsError(f"{what}' column {column!r} must hold text or numbers: {error}.") from error
    if codes.min(initial=0) < 0:
        row = int(np.argmax(codes < 0))
        raise RatingsError(f"{what}' column {column!r} is empty in row {row}; every rating needs one.")
    number: dict[str, int] = {}
    merged = [number.setdefault(name_of(value), len(number)) for value in np.asarray(found, dtype=object)]
    return codes if len(number) == len(merged) else np.asarray(merged)[codes], tuple(number)


def _factorized(column: pd.Series) -> tuple[Ints, Any]:
    """As `pd.factorize`; text that stands in runs, or in the same order again and again, is looked up once."""
    if not isinstance(column.dtype, pd.StringDtype) or len(column) <= SAMPLE:
        return pd.factorize(column)
    text, first = pa.array(column), column.iloc[:SAMPLE].to_numpy(dtype=object)
    if np.count_nonzero(first[1:] != first[:-1]) <= SAMPLE // 4:
        runs = [pc.run_end_encode(chunk) for chunk in getattr(text, "chunks", [text])]
        codes, found = pd.factorize(pa.chunked_array([one.values for one in runs]).to_pandas())
        lengths = np.concatenate([np.diff(one.run_ends.to_numpy(), prepend=0) for one in runs])
        return np.repeat(codes, lengths), found
    period = int(np.argmax(first[1:] == first[0])) + 1
    if (first[period:] == first[:-period]).all() and pc.all(
        pc.equal(text[period:], text[:-period]), skip_nulls=False
    ).as_py():
        codes, found = pd.factorize(column.iloc[:period])
        return np.resize(codes, len(column)), found
    return pd.factorize(column)


def name_of(value: Any) -> str:
    """The name that a value stands for: 7, 7.0 and "7" are one item.

    >>> [name_of(value) for value in (7, 7.0, "7", 7.5, b"seven", True)]
    ['7', '7', '7', '7.5', 'seven', 'True']
    """
    if isinstance(value, float | np.floating | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", str(value))


def unmasked(values: Any) -> Any:
    """None where NumPy's mask is set, in arrays and in lists of them."""
    if isinstance(values, np.ma.MaskedArray):
        return values.tolist()
    if isinstance(values, list | tuple) and any(isinstance(one, np.ma.MaskedArray | list | tuple) for one in values):
        return [unmasked(one) for one in values]
    return values


def listed(ratings: Any) -> Any:
    """What can be read only once, an iterator or a stream of Arrow batches, as a list or table."""
    if hasattr(ratings, "read_all"):
        return ratings.read_all()
    return list(ratings) if isinstance(ratings, Iterator) else ratings


def groups_of(groups: Any, items: Sequence[str], what: str) -> Ints:
    """The number [items] of each item's group, as a user names them.

    Args:
        groups: {item: group}, or the groups in the order of the items; None: all items are one group.
        items: names of the items.
        what: the argument's name, for messages.

    Raises:
        RatingsError: an item without a group.
    """
    if groups is None:
        return np.zeros(len(items), dtype=np.int64)
    pairs = groups.items() if isinstance(groups, Mapping) else zip(items, groups, strict=False)
    named = {name_of(item): name_of(group) for item, group in pairs}
    missing = [item for item in items if item not in named]
    if missing or (not isinstance(groups, Mapping) and len(groups) != len(items)):
        raise RatingsError(
            f"{what} name {len(groups)} of {len(items)} items"
            + (f"; {missing[:3]} have none" if missing else "")
            + f". Give one of the {what} for every item, as {{item: …}} or in the order of the items."
        )
    return np.unique([named[item] for item in items], return_inverse=True)[1]
