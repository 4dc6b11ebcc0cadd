"""Which pictures reviewers rejected: the answers of a screening study, or a list of ids."""

from pathlib import Path

import pandas as pd

from emohub.errors import EmohubError, SourceError
from emohub.rate.raters.table import FORMATS, read_table
from emohub.rate.target import read_ids

KEEP = "Keep"  # category of a screening study: 1 keep, 0 reject
IN_REPO = "big-"  # how the builder of BIG begins the ids of a repo


def rejected_in(path: Path) -> set[str]:
    """Ids that more than half of the reviewers rejected, or that a list names.

    Args:
        path: The folder of `emohub study export`, its `ratings.parquet`, another table of ratings with the category
            "Keep", or a text file with one id on each line.

    Raises:
        SourceError: it cannot be read.
        EmohubError: a table without answers of a screening study.
    """
    file = path / "ratings.parquet" if path.is_dir() else path
    if file.suffix.lower() not in FORMATS:
        return {_own(id) for id in read_ids(file)}
    if not file.is_file():
        raise SourceError(f"{file} is not there. Give the folder of `emohub study export`, or a list of ids.")
    table = read_table(file)
    if lacking := [name for name in ("item", "category", "rating") if name not in table]:
        raise EmohubError(f"{file} has no column {', '.join(lacking)}; it is no table of ratings.")
    votes = table[table["category"] == KEEP]
    if votes.empty:
        found = ", ".join(map(repr, pd.unique(table["category"])[:5])) or "none"
        raise EmohubError(f"{file} has no answers of a screening study, category {KEEP!r}; its categories: {found}.")
    kept = votes.groupby("item")["rating"].mean()
    return {_own(str(id)) for id in kept[kept < 0.5].index}


def _own(id: str) -> str:
    """The id in the loop of an id in a repo."""
    return id.removeprefix(IN_REPO)
