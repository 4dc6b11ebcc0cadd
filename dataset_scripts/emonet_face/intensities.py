"""Intensities 0–7 as upstream writes them: a dict of `Group|Emotion` → number, often as the text of a Python literal.

Sources: `hq.csv` (one row per image and annotator), the `label` column of the Hub's HQ files (all annotators of an
image in one literal), and the synthetic annotations of BIG. Untouched sliders are not stored: they are 0.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd

from emohub.data.problems import ProblemLog
from emohub.data.ratings import faults, ratings_table
from emohub.data.source import item_id, read_csv
from emohub.data.taxonomy import INDEX, NAMES, canonical, is_dimension
from emohub.errors import MediaError, UnknownNameError
from emohub.hub.json_files import parse_json

SCALE = (0, 7)
BLOCK = 5_000  # annotations, 40 ratings each, that are checked at once
MAX_LITERAL = 100_000  # characters of one annotation; 40 long keys need under 3,000
HUME = "Hume Face"  # writes 0–1 instead of 0–7
ANNOTATIONS = ("annotations", "label", "labels", "ratings", "emotions")  # what the column of ratings may be called


@dataclass(frozen=True)
class Intensities:
    """Ratings of all 40 emotions by (item, rater).

    Attributes:
        items: [n] image ids.
        raters: [n] names.
        kinds: [n] human, model, vlm or baseline.
        values: [n, 40] float64 intensities in the order of the taxonomy.
    """

    items: np.ndarray
    raters: np.ndarray
    kinds: np.ndarray
    values: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Intensities":
        return Intensities(self.items[rows], self.raters[rows], self.kinds[rows], self.values[rows])

    def long(self) -> pd.DataFrame:
        """The ratings table, 40 rows an annotation; names are categoricals, so that 2 million rows stay small."""
        n = len(self.items)
        repeated = {
            "item": self.items,
            "rater": self.raters,
            "kind": self.kinds,
        }
        columns = {name: pd.Categorical(np.repeat(column, len(NAMES))) for name, column in repeated.items()}
        category = pd.Categorical.from_codes(np.tile(np.arange(len(NAMES)), n), categories=list(NAMES))
        return ratings_table(pd.DataFrame({**columns, "category": category, "rating": self.values.ravel()}))


def literal(text: Any) -> Any:
    """A value from the text of a Python literal or of JSON; a value that is not text is returned unchanged.

    Raises:
        ValueError: the text is neither, or too long.
    """
    if not isinstance(text, str):
        return text
    if len(text) > MAX_LITERAL:
        raise ValueError(f"{len(text):,} characters are more than the limit of {MAX_LITERAL:,}")
    for parse in (ast.literal_eval, parse_json):
        try:
            return parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    raise ValueError(f"is neither a Python literal nor JSON: {text[:60]!r}")


def intensity_row(annotation: Any) -> np.ndarray:
    """[40] intensities from `{"Group|Emotion": number}` or its text; what is not in it is 0.

    Keys of the four extra dimensions are skipped: they are not emotions.

    Raises:
        ValueError: not a dict, an unknown emotion, a repeated emotion, or a rating that is not a number.
    """
    mapping = literal(annotation)
    if not isinstance(mapping, Mapping):
        raise ValueError(f"is not a dict of emotions: {str(annotation)[:60]!r}")
    row = np.full(len(NAMES), np.nan)
    for key, value in mapping.items():
        if is_dimension(str(key)):
            continue
        try:
            at = INDEX[canonical(str(key))]
        except UnknownNameError as error:
            raise ValueError(str(error)) from error
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise ValueError(f"rating of {key!r} is not a finite number: {value!r:.60}")
        if not np.isnan(row[at]):
            raise ValueError(f"rates {NAMES[at]!r} twice")
        row[at] = value
    return np.nan_to_num(row)


def kind_of(rater: str, human: bool) -> str:
    """What a rater is, from the names that the upstream analysis uses."""
    if human:
        return "human"
    if rater == "Random Baseline":
        return "baseline"
    return "vlm" if rater.endswith((" ZS", " MS")) else "model"


def read_hq(path: Path, log: ProblemLog) -> Intensities:
    """All annotations of `hq.csv` (image, annotator, annotations, human)."""
    raw = read_csv(path, ["image", "annotator", "annotations", "human"])
    human = raw["human"].map({"True": True, "False": False})
    for row in raw.index[human.isna()]:
        found, image = raw.loc[row, ["human", "image"]]
        log.add(
            f"{path.name} line {row + 2}", f"human is {found!r}, not True or False", Path(normalize("NFC", image)).stem
        )
    rows = zip(
        [f"{path.name} line {row + 2}" for row in raw.index],
        raw["image"],
        raw["annotator"],
        human.eq(True),
        raw["annotations"],
        strict=True,
    )
    return collect(rows, log)


def annotation_in(fields: Mapping[str, Any]) -> Any:
    """The ratings among the columns of an image: by a known name, else the first that rates emotions.

    Raises:
        ValueError: no column rates emotions; what the columns hold is listed.
    """
    for name in ANNOTATIONS:
        if name in fields:
            return fields[name]
    for value in fields.values():
        if _rates(value):
            return value
    raise ValueError(f"no column rates emotions: {', '.join(f'{k} = {v!r:.40}' for k, v in fields.items()) or 'none'}")


def _rates(value: Any) -> bool:
    """Whether a value, or the text of one, is {emotion: number}, {rater: that} or a list of either."""
    try:
        value = literal(value)
    except ValueError:
        return False
    if isinstance(value, Mapping):
        return any(_is_emotion(str(key)) or _rates(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_rates, value))


@cache
def _is_emotion(key: str) -> bool:
    try:
        return bool(canonical(key))
    except UnknownNameError:
        return False


def sole_annotation(value: Any) -> Any:
    """The one annotation `{emotion: number}` in what may stand in a list and under its rater's name.

    Raises:
        ValueError: there are several, or none.
    """
    value = literal(value)
    if isinstance(value, list):
        if len(value) != 1:
            raise ValueError(f"has {len(value)} annotations, not one: {str(value)[:60]!r}")
        value = literal(value[0])
    if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
        if len(value) != 1:
            raise ValueError(f"has {len(value)} annotations, not one: {str(value)[:60]!r}")
        (value,) = value.values()
    if isinstance(value, Mapping):
        return {key: rating for key, rating in value.items() if rating is not None}  # Parquet names every key
    return value


def label_rows(where: str, item: str, label: Any) -> list[tuple[str, str, str, bool, Any]]:
    """One annotation per rater from the Hub's `label`: `[{rater: {"Group|Emotion": number}}, …]` or its text."""
    entries = literal(label)
    entries = entries if isinstance(entries, list) else [entries]
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError(f"is not a list of {{rater: ratings}}: {str(label)[:60]!r}")
    return [
        (where, item, str(rater), str(rater).startswith("human"), ratings)
        for entry in entries
        for rater, ratings in entry.items()
    ]


def collect(rows: Iterable[tuple[str, str, str, bool, Any]], log: ProblemLog) -> Intensities:
    """Annotations (where, image, rater, is human, ratings) as one table; a bad one goes to the log and is left out."""
    kept: list[tuple[str, str, str, str]] = []
    values: list[np.ndarray] = []
    for where, image, rater, human, annotation in rows:
        try:
            item = item_id(image)
        except MediaError as error:
            log.add(where, error, image)
            continue
        try:
            row = intensity_row(annotation)
        except ValueError as error:
            log.add(where, error, item)
            continue
        kept.append((where, item, rater, kind_of(rater, human)))
        values.append(row * SCALE[1] if rater.startswith(HUME) else row)
    wheres, items, raters, kinds = np.array(kept, dtype=object).reshape(-1, 4).T
    table = Intensities(items, raters, kinds, np.array(values).reshape(-1, len(NAMES)))
    return table[~_bad_annotations(table, wheres, log)]


def _bad_annotations(table: Intensities, wheres: Any, log: ProblemLog) -> np.ndarray:
    """[n] whether any of an annotation's 40 ratings breaks the schema; the first of each goes to the log."""
    bad = np.zeros(len(table.items), dtype=bool)
    for rows in _blocks(table.items):
        part = table[rows]
        for what, mask in faults(part.long(), categories=NAMES, scale=SCALE):
            hits = mask.to_numpy().reshape(-1, len(NAMES))
            for row in np.flatnonzero(hits.any(axis=1) & ~bad[rows]):
                at = int(hits[row].argmax())
                log.add(
                    wheres[rows[row]],
                    f"{what}: image {part.items[row]}, {part.raters[row]}, {NAMES[at]} = {part.values[row, at]:g}",
                    part.items[row],
                )
            bad[rows] |= hits.any(axis=1)
    return bad


def _blocks(items: np.ndarray) -> Iterator[np.ndarray]:
    """Rows that are looked at together, about `BLOCK` each; those of an item are never apart."""
    codes, _ = pd.factorize(items)
    counts = np.bincount(codes)
    block = ((np.cumsum(counts) - counts) // BLOCK)[codes]
    return (np.flatnonzero(block == number) for number in np.unique(block))
