"""Columns of several Parquet files as one table."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.frames import read_frame
from emohub.errors import SourceError

TEXT = st.sampled_from(["", "a", "b", "ä", "a longer one"]) | st.none()


def files_of(folder: Path, *tables: pa.Table, rows: int | None = None) -> list[str]:
    paths = [folder / f"{number}.parquet" for number in range(len(tables))]
    for path, table in zip(paths, tables, strict=True):
        pq.write_table(table, path, row_group_size=rows)
    return [*map(str, paths)]


@given(st.lists(st.lists(st.tuples(TEXT, st.integers(0, 9) | st.none()), max_size=9), min_size=1, max_size=3))
def test_rows_are_those_of_pandas_in_the_order_of_the_files(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[str | None, int | None]]]
) -> None:
    tables = [
        pa.table(
            {"item": pa.array([text for text, _ in part], pa.string()), "n": pa.array([n for _, n in part], "int8")}
        )
        for part in parts
    ]
    files = files_of(tmp_path_factory.mktemp("frames"), *tables, rows=4)
    found = read_frame(files, wanted=lambda _: True, repeated=lambda _: True)
    expected = pd.concat([pd.read_parquet(file, dtype_backend="pyarrow") for file in files], ignore_index=True)
    assert found.dtypes["item"] == "category"
    for name in ("item", "n"):
        assert [None if pd.isna(one) else one for one in found[name]] == [
            None if pd.isna(one) else one for one in expected[name]
        ]


def test_only_wanted_columns_are_read_and_text_stays_text_where_it_hardly_repeats(tmp_path: Path) -> None:
    table = pa.table({"item": ["x", "y"], "image": [b"1", b"2"], "ratings": [[{"rater": "r", "v": 1.0}], []]})
    found = read_frame(files_of(tmp_path, table), wanted=lambda one: one.name != "image", repeated=lambda _: False)
    assert list(found) == ["item", "ratings"] and found["item"].to_list() == ["x", "y"]
    assert found.dtypes["item"] != "category" and found["ratings"][0][0] == {"rater": "r", "v": 1.0}


def test_a_column_that_a_file_lacks_is_null_there(tmp_path: Path) -> None:
    files = files_of(tmp_path, pa.table({"item": ["x"]}), pa.table({"item": ["y"], "gender": ["woman"]}))
    found = read_frame(files, wanted=lambda _: True, repeated=lambda _: True)
    assert found["item"].to_list() == ["x", "y"] and found["gender"].isna().to_list() == [True, False]


def test_no_wanted_column_leaves_the_rows(tmp_path: Path) -> None:
    found = read_frame(files_of(tmp_path, pa.table({"item": ["x", "y"]})), lambda _: False, lambda _: True)
    assert found.shape == (2, 0)


@pytest.mark.parametrize("left", [0, 40, 300])
def test_a_broken_file_is_named(tmp_path: Path, left: int) -> None:
    (file,) = files_of(tmp_path, pa.table({"item": [f"item {number}" for number in range(1000)]}))
    whole = Path(file).read_bytes()
    for broken in (whole[:left], whole[:4] + b"\xff" * 200 + whole[204:]):
        Path(file).write_bytes(broken)
        with pytest.raises(SourceError, match=r"0\.parquet cannot be read.*Build or download it again"):
            read_frame([file], wanted=lambda _: True, repeated=lambda _: True)
