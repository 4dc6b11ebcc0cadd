"""Shards hold what `datasets` writes of the same rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Features, Image, List, Value
from datasets.arrow_writer import ParquetWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emohub.data.shard_writer import ShardWriter, column

FEATURES = Features(
    {
        "item": Value("string"),
        "image": Image(),
        "rating": Value("float32"),
        "count": Value("int16"),
        "seen": Value("bool"),
        "kind": ClassLabel(names=["human", "model"]),
        "labels": List(ClassLabel(names=["no", "yes"])),
        "scores": List(Value("float32")),
        "whole": {"name": Value("string"), "numbers": List(Value("int64"))},
    }
)
NUMBER = st.integers(-9, 9) | st.floats(-9, 9, width=32) | st.booleans() | st.just(np.float64(1.5))
ROW = st.fixed_dictionaries(
    {
        "item": st.text() | st.integers(),
        "image": st.just({"bytes": b"\xff\xd8 and so on", "path": "a.jpg"}) | st.none(),
        "rating": NUMBER | st.none(),
        "count": NUMBER | st.none(),
        "seen": st.booleans() | st.integers(0, 1) | st.none(),
        "kind": st.sampled_from(["human", "model", 0, 1, None]),
        "labels": st.lists(st.sampled_from(["no", "yes"])) | st.lists(st.integers(0, 1)) | st.none(),
        "scores": st.lists(st.floats(width=32)) | st.lists(st.floats(width=32)).map(np.array) | st.none(),
        "whole": st.fixed_dictionaries({"name": st.text(), "numbers": st.lists(st.integers(-9, 9))}),
    }
)


def theirs(rows: list[dict[str, Any]], path: Path) -> pa.Table:
    writer = ParquetWriter(features=FEATURES, path=str(path))
    for row in rows:
        writer.write(FEATURES.encode_example(row))
    writer.finalize()
    return pq.read_table(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(ROW, min_size=1, max_size=5), batch=st.integers(1, 3), most=st.sampled_from([0, 10_000, 10**9]))
def test_the_same_values_and_schema(rows: list[dict[str, Any]], batch: int, most: int, tmp_path: Path) -> None:
    writer = ShardWriter(FEATURES, lambda number: str(tmp_path / f"{number}.parquet"), most, batch)
    for row in rows:
        writer.write(row)
    writer.close()
    found = [pq.read_table(tmp_path / f"{number}.parquet") for number in range(len(writer.lengths))]
    assert [len(table) for table in found] == writer.lengths and sum(writer.lengths) == len(rows)
    expected = theirs(rows, tmp_path / "theirs.parquet")
    assert str(pa.concat_tables(found).to_pylist()) == str(expected.to_pylist())  # nan is nan here
    assert found[0].schema.equals(expected.schema, check_metadata=False)
    assert Features.from_arrow_schema(found[0].schema) == FEATURES
    assert len(found) == (1 if most == 10**9 else -(-len(rows) // batch) if most == 0 else len(found))


def test_groups_page_index_and_a_shard_without_rows(tmp_path: Path) -> None:
    writer = ShardWriter(Features({"item": Value("string")}), lambda number: str(tmp_path / f"{number}"), 10**9, 4)
    for number in range(10):
        writer.write({"item": str(number)})
    writer.close()
    footer = pq.read_metadata(tmp_path / "0")
    assert [footer.row_group(group).num_rows for group in range(footer.num_row_groups)] == [4, 4, 2]
    assert footer.row_group(0).column(0).has_offset_index
    empty = ShardWriter(FEATURES, lambda number: str(tmp_path / "empty"), 10**9, 4)
    empty.close()
    assert empty.lengths == [0] and len(pq.read_table(tmp_path / "empty")) == 0


def test_a_class_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="someone"):
        column(ClassLabel(names=["human"]), ["human", "someone"])
