"""What the processes of a page do: read a table, compute, draw; with a limit on memory, and gone when the page is.

Answers hold built-in types and tables only, so that no class of a metric has to be known where they are received.
"""

import html
import importlib
import multiprocessing
import os
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from page_layout import BOOTSTRAP
from page_result import cell, escaped, image, visible
from page_table import read_table, split_model

MB = 1 << 20
MOST_RESAMPLES = BOOTSTRAP.high
STATM = Path("/proc/self/statm")
_views: list[Any] = []  # the one of this process


def start(folder: str, megabytes: int) -> None:
    """Load the view of a page, then take no more memory than so much beyond that.

    Args:
        folder: Of the metric.
        megabytes: Without effect where the system does not tell what a process has.
    """
    Thread(target=_end_with_parent, daemon=True).start()
    sys.path.insert(0, folder)
    _views[:] = [importlib.import_module("view")]
    if STATM.exists():
        import resource

        pages = int(STATM.read_text().split()[0])
        most = pages * resource.getpagesize() + megabytes * MB
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def compute(text: str | None, file: str | None, values: list[Any]) -> dict[str, Any]:
    """What a person sees.

    Returns:
        `html`, `details` (a table) and `picture` (HTML), or `error` alone.
    """
    return _answered(_compute, text, file, values)


def evaluate(table: str, options: dict[str, Any]) -> dict[str, Any]:
    """What a program gets: `result`, or `error` alone."""
    return _answered(_evaluate, table, options)


def _answered(work: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        try:
            return work(notes, *given)
        except (ValueError, TypeError) as error:
            return {"error": visible(error)}


def _compute(notes: Any, text: str | None, file: str | None, values: list[Any]) -> dict[str, Any]:
    shown, details, figure = _views[0].run(read_table(text, file), *values)
    heading = html.unescape(re.findall("<h2>(.*?)</h2>", shown)[0])
    drawn = image(figure, f"Chart: {heading}; the details below have its numbers")
    shown += "".join(f"<p>⚠ {escaped(note)}</p>" for note in _warnings_of(notes))
    return {"html": shown, "details": details.round(3).map(cell), "picture": drawn}


def _evaluate(notes: Any, table: str, options: dict[str, Any]) -> dict[str, Any]:
    chosen = dict(options or {})
    for name in ("bootstrap", "splits"):
        if isinstance(value := chosen.get(name, 0), int | float) and value > MOST_RESAMPLES:
            raise ValueError(f"{name}={value:g} is too many for this page; it takes {MOST_RESAMPLES:,}.")
    ratings, model = read_table(table, None), chosen.pop("model", None)
    if chosen.get("engine", "own") != "own":
        raise ValueError("This page has engine='own' only.")
    inputs: dict[str, Any] = {"ratings": ratings}
    if model:
        inputs = dict(zip(("predictions", "references"), split_model(ratings, model), strict=True))
    result = _finite(_views[0].METRIC.compute(**inputs, **chosen))
    return {"result": result | {"warnings": _warnings_of(notes)}}


def _warnings_of(notes: list[warnings.WarningMessage]) -> list[str]:
    """The warnings that are for the user, each once; that a font lacks a letter is none of them."""
    messages = {str(note.message) for note in notes if issubclass(note.category, UserWarning)}
    return sorted(note for note in messages if "Glyph" not in note)


def _finite(result: Any) -> Any:
    """A result for JSON, in which what is undefined is null."""
    if isinstance(result, dict):
        return {name: _finite(value) for name, value in result.items()}
    if isinstance(result, list):
        return [_finite(value) for value in result]
    return None if isinstance(result, float) and result != result else result
