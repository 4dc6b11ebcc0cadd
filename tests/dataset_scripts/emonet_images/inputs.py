"""Inputs and helpers of the tests of emonet images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_scripts.emonet_face.images import (
    index_images,
    read_images,
)
from emohub.data.problems import Problem, ProblemLog

Found = dict[str, tuple[bytes, Mapping[str, Any]]]


def read(files: Sequence[Path], log: ProblemLog) -> tuple[Found, list[Problem]]:
    found = {ref.id: (data, fields) for ref, data, fields in read_images(index_images(files, log), log)}
    return found, list(log)


def image_struct(cells: Sequence[tuple[bytes | None, str | None] | None]) -> pa.Array:
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    return pa.array([None if cell is None else {"bytes": cell[0], "path": cell[1]} for cell in cells], kind)


def write_parquet(path: Path, images: pa.Array, rows: int = 3, **columns: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"path": images, **columns}), path, row_group_size=rows)
    return path
