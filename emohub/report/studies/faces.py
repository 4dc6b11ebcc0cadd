"""Scores of the 40 heads for real faces with a known expression, as upstream's `ferd.jsonl`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emohub.data.source import sha256_of
from emohub.data.taxonomy import INDEX, NAMES, canonical, is_dimension
from emohub.errors import RatingsError, UnknownNameError, printable
from emohub.hub.json_files import parse_json
from emohub.report.mappings import CLASSES, class_of
from emohub.report.studies.study import Study

_TRUTH = re.compile(r"_(?P<name>[A-Za-z]+)\.[A-Za-z]+$")  # 0000_Happy.jpg
FORM = '{"image_path": "0000_Happy.jpg", "results": {"model_awe_best": {"mean_subtracted": 0.1}, … 40 heads}}'


@dataclass(frozen=True, eq=False, kw_only=True)
class Faces(Study):
    """Scores above the neutral mean, and the expression that each face shows.

    Attributes:
        items: [faces] names of the images.
        truth: [faces] one of `CLASSES`.
        scores: [faces, 40] in the order of the taxonomy.
        softmax: [faces, 40] as the file gives it, or None.
    """

    items: tuple[str, ...]
    truth: np.ndarray
    scores: np.ndarray
    softmax: np.ndarray | None


def read(path: Path) -> Faces | None:
    """A file of scores with one face on each line; None where the file is something else.

    Raises:
        RatingsError: a line lacks a head or names no known expression.
    """
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        return None
    lines = [line for line in path.read_bytes().splitlines() if line.strip()]
    if not lines or not {"image_path", "results"} <= set(_parsed(path, 1, lines[0])):
        return None
    items, truth, scores, softmax = [], [], [], []
    for number, line in enumerate(lines, 1):
        row = _parsed(path, number, line)
        try:
            items.append(str(row["image_path"]))
            truth.append(_truth(items[-1]))
            scores.append(_heads(row["results"], "mean_subtracted"))
            softmax.append(_heads(row["results"], "softmax", needed=False))
        except (KeyError, TypeError, ValueError) as error:
            raise RatingsError(f"{path} line {number}: {printable(error)}. A line is like {FORM}") from error
    given = np.array(softmax, dtype=float)
    return Faces(
        name="Real faces",
        dataset=path.name,
        config="",
        revision=f"sha256:{sha256_of(path)}",
        items=tuple(items),
        truth=np.array(truth),
        scores=np.array(scores, dtype=float),
        softmax=None if np.isnan(given).any() else given,
    )


def _parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = parse_json(line)
    except ValueError as error:
        raise RatingsError(f"{path} line {number} is no JSON: {printable(error)}. A line is like {FORM}") from error
    if not isinstance(row, dict):
        raise RatingsError(f"{path} line {number} is {printable(row, 40)}, not an object. A line is like {FORM}")
    return row


def _truth(name: str) -> str:
    found = _TRUTH.search(name)
    try:
        return class_of(found["name"] if found else "")
    except KeyError as error:
        raise ValueError(f"image_path {name!r} ends in no expression; valid: {', '.join(CLASSES)}") from error


def _heads(results: dict[str, Any], which: str, *, needed: bool = True) -> list[float]:
    row = [float("nan")] * len(NAMES)
    for head, value in results.items():
        if is_dimension(head):
            continue
        try:
            number = value.get(which)
            row[INDEX[canonical(head)]] = float("nan") if number is None else float(number)
        except (UnknownNameError, AttributeError) as error:
            raise ValueError(f"results has {head!r}: {error}") from error
    if needed and (missing := [NAMES[at] for at, value in enumerate(row) if not np.isfinite(value)]):
        raise ValueError(f"{len(missing)} heads have no {which}, such as {missing[0]}")
    return row
