"""Predictions as a table, as CSV or as JSON lines, streamed."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from emohub.model.infer.predict import Prediction

DECIMALS = 4


def write_table(predictions: Iterable[Prediction], top_k: int | None, file: TextIO) -> None:
    """Human-readable: one row per picture, its highest scores in one cell; empty columns are omitted."""
    rows = [[cell(one, top_k) for cell in _CELLS.values()] for one in predictions]
    used = [index for index in range(len(_CELLS)) if any(row[index] for row in rows)]
    table = Table(*(list(_CELLS)[index] for index in used), show_lines=top_k is None)
    for row in rows:
        table.add_row(*(row[index] for index in used))
    Console(file=file).print(table)


def _listed(pairs: Iterable[tuple[str, float]]) -> str:
    return "\n".join(f"{value:6.2f} {name}" for name, value in pairs)


_CELLS: Mapping[str, Callable[[Prediction, int | None], str]] = {
    "source": lambda one, top_k: one.source,
    "seconds": lambda one, top_k: "" if one.seconds is None else f"{one.seconds:g}",
    "face": lambda one, top_k: "" if one.face is None else "{2}×{3} at {0},{1}".format(*one.face),
    "emotions": lambda one, top_k: _listed(one.top(top_k)),
    "dimensions": lambda one, top_k: _listed(one.dimensions.items()),
}


def write_csv(predictions: Iterable[Prediction], top_k: int | None, file: TextIO) -> None:
    """For spreadsheets: one row per picture; a column per score, or the highest as name and score."""
    writer = None
    for one in predictions:
        row: dict[str, Any] = {"source": one.source, "seconds": one.seconds}
        row |= dict(zip(("left", "top", "width", "height"), one.face or ("",) * 4, strict=True))
        if top_k is None:
            row |= {name: round(value, DECIMALS) for name, value in one.scores.items()}
        for rank, (name, value) in enumerate(one.top(top_k) if top_k is not None else [], 1):
            row |= {f"emotion_{rank}": name, f"score_{rank}": round(value, DECIMALS)}
        row |= {name: round(value, DECIMALS) for name, value in one.dimensions.items()}
        if writer is None:
            writer = csv.DictWriter(file, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
        file.flush()


def write_jsonl(predictions: Iterable[Prediction], top_k: int | None, file: TextIO) -> None:
    """For programs: one object per picture; `scores` with the highest first."""
    for one in predictions:
        row = {
            "source": one.source,
            "seconds": one.seconds,
            "face": one.face,
            "scores": {name: round(value, DECIMALS) for name, value in one.top(top_k)},
            "dimensions": {name: round(value, DECIMALS) for name, value in one.dimensions.items()},
        }
        print(json.dumps(row, ensure_ascii=False), file=file, flush=True)


Writer = Callable[[Iterable[Prediction], int | None, TextIO], None]
WRITERS: Mapping[str, Writer] = {"table": write_table, "csv": write_csv, "jsonl": write_jsonl}
