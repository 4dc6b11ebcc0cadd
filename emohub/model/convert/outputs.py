"""Upstream's published outputs: JSON lines with, per image and head, the raw and the neutral-subtracted score.

A line, shortened::

    {"image_path": "ferd_images/0000_Happy.jpg",
     "results": {"model_awe_best": {"raw": 0.025, "mean_subtracted": 0.0017, "softmax": 0.0033}, ...}}
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emohub.errors import BuildError, UnknownNameError, listed
from emohub.hub.json_files import parse_json
from emohub.model.convert.heads import score_name


@dataclass(frozen=True, slots=True)
class Score:
    """Published scores of one image and one head; `softmax` is None for a dimension."""

    raw: float
    mean_subtracted: float
    softmax: float | None


@dataclass(frozen=True, slots=True)
class Output:
    """One line: an image, relative to the file, and its scores by canonical name."""

    image_path: str
    scores: dict[str, Score]


def read_outputs(path: Path) -> list[Output]:
    """Read a file such as `ferd.jsonl`.

    Raises:
        BuildError: lines of another form, unknown heads, invalid numbers, different heads per line.
    """
    problems: list[str] = []
    outputs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                outputs.append(_output(parse_json(line)))
            except (KeyError, TypeError, ValueError, AttributeError, UnknownNameError) as error:
                problems.append(f"line {number}: {type(error).__name__}: {error}")
    if not outputs and not problems:
        problems.append("no lines")
    names = set(outputs[0].scores) if outputs else set()
    problems += [f"{o.image_path}: other heads than the first line" for o in outputs if set(o.scores) != names]
    if problems:
        raise BuildError(f"{path} is not a file of outputs:\n{listed(problems)}")
    return outputs


def _output(line: dict[str, Any]) -> Output:
    scores = {score_name(key): _score(value) for key, value in line["results"].items()}
    if len(scores) != len(line["results"]):
        raise ValueError("a head appears twice")
    return Output(str(line["image_path"]), scores)


def _score(value: dict[str, Any]) -> Score:
    softmax = value.get("softmax")
    score = Score(float(value["raw"]), float(value["mean_subtracted"]), None if softmax is None else float(softmax))
    if not (math.isfinite(score.raw) and math.isfinite(score.mean_subtracted)):
        raise ValueError(f"{value} is not finite")
    return score


def neutral_offset(scores: list[Score], tolerance: float = 1e-6) -> tuple[float, float]:
    """The constant c with raw − c = mean_subtracted, and the largest deviation from it.

    Stored values are rounded: of all differences, the one that reproduces the stored values best is used.

    Args:
        scores: Of one head, on any number of images.
        tolerance: The largest deviation that still counts as rounding.

    Raises:
        ValueError: no constant fits.

    >>> neutral_offset([Score(0.3, 0.3 - 0.1, None), Score(5.0, 5.0 - 0.1, None)])
    (0.1, 0.0)
    """

    def miss(constant: float) -> float:
        return max(abs((score.raw - constant) - score.mean_subtracted) for score in scores)

    best = min({score.raw - score.mean_subtracted for score in scores}, key=miss)
    if (worst := miss(best)) > tolerance:
        raise ValueError(f"raw − mean_subtracted is not one constant; it deviates by up to {worst:.3g}")
    return best, worst
