"""A table is the same ratings whatever holds it, names are names, and what cannot be read is said with what can."""

import importlib
import sqlite3
from collections import namedtuple
from decimal import Decimal
from unittest import mock

import datasets
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metrics.krippendorff_alpha import frames
from metrics.krippendorff_alpha.checks import RatingsError
from metrics.krippendorff_alpha.frames import name_of
from metrics.krippendorff_alpha.ratings import numbers_of, read_ratings

NAN = float("nan")
# Krippendorff's own example: four observers, twelve units, gaps.
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
ROWS = [
    {"item": item, "rater": rater, "rating": None if np.isnan(value) else int(value)}
    for (rater, item), value in np.ndenumerate(OBSERVERS)
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
FRAME = pd.DataFrame(COLUMNS)
Record = namedtuple("Record", "item rater rating")


def in_sqlite() -> list[sqlite3.Row]:
    with sqlite3.connect(":memory:") as connection:
        connection.row_factory = sqlite3.Row
        FRAME.to_sql("t", connection, index=False)
        return connection.execute("SELECT * FROM t").fetchall()


def in_duckdb() -> duckdb.DuckDBPyRelation:
    table = pa.Table.from_pylist(ROWS)
    return duckdb.connect().from_arrow(table).project("*, 'text' AS other")


HOLDERS = {
    "pandas": lambda: FRAME,
    "pandas with another index": lambda: FRAME.sample(frac=1, random_state=0),
    "pandas nullable": lambda: FRAME.convert_dtypes(),
    "pandas Arrow": lambda: FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "pandas categorical": lambda: FRAME.astype("category"),
    "pandas objects": lambda: FRAME.astype(object),
    "pandas index": lambda: FRAME.set_index(["item", "rater"]).reset_index(),
    "polars": lambda: pl.DataFrame(ROWS),
    "polars lazy": lambda: pl.DataFrame(ROWS).lazy(),
    "polars decimals": lambda: pl.DataFrame(ROWS).with_columns(pl.col("rating").cast(pl.Decimal(10, 2))),
    "polars enum": lambda: pl.DataFrame(ROWS).with_columns(
        pl.col("rater").cast(pl.String).cast(pl.Enum(list("3210")))
    ),
    "Arrow": lambda: pa.Table.from_pylist(ROWS),
    "Arrow batch": lambda: pa.RecordBatch.from_pylist(ROWS),
    "Arrow reader": lambda: pa.Table.from_pylist(ROWS).to_reader(),
    "Arrow dictionary": lambda: pa.table({n: pa.array(c).dictionary_encode() for n, c in COLUMNS.items()}),
    "DuckDB relation": in_duckdb,
    "DuckDB fetchnumpy": lambda: in_duckdb().fetchnumpy(),
    "DuckDB Arrow": lambda: in_duckdb().to_arrow_table(),
    "DuckDB data frame": lambda: in_duckdb().df(),
    "datasets": lambda: datasets.Dataset.from_list(ROWS),
    "datasets filtered": lambda: datasets.Dataset.from_list(ROWS + ROWS[:5]).select(range(len(ROWS))),
    "dict of lists": lambda: COLUMNS,
    "dict of arrays": lambda: {name: np.asarray(column) for name, column in COLUMNS.items()},
    "dict of masked arrays": lambda: {
        name: np.ma.MaskedArray([v or 0 for v in column], [v is None for v in column])
        for name, column in COLUMNS.items()
    },
    "dict of pandas columns, indices apart": lambda: {
        name: pd.Series(column, index=range(at, at + len(column)), dtype=object)
        for at, (name, column) in enumerate(COLUMNS.items())
    },
    "dict of polars columns": lambda: {name: pl.Series(column) for name, column in COLUMNS.items()},
    "dict of Arrow columns": lambda: {name: pa.chunked_array([column]) for name, column in COLUMNS.items()},
    "records": lambda: ROWS,
    "generator of records": lambda: iter(ROWS),
    "polars records": lambda: pl.DataFrame(ROWS).rows(named=True),
    "named tuples": lambda: [Record(**row) for row in ROWS],
    "pandas tuples": lambda: list(FRAME.itertuples()),
    "NumPy records": lambda: FRAME.to_records(index=False),
    "SQLite rows": in_sqlite,
    "array": lambda: OBSERVERS,
    "array of objects": lambda: np.where(np.isnan(OBSERVERS), None, OBSERVERS),
    "masked array": lambda: np.ma.MaskedArray(np.nan_to_num(OBSERVERS), np.isnan(OBSERVERS)),
    "list of masked arrays": lambda: [np.ma.MaskedArray(np.nan_to_num(row), np.isnan(row)) for row in OBSERVERS],
    "list with masked values": lambda: [[np.ma.masked if np.isnan(v) else v for v in row] for row in OBSERVERS],
    "list with pandas gaps": lambda: [[pd.NA if np.isnan(v) else v for v in row] for row in OBSERVERS],
    "list of rows": lambda: OBSERVERS.tolist(),
    "tuple of polars columns": lambda: tuple(pl.Series(row).fill_nan(None) for row in OBSERVERS),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_the_same_ratings_whatever_holds_them(hold, metric) -> None:
    """The published value (Krippendorff 2011, section D): .815; 41 raters and .251 once came from a polars table."""
    result = metric.compute(ratings=hold(), level="ordinal")
    assert round(result["krippendorff_alpha"], 3) == 0.815
    assert (result["n_raters"], result["n_items"], result["n_ratings"]) == (4, 12, 41)


SAME = {
    "numbers and text": [1, "1", 2, 2, 3, "3"],
    "text": list("112233"),
    "whole floats": [1.0, 1, 2, 2.0, "3", 3],
    "decimals": [Decimal("1.00"), 1, 2, 2, 3, 3],
    "NumPy numbers": [np.int8(1), np.float32(1), 2, 2, np.uint64(3), 3],
    "bytes": [b"1", "1", 2, 2, 3, 3],
}


@pytest.mark.parametrize("names", SAME.values(), ids=SAME)
@pytest.mark.parametrize("column", ["item", "rater", "category"])
def test_one_name_is_one_item_rater_and_category(names: list, column: str) -> None:
    table = {"item": list("abcdef"), "rater": list("uvwxyz"), "category": list("ghijkl"), "rating": [1, 2, 2, 2, 3, 1]}
    found = read_ratings(pd.DataFrame(table | {column: pd.array(names, dtype=object)}))
    assert tuple({"item": found.items, "rater": found.raters, "category": found.categories}[column]) == ("1", "2", "3")


NAMES = st.sampled_from(["é", "e\u0301", "b", "", "7", None])
RUNS = st.lists(st.tuples(NAMES, st.integers(1, 9)), min_size=1).map(
    lambda runs: [n for n, t in runs for _ in range(t)]
)
CYCLES = st.tuples(st.lists(NAMES, min_size=1, max_size=5), st.integers(1, 40)).map(
    lambda both: (both[0] * 9)[: both[1]]
)


@given(RUNS | CYCLES | st.lists(NAMES, min_size=1), st.sampled_from([1, 4, 8]), st.booleans())
@example(["b", "7"] * 9 + ["b", None], 8, False)  # equal to what stands a period before, as far as that is known
def test_the_order_of_names_changes_no_number(names: list[str | None], sample: int, chunked: bool) -> None:
    parts = [pd.Series(part, dtype="str") for part in ([names, names[::-1]] if chunked else [names])]
    frame = pd.DataFrame({"item": pd.concat(parts, ignore_index=True)})
    assert getattr(pa.array(frame["item"]), "num_chunks", 1) == len(parts)
    codes, found = pd.factorize(frame["item"])
    with mock.patch.object(frames, "SAMPLE", sample):
        ours, ours_found = frames._factorized(frame["item"])
        assert ours.tolist() == codes.tolist() and list(ours_found) == list(found)
        if frame["item"].isna().any():
            with pytest.raises(RatingsError, match=f"empty in row {int(frame['item'].isna().argmax())};"):
                frames.codes_of(frame, "item", "ratings")


def test_names_in_two_unicode_forms_are_one() -> None:
    table = read_ratings({"item": ["caf\u00e9", "cafe\u0301"], "rater": ["x", "y"], "rating": [1, 2]})
    assert table.items == ("caf\u00e9",)


@given(st.integers() | st.floats(allow_nan=False) | st.text() | st.booleans())
def test_a_name_is_text_and_whole_numbers_have_no_point(value: object) -> None:
    name = name_of(value)
    assert isinstance(name, str) and name_of(name) == name
    if isinstance(value, float) and value.is_integer():
        assert name == str(int(value))


def test_both_sides_meet_by_name() -> None:
    correlate = importlib.import_module("metrics.rating_correlation.rating_correlation").analyse
    humans = {"item": [1, 2, 3, 4], "rater": ["x"] * 4, "rating": [1, 2, 3, 5]}
    model = pl.DataFrame({"item": ["4", "3", "2", "1"], "rating": [5.0, 3.0, 2.0, 1.0]})
    assert correlate(model, humans)["rating_correlation"] == pytest.approx(1)


ONE = {"item": ["a", "b"], "rater": ["x", "y"], "rating": [1, 2]}
TABLE = pd.DataFrame(ONE)
BAD = {
    "empty": (TABLE[:0], "the table has no rows"),
    "empty polars": (pl.DataFrame(ONE).clear(), "the table has no rows"),
    "empty columns": (dict.fromkeys(ONE, ()), "the table has no rows"),
    "no records": ([], "shape \\[0\\]; valid"),
    "no columns": ({}, "lack the columns .'item', 'rating'."),
    "repeated column": (pd.concat([TABLE, TABLE[["rating"]]], axis=1), "column 'rating' 2 times; keep one"),
    "repeated Arrow column": (
        pa.table([pa.array([1])] * 4, names=["item", "rater", "rating", "rating"]),
        "column twice; keep one",
    ),
    "repeated DuckDB column": (
        duckdb.sql("SELECT 1 AS item, 1 AS rater, 1 AS rating, 2 AS item"),
        "have a column twice; keep one. Found",
    ),
    "other columns": (
        pl.DataFrame({"a": [1, 2], "b": [3, 4]}),
        r"lack the columns .*; found \['a', 'b'\].*Valid: a tabl",
    ),
    "matrix": (pd.DataFrame(OBSERVERS), r"one row per rater give its array, frame.to_numpy\(\)"),
    "index": (TABLE.set_index(["item", "rater"]), r"reset_index\(\)|lack the columns"),
    "one column short": (pl.DataFrame(ONE).drop("rater"), r"lack the columns \['rater'\]; found"),
    "to_dict": (TABLE.to_dict(), "column 'item' is {0: 'a', 1: 'b'}; a column is a list"),
    "text as a column": (ONE | {"item": "ab"}, "column 'item' is 'ab'; a column is"),
    "set as a column": (ONE | {"item": {"a", "b"}}, "a column is a list or array"),
    "number as a column": (ONE | {"item": 1}, "column 'item' is 1; a column is"),
    "uneven": (ONE | {"rating": [1]}, "do not fit together"),
    "two-dimensional column": (ONE | {"rating": np.ones((2, 2))}, "do not fit together"),
    "lists as names": (ONE | {"item": [["a"], ["b"]]}, "'item' must hold text or numbers"),
    "structs as names": (pl.DataFrame(ONE).with_columns(item=pl.struct("item")), "must hold text or numbers"),
    "gap in a name": (pl.DataFrame(ONE | {"item": ["a", None]}), "'item' is empty in row 1"),
    "masked name": (ONE | {"item": np.ma.MaskedArray(["a", "b"], [False, True])}, "'item' is empty in row 1"),
    "text as ratings": (pl.DataFrame(ONE | {"rating": ["1", "2"]}), "found the text '1'"),
    "dates as ratings": (ONE | {"rating": pd.to_datetime(["2020-01-01"] * 2)}, "must be numbers"),
    "records and lists": (
        [{"item": "a", "rater": "x", "rating": 1}, ["b", "x", 2]],
        "row 1 is .'b', 'x', 2.. Give one",
    ),
    "rows without names": ([("a", "x", 1), ("b", "y", 2)], "found the text 'a'.*a list of records"),
    "several tables": (datasets.DatasetDict(train=datasets.Dataset.from_dict(ONE)), r"several tables, \['train'\]"),
    "something else": (object(), "they are a builtins.object.*Valid: an array .raters, items."),
    "a connection": (duckdb.connect(), "DuckDBPyConnection.*a DuckDB relation"),
    "a file's name": ("ratings.csv", "found the text 'ratings.csv'.*Valid"),
    "repeated answer": (pl.DataFrame(ROWS + ROWS[:1]), "more than once"),
}


@pytest.mark.parametrize(("ratings", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_a_clear_error(ratings: object, message: str) -> None:
    with pytest.raises(RatingsError, match=message):
        read_ratings(ratings)


def test_narwhals_is_needed_for_foreign_tables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def refuse(name: str, *args: object) -> object:
        if name.startswith("narwhals"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", refuse)
    for ratings in (ONE, TABLE, TABLE.to_dict("records"), datasets.Dataset.from_dict(ONE), OBSERVERS):
        assert len(read_ratings(ratings))
    with pytest.raises(RatingsError, match="polars.*DataFrame is read by narwhals: pip install narwhals"):
        read_ratings(pl.DataFrame(ONE))


def test_masks_are_gaps_for_two_raters_too() -> None:
    kappa = importlib.import_module("metrics.weighted_kappa.weighted_kappa").analyse
    masked = np.ma.MaskedArray([0.0, 3, 3], mask=[1, 0, 0])
    assert kappa(predictions=[1, 2, 3], references=masked)["weighted_kappa"] == 0
    assert numbers_of(masked, "x").tolist()[1:] == [3, 3]


@pytest.fixture(scope="module")
def metric():
    from metrics.krippendorff_alpha.krippendorff_alpha import KrippendorffAlpha

    return KrippendorffAlpha()
