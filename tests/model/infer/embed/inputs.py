"""Inputs and helpers of the tests of embed."""

from pathlib import Path

import pyarrow.parquet as pq

ROWS = 22


def table(out: Path):
    parts = [pq.read_table(path) for path in sorted(out.glob("*.parquet"))]
    rows = {name: [row for part in parts for row in part[name].to_pylist()] for name in parts[0].column_names}
    return rows
