"""The RATINGS of a report: output folders of `emohub rate`, or tables of ratings from elsewhere."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.data.ratings import REQUIRED, Scale, validate_ratings
from emohub.errors import RatingsError, SourceError, listed, printable
from emohub.hub.json_files import read_json
from emohub.rate.outputs import RATINGS, RECORD
from emohub.rate.raters.table import FORMATS, read_table
from emohub.rate.reading import resolve


@dataclass(frozen=True)
class Given:
    """Ratings that belong to a study.

    Attributes:
        path: Where they come from.
        frame: Their rows.
        run: `run.json` of `emohub rate`; empty for a table.
    """

    path: Path
    frame: pd.DataFrame
    run: Mapping[str, Any]

    @property
    def protocol(self) -> str:
        """How the rater was asked; empty where that is not known or where it answers no questions."""
        name = str(self.run.get("protocol", {}).get("name", ""))
        return "" if name == "scores" else name

    def config(self) -> str:
        """The config that was rated; empty for a table."""
        return str(self.run.get("dataset", {}).get("config", ""))

    def checked(self, scale: Scale) -> pd.DataFrame:
        """The rows with the categories' own names.

        Raises:
            RatingsError: an unknown category, or a row that breaks the schema.
        """
        names = {name: resolve(str(name), scale.categories) for name in self.frame["category"].dropna().unique()}
        if unknown := [printable(name, 60) for name, found in names.items() if found is None]:
            raise RatingsError(
                f"{self.path}: {len(unknown)} names are no category of the dataset:\n{listed(unknown)}\n"
                f"Valid: {', '.join(scale.categories)[:600]}."
            )
        frame = self.frame.assign(category=self.frame["category"].map(names))
        try:
            return validate_ratings(frame, categories=scale.categories, scale=scale.ends)
        except RatingsError as error:
            raise RatingsError(f"{self.path}: {error}") from error


def read_given(path: Path) -> Given:
    """Read ratings.

    Args:
        path: A folder that `emohub rate` wrote, or a table of CSV, Parquet or JSON lines, one row per rating.

    Raises:
        SourceError: there are no ratings.
        RatingsError: a table lacks columns.
    """
    if path.is_dir():
        if not (path / RECORD).is_file() or not (path / RATINGS).is_file():
            raise SourceError(
                f"{path} is no finished output of `emohub rate`: {RECORD} or {RATINGS} is missing. Run it to its end "
                "with the same command, or give a table."
            )
        return Given(path, pd.read_parquet(path / RATINGS), read_json(path / RECORD))
    if path.suffix.lower() not in FORMATS:
        raise SourceError(f"{path} is no table of ratings: give a folder of `emohub rate`, or {', '.join(FORMATS)}.")
    frame = read_table(path)
    if missing := [name for name in REQUIRED if name not in frame and name != "kind"]:
        raise RatingsError(
            f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(map(str, frame))[:300]}. A table of "
            "another form becomes one by `emohub rate --rater table:FILE`."
        )
    frame = frame.assign(item=frame["item"].astype(str), rater=frame["rater"].astype(str))
    return Given(path, frame if "kind" in frame else frame.assign(kind="model"), {})


def rows_of(frame: pd.DataFrame, items: Collection[str]) -> tuple[pd.DataFrame, int]:
    """The rows about some items, and how many are about others."""
    inside = frame["item"].isin(list(items))
    return frame[inside], int((~inside).sum())
