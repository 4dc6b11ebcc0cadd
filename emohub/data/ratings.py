"""The long ratings table: one schema for every config, rater and metric.

One row says that one rater gave one category of one item one rating. A human, a model, a vision-language model and
a baseline are all raters; a vote is a rating of 0 or 1.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from datasets import Features, Value

from emohub.errors import RatingsError, listed

KINDS = ("human", "model", "vlm", "baseline")

FEATURES = Features(
    {
        "item": Value("string"),  # image id, or video name without .mp4
        "rater": Value("string"),
        "kind": Value("string"),  # one of KINDS
        "category": Value("string"),  # canonical name of what is rated
        "rating": Value("float64"),  # intensity 0–7 (EmoNet-Face), 0–3 (Chehre), vote 0 or 1 (BINARY)
        "sample": Value("int32"),  # number of the sample where a rater was asked more than once, else null
        "step": Value("int8"),  # BINARY: 1–3 on the target's chain, 0 for the contrastive vote; else null
    }
)
COLUMNS = tuple(FEATURES)
REQUIRED = ("item", "rater", "kind", "category", "rating")
TEXTS = ("item", "rater", "kind", "category")
WHOLE = {"sample": (0, 2**31 - 1), "step": (0, 3)}  # lowest and highest, null aside
KEY = ["item", "rater", "category", "sample"]


@dataclass(frozen=True, slots=True)
class Scale:
    """What the ratings of one config may be.

    Attributes:
        categories: What is rated.
        ends: Lowest and highest rating of a human.
        whole: Whether humans rate in whole numbers only.
    """

    categories: Sequence[str]
    ends: tuple[float, float]
    whole: bool = False


def ratings_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with every column of the schema, in its order and types; absent optional columns are null."""
    _check_columns(frame)
    table = frame.reindex(columns=list(COLUMNS))
    types = {"rating": "float64", "sample": "Int32", "step": "Int8"}
    return table.assign(**{name: pd.to_numeric(table[name]) for name in types}).astype(types)


def faults(
    table: pd.DataFrame, *, categories: Collection[str], scale: tuple[float, float], whole: bool = False
) -> Iterator[tuple[str, pd.Series]]:
    """What is wrong with a ratings table, rule by rule.

    Args:
        table: rows in the schema of `FEATURES`.
        categories: the valid category names.
        scale: lowest and highest rating of a human; other raters need only be finite.
        whole: whether humans rate in whole numbers only.

    Yields:
        (what a row breaks and what would be valid, boolean mask of the rows that break it), broken rules only.
    """
    low, high = scale
    rating, human = table["rating"], table["kind"] == "human"
    rules: Mapping[str, pd.Series] = {
        "item is empty": table["item"].isna() | (table["item"] == ""),
        "rater is empty": table["rater"].isna() | (table["rater"] == ""),
        f"kind is not one of {', '.join(KINDS)}": ~table["kind"].isin(KINDS),
        "category is not in the label set": ~table["category"].isin(list(categories)),
        "rating is not a finite number": ~np.isfinite(rating),
        f"rating is outside {low:g}–{high:g}": human & np.isfinite(rating) & ~rating.between(low, high),
        "rating is not a whole number": human & whole & np.isfinite(rating) & (rating % 1 != 0),
        "the rater rated this category of this item before": table.duplicated(KEY),
    }
    yield from ((what, mask) for what, mask in rules.items() if mask.any())


def validate_ratings(
    frame: pd.DataFrame, *, categories: Collection[str], scale: tuple[float, float], whole: bool = False
) -> pd.DataFrame:
    """A ratings table that follows the schema, or an error that lists which rows break it.

    Args:
        frame: rows with the columns of `FEATURES` (`sample` and `step` may be absent).
        categories: the valid category names.
        scale: lowest and highest rating of a human.
        whole: whether humans rate in whole numbers only.

    Returns:
        The table with every column in the schema's order and types.

    Raises:
        RatingsError: with one line per broken rule: how many rows, the first row numbers and values.

    Example:
        >>> row = {"item": "a", "rater": "r", "kind": "human", "category": "Awe", "rating": 9}
        >>> validate_ratings(pd.DataFrame([row]), categories=["Awe"], scale=(0, 7))
        Traceback (most recent call last):
        ...
        emohub.errors.RatingsError: The ratings table breaks its schema:
          - rating is outside 0–7: 1 of 1 rows, first rows 0; item=a rater=r kind=human category=Awe rating=9
    """
    _check_columns(frame)
    table = frame
    broken = [(what, mask) for what, mask in _mistyped(frame) if mask.any()]
    if not broken:
        table = ratings_table(frame)
        broken = list(faults(table, categories=categories, scale=scale, whole=whole))
    if lines := [_line(table, what, mask) for what, mask in broken]:
        raise RatingsError("The ratings table breaks its schema:\n" + listed(lines))
    return table


def _check_columns(frame: pd.DataFrame) -> None:
    if missing := set(REQUIRED) - set(frame.columns):
        raise RatingsError(f"A ratings table needs the columns {list(REQUIRED)}; {sorted(missing)} are missing.")
    if repeated := [name for name in COLUMNS if list(frame.columns).count(name) > 1]:
        raise RatingsError(f"A ratings table has every column once; {repeated} are repeated.")


def _mistyped(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Values that the schema's columns cannot hold, as `faults`; null is left to its rules."""
    for name in TEXTS:
        column = frame[name]
        values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
        if pd.api.types.infer_dtype(values) not in ("string", "empty"):
            is_text = column.map(lambda value: isinstance(value, str)).astype(bool)
            yield f"{name} is not text", ~is_text & column.notna()
    yield "rating is not a number", _number(frame["rating"]).isna() & frame["rating"].notna()
    for name, (low, high) in WHOLE.items():
        if name in frame:
            number = _number(frame[name])
            fits = number.between(low, high) & (number % 1 == 0)
            yield f"{name} is not a whole number from {low} to {high:,}", ~fits & frame[name].notna()


def _number(column: pd.Series) -> pd.Series:
    """Every value as a float, NaN where it is not a real number: other text, times, complex numbers."""
    number = pd.to_numeric(column, errors="coerce")
    real = number.dtype.kind in "biuf" and column.dtype.kind not in "mM"
    return number.astype("float64") if real else pd.Series(np.nan, index=column.index)


def _line(table: pd.DataFrame, what: str, mask: pd.Series) -> str:
    rows = np.flatnonzero(mask)
    return (
        f"{what}: {len(rows):,} of {len(table):,} rows, first rows {', '.join(map(str, rows[:5]))}; "
        f"{describe(table.iloc[rows[0]])}"
    )


def describe(row: pd.Series) -> str:
    """One row of a ratings table in one line."""
    cells = {name: row[name] for name in COLUMNS if name in REQUIRED or (name in row and pd.notna(row[name]))}
    return " ".join(
        f"{name}={cell:g}" if isinstance(cell, float) else f"{name}={cell}" for name, cell in cells.items()
    )
