"""Ratings that were made elsewhere: CSV, Parquet or JSON lines, one row per rating or one per item."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from emohub.data.ratings import KINDS, WHOLE, validate_ratings
from emohub.data.source import sha256_of
from emohub.errors import EmohubError, RatingsError, SourceError, listed, printable
from emohub.hub.folders import load_shared
from emohub.hub.json_files import parse_json
from emohub.rate.rater import DirectRater, Scored
from emohub.rate.reading import resolve
from emohub.rate.scale import LinearScale
from emohub.rate.target import Target

_CSV = load_shared("metrics", "_shared", "csv_table")
FORMATS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
LONG = ("category", "rating")
ABOUT = ("item", "rater", "kind", "sample")  # columns of a wide table that are no category


@dataclass(kw_only=True)
class Rater(DirectRater):
    """A table, validated against the dataset.

    Attributes:
        scale: Lowest and highest rating in the table as LOW:HIGH, mapped linearly to the dataset's scale.
        rater_kind: What its raters are, where the table does not say: model, vlm, human or baseline.
    """

    kind = "model"
    scale: str | None = None
    rater_kind: str = "model"
    left_out: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        self.path, self.named = Path(self.what), False
        if self.path.suffix.lower() not in FORMATS:
            raise EmohubError(f"--rater is table:{self.what}; the file must end in {', '.join(FORMATS)}.")
        if self.rater_kind not in KINDS:
            raise EmohubError(f"--rater-kind is {self.rater_kind!r}; valid: {', '.join(KINDS)}.")
        self.linear = LinearScale.parse(self.scale) if self.scale else None

    @property
    def label(self) -> str:
        """The file's name, for tables without a rater."""
        return self.path.stem

    def described(self, target: Target) -> dict[str, Any]:
        """The file's digest and how it is read."""
        return {"sha256": sha256_of(self.path), "scale": self.scale, "rater_kind": self.rater_kind}

    def rate(self, target: Target, wanted: Collection[str]) -> Iterator[Scored]:
        """The table's ratings of the wanted items; items that it lacks are bad."""
        table = self._checked(self._long(read_table(self.path), target), target)
        known = {item.id for item in target.items}
        self.left_out["rows about items that are not rated here"] = int((~table["item"].isin(known)).sum())
        seen = set()
        by = ["item", "rater", "kind", "sample"]
        for (item, rater, kind, sample), rows in table[table["item"].isin(wanted)].groupby(
            by, sort=False, dropna=False
        ):
            seen.add(item)
            given = dict(zip(rows["category"], rows["rating"].astype(float), strict=True))
            yield Scored(item, given, None if pd.isna(sample) else int(sample), rater if self.named else "", kind)
        for name in wanted:
            if name not in seen:
                yield Scored(name, {}, bad=f"{self.path.name} has no rating of it")

    def notes(self) -> dict[str, Any]:
        """What was left out."""
        return {"left_out": dict(+self.left_out)}

    def _long(self, frame: pd.DataFrame, target: Target) -> pd.DataFrame:
        """One row per rating, categories under their names, on the dataset's scale."""
        if "item" not in frame:
            raise RatingsError(
                f"{self.path.name} has no column 'item'; its columns: {', '.join(map(str, frame))[:300]}."
            )
        categories = target.rated.scale.categories
        if not set(LONG) <= set(frame.columns):
            about = [name for name in frame if name in ABOUT]
            frame = frame.melt(id_vars=about, var_name="category", value_name="rating")
            empty = frame["rating"].isna() | (frame["rating"].astype(str).str.strip() == "")
            self.left_out["empty cells"] = int(empty.sum())
            frame = frame[~empty]
        names = {name: resolve(str(name), categories) for name in frame["category"].dropna().unique()}
        if unknown := [printable(name, 60) for name, found in names.items() if found is None]:
            raise RatingsError(
                f"{self.path.name}: {len(unknown)} names are no category of {target.source}:\n{listed(unknown)}\n"
                f"Valid: {', '.join(categories)[:600]}."
            )
        rating = pd.to_numeric(frame["rating"], errors="coerce")
        if (bad := rating.isna()).any():
            first = frame[bad].iloc[0]
            raise RatingsError(
                f"{self.path.name}: {int(bad.sum()):,} ratings are not numbers, the first {first['rating']!r} of item "
                f"{first['item']!r}, {first['category']}. Correct them, or leave them out."
            )
        if self.linear:
            rating = rating.map(lambda value: self.linear.to(target.rated.scale.ends, value))
        self.named = "rater" in frame
        defaults = {"rater": self.label, "kind": self.rater_kind}
        frame = frame.assign(item=frame["item"].astype(str), category=frame["category"].map(names), rating=rating)
        return frame.assign(**{name: value for name, value in defaults.items() if name not in frame})

    def _checked(self, table: pd.DataFrame, target: Target) -> pd.DataFrame:
        scale = target.rated.scale
        try:
            return validate_ratings(table, categories=scale.categories, scale=scale.ends)
        except RatingsError as error:
            raise RatingsError(f"{self.path.name}: {error}") from error


def read_table(path: Path) -> pd.DataFrame:
    """A table of any of `FORMATS`; an empty cell of CSV is null where the schema of ratings knows null.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        data = path.read_bytes()
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            return pd.DataFrame([parse_json(line) for line in data.splitlines() if line.strip()])
        table = _CSV.read_csv(data)
        return table.assign(**{name: table[name].replace("", None) for name in WHOLE if name in table})
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path} cannot be read as a table: {error}") from error
