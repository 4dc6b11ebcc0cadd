"""The ratings table of a page: long or wide CSV of limited size, pasted or uploaded."""

import os
from typing import Any

import pandas as pd
from csv_table import read_csv

LONG = ("item", "rater", "rating")
MOST_BYTES = 5_000_000
MOST_RATINGS = 100_000
MOST_RATERS = 100
MOST_CELLS = 2_000_000  # items × raters × categories

HELP = f"""\
**Long:** a CSV with the columns `item, rater, rating`, optionally `category` and `sample`, one rating a row.
**Wide:** one row per item (and `category`, if there is such a column), the item in the first column, one column per
rater; empty cells are gaps. A column `name#2` holds the second sample of rater `name`.

At most {MOST_BYTES / 1e6:.0f} MB, {MOST_RATINGS:,} ratings, {MOST_RATERS} raters, and {MOST_CELLS:,} cells (items ×
raters × categories). Larger tables: use `evaluate` on your own machine.
"""


def read_table(text: str | None, file: str | None) -> pd.DataFrame:
    """A long ratings table from pasted text or an uploaded CSV file, long or wide.

    Args:
        text: CSV with a header; commas, semicolons, tabs or bars.
        file: path of an uploaded file; it goes before the text.

    Returns:
        Columns item, rater, rating, and category and sample where the table has them.

    Raises:
        ValueError: nothing given, too large, or not such a table.
    """
    data: bytes | str = text or ""
    size = os.path.getsize(file) if file else len(data)
    if size > MOST_BYTES:
        raise ValueError(f"The table has {size:,} bytes; this page takes {MOST_BYTES:,}.")
    if file:
        with open(file, "rb") as opened:
            data = opened.read()
    if not data.strip():
        raise ValueError("There is no table: paste one or upload a CSV file.")
    frame = read_csv(data)
    table = frame.copy() if set(LONG) <= set(frame.columns) else _from_wide(frame)
    _check_size(table)
    for name in ("item", "rater"):
        if empty := int(table[name].str.strip().eq("").sum()):
            raise ValueError(f"The column {name!r} is empty in {empty:,} of {len(table):,} rows.")
    table["rating"] = [_number(*cell) for cell in zip(table["rating"], table["item"], table["rater"], strict=True)]
    return table


def _check_size(table: pd.DataFrame) -> None:
    counts = {name: table[name].nunique() for name in ("item", "rater", "category") if name in table}
    cells = counts["item"] * counts["rater"] * counts.get("category", 1)
    limits = (
        ("ratings", len(table), MOST_RATINGS),
        ("raters", counts["rater"], MOST_RATERS),
        ("cells", cells, MOST_CELLS),
    )
    for what, found, most in limits:
        if found > most:
            raise ValueError(
                f"The table has {found:,} {what}; this page takes {most:,}. Use evaluate for larger ones."
            )


def _number(cell: str, item: str, rater: str) -> float | None:
    cell = cell.strip()
    if not cell or cell.lower() in ("nan", "na", "none", "null"):
        return None
    try:
        if "_" in cell:
            raise ValueError(cell)
        return float(cell)
    except ValueError:
        point = " with a decimal point" if "," in cell else ""
        raise ValueError(
            f"The rating of {item!r} by {rater!r} is {cell!r}; a rating is a number{point}, or empty for a gap."
        ) from None


def _from_wide(frame: pd.DataFrame) -> pd.DataFrame:
    named = [*frame.columns[:1], *(["category"] if "category" in frame.columns[1:] else [])]
    raters = [name for name in frame.columns if name not in named]
    if not raters or set(raters) & set(LONG):
        raise ValueError(f"The table has the columns {list(frame.columns)}: neither long nor wide.\n\n{HELP}")
    if len(frame) * len(raters) > MOST_RATINGS:
        raise ValueError(f"The table has {len(frame) * len(raters):,} ratings; this page takes {MOST_RATINGS:,}.")
    table = frame.melt(id_vars=named, value_vars=raters, var_name="rater", value_name="rating")
    table = table.rename(columns={frame.columns[0]: "item"})
    parts = table["rater"].str.rpartition("#")
    sampled = parts[0].ne("") & parts[2].str.fullmatch(r"\d+")
    if sampled.any():
        table["sample"] = parts[2].where(sampled, "1")
        table["rater"] = parts[0].where(sampled, table["rater"])
    return table


def split_model(table: pd.DataFrame, model: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the model and those of everyone else, the humans."""
    mine = table["rater"] == str(model).strip()
    if not mine.any() or mine.all():
        raise ValueError(f"The model is called {model!r}, but the raters are {list(table['rater'].unique()[:12])}.")
    return table[mine], table[~mine].drop(columns="sample", errors="ignore")
