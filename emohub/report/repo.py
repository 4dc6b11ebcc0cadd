"""A dataset repo, as far as a report reads it: its tables, a folder's or the Hub's, without media."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.data.builder import RawBuilder
from emohub.data.frames import read_frame
from emohub.data.parquet import Rows, find_rows
from emohub.dataset.registry import find
from emohub.dataset.repo import read_record


@dataclass(frozen=True)
class Repo:
    """A dataset repo.

    Attributes:
        source: Its folder, or its id on the Hub.
        wanted: Commit, branch or tag on the Hub that was asked for.
    """

    source: str
    wanted: str | None = None

    @cached_property
    def record(self) -> dict[str, Any]:
        """Its `build.json`."""
        return read_record(self.source, self.wanted)

    @property
    def dataset(self) -> str:
        """Its id in the registry, for example "chehre"."""
        return find(self.record["dataset"]).name

    @property
    def name(self) -> str:
        """Its id on the Hub, or its folder's name."""
        return Path(self.source).resolve().name if Path(self.source).is_dir() else self.source

    @property
    def builder(self) -> type[RawBuilder]:
        """The class that built it."""
        return find(self.dataset).builder

    def first(self, configs: Sequence[str]) -> str:
        """The first of some configs that it has; empty where it has none."""
        return next((config for config in configs if config in self.record["configs"]), "")

    def rows(self, config: str) -> Rows:
        """Where the rows of a config are."""
        return find_rows(self.source, config, revision=self.wanted, media=())

    def revision(self, config: str) -> str:
        """The commit on the Hub; of a folder, a digest of the config's files."""
        rows = self.rows(config)
        return rows.revision or f"sha256:{rows.fingerprint}"

    def table(self, config: str, columns: Collection[str]) -> pd.DataFrame:
        """Columns of all splits, in the order of the files; those that the config lacks are left out.

        Raises:
            SourceError: a file is broken.
        """
        files = dict.fromkeys(piece.file for pieces in self.rows(config).splits.values() for piece in pieces)
        if not files:
            return pd.DataFrame(columns=list(columns))
        return read_frame([*files], wanted=lambda field: field.name in columns, repeated=lambda _: True)
