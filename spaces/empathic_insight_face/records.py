"""Results as JSON and CSV: every emotion, the same numbers as in the charts."""

import base64
import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from groups import group_of
from scoring import Scorer, shares_of_intensity
from studio import PictureResult, VideoResult

PLACES = 6
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets begin a formula with
HEADER = ("emotion", "group", "above_neutral", "raw", "share")


def picture_record(result: PictureResult, scorer: Scorer, model: str) -> dict[str, Any]:
    """A picture's scores as plain types, what `/predict` answers and the JSON file holds."""
    return {
        "model": model,
        "width": result.size[0],
        "height": result.size[1],
        "faces_found": result.found,
        "whole_picture": result.whole,
        "notes": list(result.notes),
        "faces": [
            {
                "face": number,
                "box": list(face.box),
                "square": list(face.square),
                "scores": [dict(zip(HEADER, row, strict=True)) for row in _rows(face.scores, scorer)],
            }
            for number, face in enumerate(result.faces, start=1)
        ],
    }


def picture_csv(result: PictureResult, scorer: Scorer) -> str:
    """One line per face and emotion."""
    rows = [(number, *row) for number, face in enumerate(result.faces, start=1) for row in _rows(face.scores, scorer)]
    return _csv(("face", *HEADER), rows)


def video_record(result: VideoResult, scorer: Scorer, model: str) -> dict[str, Any]:
    """A video's scores as plain types; frames without a face have no scores."""
    return {
        "model": model,
        "notes": list(result.notes),
        "frames": [
            {"seconds": seconds, "scores": [dict(zip(HEADER, row, strict=True)) for row in _rows(scores, scorer)]}
            for seconds, scores in zip(result.seconds, result.scores, strict=True)
        ],
    }


def video_csv(result: VideoResult, scorer: Scorer) -> str:
    """One line per frame and emotion; frames without a face have none."""
    rows = [
        (seconds, *row)
        for seconds, scores in zip(result.seconds, result.scores, strict=True)
        for row in _rows(scores, scorer)
    ]
    return _csv(("seconds", *HEADER), rows)


def as_link(data: bytes, kind: str) -> str:
    """A data URI: the file is made in the page, and nothing of it is on the server's disk."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def as_json(record: dict[str, Any]) -> str:
    """JSON for people to read."""
    return json.dumps(record, indent=1, ensure_ascii=False)


def _rows(scores: np.ndarray, scorer: Scorer) -> list[tuple[str, str, float, float, float]]:
    if np.isnan(scores).any():
        return []
    numbers = np.stack([scores, scores + scorer.neutral, shares_of_intensity(scores)], axis=1).round(PLACES)
    return [(label, group_of(label).name, *row) for label, row in zip(scorer.labels, numbers.tolist(), strict=True)]


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def _inert(cell: Any) -> Any:
    """A text that spreadsheets do not take for a formula.

    >>> _inert("=1+1"), _inert("Awe"), _inert(-0.5)
    ("'=1+1", 'Awe', -0.5)
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
