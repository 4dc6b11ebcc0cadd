"""Predictions as a table, as CSV or as JSON lines, streamed."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emohub.errors import escaped
from emohub.model.infer.predict import Prediction

DECIMALS = 4


def write_table(predictions: Iterable[Prediction], top_k: int | None, file: TextIO) -> None:
    """Human-readable: one row a picture, names whole and their scores beside them; unused columns are left out."""
    predictions = list(predictions)
    columns = {name: [cell(one) for one in predictions] for name, cell in _ABOUT.items()}
    table = Table(show_lines=True)
    for name in (used := [name for name, cells in columns.items() if any(cells)]):
        table.add_column(name, overflow="fold")
    table.add_column(
        "emotions, dimensions" if any(one.dimensions for one in predictions) else "emotions", no_wrap=True
    )
    table.add_column("score", justify="right", no_wrap=True)
    for number, one in enumerate(predictions):
        pairs = [*one.top(top_k), *one.dimensions.items()]
        names, scores = "\n".join(name for name, _ in pairs), "\n".join(f"{score:z.2f}" for _, score in pairs)
        table.add_row(*(Text(cell) for cell in (*(columns[name][number] for name in used), names, scores)))
    Console(file=file, highlight=False).print(table)


_ABOUT: Mapping[str, Callable[[Prediction], str]] = {
    "source": lambda one: escaped(one.source),
    "seconds": lambda one: "" if one.seconds is None else f"{one.seconds:g}",
    "face": lambda one: "" if one.face is None else "{2}×{3} at {0},{1}".format(*one.face),
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
