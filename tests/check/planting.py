"""A copy of a release, made of hard links, whose files are replaced and never written through."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml


class Copy:
    """Planting goes through these methods: a write through a hard link would change every copy."""

    def __init__(self, folder: Path, original: Path):
        self.folder = folder
        shutil.copytree(original, folder, copy_function=os.link)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, data: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text, f"{name} does not hold {old!r}: the defect cannot be planted"
        self.write(name, text.replace(old, new, 1))

    def append(self, name: str, text: str) -> None:
        self.write(name, self.read(name) + text)

    @contextmanager
    def json(self, name: str) -> Iterator[Any]:
        record = json.loads(self.read(name))
        yield record
        self.write(name, json.dumps(record, indent=2))

    @contextmanager
    def meta(self, name: str) -> Iterator[dict[str, Any]]:
        """The metadata of a card."""
        _, front, body = self.read(name).split("---\n", 2)
        meta = yaml.safe_load(front)
        yield meta
        self.write(name, f"---\n{yaml.safe_dump(meta, sort_keys=False, allow_unicode=True)}---\n{body}")

    def table(self, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
        """Replace a Parquet file by what `change` makes of it."""
        table = change(pq.read_table(self.folder / name))
        (self.folder / name).unlink()
        pq.write_table(table, self.folder / name)

    def rows(self, name: str, change: Callable[[list[dict[str, Any]]], None]) -> None:
        """Change the rows of a Parquet file in place, keeping its schema."""

        def changed(table: pa.Table) -> pa.Table:
            rows = table.to_pylist()
            change(rows)
            return pa.Table.from_pylist(rows, schema=table.schema)

        self.table(name, changed)
