"""Neutral means: the raw score of each head on a neutral face, from a file or measured."""

import csv
import logging
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from emohub.errors import BuildError, UnknownNameError, listed
from emohub.hub.json_files import parse_json
from emohub.model.convert.heads import score_name
from emohub.model.convert.images import batches, image_files
from emohub.model.convert.outputs import neutral_offset, read_outputs

logger = logging.getLogger(__name__)

CSV_NAMES = ("name", "emotion", "head", "label")
CSV_VALUES = ("mean", "neutral_mean", "value")


@dataclass(frozen=True, slots=True)
class Neutral:
    """Neutral means and where they come from.

    Attributes:
        means: By canonical name; empty if none are known, and then nothing is subtracted.
        kind: "none", "table", "outputs" or "images".
        source: Name of the file or folder.
        images: Number of images that they are the mean of, if known.
        residual: For "outputs": the largest difference between a stored score and raw − mean; 0 is exact.
    """

    means: dict[str, float]
    kind: str = "none"
    source: str | None = None
    images: int | None = None
    residual: float | None = None


def read_neutral(path: Path, names: Sequence[str], raw: Collection[str] = ()) -> Neutral:
    """Neutral means from a table or from published outputs.

    Args:
        path: `.json` (name → number, or → {"mean": number}), `.csv` (a column of names and one of means), or
            `.jsonl` (upstream's outputs, see `emohub.model.convert.outputs`).
        names: Canonical names of the heads; each needs a mean. Further known names are ignored.
        raw: Names among them that need none.

    Raises:
        BuildError: another kind of file, or all problems in it.
    """
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise BuildError(
            f"{path} cannot hold neutral means here; valid: {', '.join(READERS)} or a folder of neutral faces. "
            "A pickle is never read: write its means to a JSON file, {name: mean}, where you trust it."
        )
    problems: list[str] = []
    try:
        neutral = read(path, problems)
    except (ValueError, csv.Error) as error:  # of text that is not UTF-8, and of JSON
        raise BuildError(f"{path} is not readable as {path.suffix}: {error}") from error
    missing = [name for name in names if name not in neutral.means and name not in raw] if not problems else []
    problems += [f"missing: no mean for {name!r}; give one, or leave it raw with --raw {name!r}" for name in missing]
    if problems:
        raise BuildError(f"{path} does not give the neutral means; {len(problems)} problem(s):\n{listed(problems)}")
    return neutral


def measure_neutral(folder: Path, names: Sequence[str], model: Any, processor: Any) -> Neutral:
    """The mean raw score of each head on the images of a folder, summed in float64.

    Raises:
        BuildError: no images, or some that cannot be read.
    """
    files = image_files(folder)
    logger.info("Measuring neutral means on %d images", len(files))
    total = torch.zeros(len(names), dtype=torch.float64)
    with torch.no_grad():
        for pixel_values in batches(files, processor):
            output = model(pixel_values)
            scores = [output.logits] if output.dimensions is None else [output.logits, output.dimensions]
            total += (torch.cat(scores, 1) + model.heads.neutral_mean).double().sum(0)
    means = dict(zip(names, (total / len(files)).tolist(), strict=True))
    return Neutral(means, "images", folder.resolve().name, len(files))


def _table(path: Path, pairs: list[tuple[Any, Any]], problems: list[str]) -> Neutral:
    means: dict[str, float] = {}
    for key, value in pairs:
        try:
            name, mean = score_name(str(key)), float(value["mean"] if isinstance(value, dict) else value)
        except (UnknownNameError, KeyError, TypeError, ValueError) as error:
            problems.append(f"{key!r}: {error}")
            continue
        if name in means:
            problems.append(f"{key!r}: {name!r} appears twice")
        elif not math.isfinite(mean):
            problems.append(f"{key!r}: {mean} is not a finite number")
        means[name] = mean
    return Neutral(means, "table", path.name)


def _from_json(path: Path, problems: list[str]) -> Neutral:
    content = parse_json(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        problems.append(f"holds a {type(content).__name__}, must be an object, name → mean")
        return Neutral({})
    return _table(path, list(content.items()), problems)


def _from_csv(path: Path, problems: list[str]) -> Neutral:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = [str(column).strip().lower() for column in rows.fieldnames or []]
        rows.fieldnames = columns
        name = next((column for column in CSV_NAMES if column in columns), None)
        value = next((column for column in CSV_VALUES if column in columns), None)
        if name is None or value is None:
            problems.append(f"columns are {columns}; one of {CSV_NAMES} and one of {CSV_VALUES} must be there")
            return Neutral({})
        return _table(path, [(row[name], row[value]) for row in rows], problems)


def _from_outputs(path: Path, problems: list[str]) -> Neutral:
    outputs = read_outputs(path)
    means, residual = {}, 0.0
    for name in outputs[0].scores:
        try:
            means[name], miss = neutral_offset([output.scores[name] for output in outputs])
            residual = max(residual, miss)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return Neutral(means, "outputs", path.name, residual=residual)


READERS: dict[str, Callable[[Path, list[str]], Neutral]] = {
    ".json": _from_json,
    ".csv": _from_csv,
    ".jsonl": _from_outputs,
}
