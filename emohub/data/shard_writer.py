"""Rows to Parquet shards as `datasets` writes them: features, page index, chunks by content; media are copied once."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from datasets import Features
from datasets.arrow_writer import ParquetWriter


class ShardWriter:
    """Writes shards one after the other, a row group at a time.

    `datasets` would turn every column into Python objects and back before it writes it, and copy media twice more to
    look for files that have to be read.

    Args:
        features: The columns.
        path: The path of the shard with this number, from 0.
        most_bytes: A shard that is larger is followed by another one.
        batch: Rows in memory at once, which are a row group.

    Attributes:
        lengths: Rows of each shard that was begun.
        size: Bytes in memory of all rows.
    """

    def __init__(self, features: Features, path: Callable[[int], str], most_bytes: int, batch: int) -> None:
        self.lengths: list[int] = []
        self.size = 0
        self._features, self._path, self._most, self._batch = features, path, most_bytes, batch
        self._schema = features.arrow_schema
        self._rows: list[dict[str, Any]] = []
        self._writer: ParquetWriter | None = None
        self._room = 0

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row, its classes as names or numbers."""
        self._rows.append(self._features.encode_example(row))
        if len(self._rows) >= self._batch:
            self._flush()

    def close(self) -> None:
        """Write what is left; without any row, a shard without rows."""
        if self._rows or not self.lengths:
            self._flush()
        self._end()

    def _flush(self) -> None:
        table = pa.Table.from_pylist(self._rows, schema=self._schema)
        self._rows = []
        if self._writer is None or self._room < 0:
            self._end()
            self._writer = ParquetWriter(
                features=self._features, path=self._path(len(self.lengths)), writer_batch_size=self._batch
            )
            self._room = self._most
            self.lengths.append(0)
        self._writer.write_table(table)
        self._room -= table.nbytes
        self.size += table.nbytes
        self.lengths[-1] += len(table)

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.finalize()
            self._writer.close()
            self._writer = None
