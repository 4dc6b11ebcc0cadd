"""What commands print: results on stdout, as tables that fit the terminal; progress and messages on stderr."""

import json
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emohub.errors import escaped

# What switches off the progress bars of tqdm and of the Hugging Face libraries; they read it when they are imported.
NO_PROGRESS = ("TQDM_DISABLE", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS")


def console(file: TextIO | None = None, *, wrap: bool = False) -> Console:
    """A console that prints text as it is: a path or a rater's name is not markup.

    Args:
        file: Where to print; stdout by default.
        wrap: Break long lines at the width of the terminal. Off by default, so that paths stay whole.
    """
    return Console(file=file, soft_wrap=not wrap, markup=False, emoji=False, highlight=False)


def summary(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Table:
    """A table under a title.

    Args:
        title: Often the folder that was written.
        columns: Headings.
        rows: One text per column.
        right: Headings of the columns that hold numbers.
    """
    table = Table(title=Text(escaped(title)), title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left")
    for row in rows:
        table.add_row(*(escaped(cell) for cell in row))
    return table


def print_json(value: Any) -> None:
    """A value as indented JSON on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def note(line: str) -> None:
    """A line for people, on stderr, so that stdout holds the result only."""
    print(escaped(line), file=sys.stderr, flush=True)


def hint(line: str) -> None:
    """A line about what was made or what to do next, which `--quiet` leaves out."""
    if logging.getLogger("emohub").level != logging.ERROR:
        note(line)


class _Escaped(logging.Formatter):
    """A message whose control characters cannot act on the terminal: names of files are in it."""

    def format(self, record: logging.LogRecord) -> str:
        return escaped(super().format(record))


def set_verbosity(quiet: bool, verbose: bool) -> None:
    """How much stderr shows: errors only, the usual messages with progress bars, or every message.

    Called before any library with progress bars is imported.
    """
    if quiet:
        os.environ.update(dict.fromkeys(NO_PROGRESS, "1"))
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO
    handler = logging.StreamHandler()
    handler.setFormatter(_Escaped("%(levelname)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("emohub").setLevel(level)
    if quiet:
        logging.getLogger().setLevel(level)
