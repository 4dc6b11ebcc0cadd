"""Results of invented raters, and servers that show results."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench_leaderboard import write_entries
from emohub.hub.folders import hub_folder
from tests import patience
from tests.spaces.conftest import RunningSpace, start

SPACE = hub_folder("spaces", "leaderboard")
# As in the Space, its modules are imported by their bare names.
sys.path.append(str(SPACE))
REVISION = "0123456789abcdef" * 2 + "01234567"


@contextmanager
def hosted(folder: Path, results: Path | str, **environment: str) -> Iterator[RunningSpace]:
    """The Space in a process of its own."""
    settings = json.dumps({"results": str(results)})
    space, process = start([sys.executable, "app.py"], SPACE, folder, SPACE_SETTINGS=settings, **environment)
    try:
        yield space
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(patience.ANSWER)


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results dataset of 30 raters: do not change it."""
    folder = tmp_path_factory.mktemp("invented")
    write_entries(folder, 30)
    return folder


def changed(folder: Path, number: int, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change an entry; its file moves to where it then belongs."""
    from kit.entry import Entry

    file = next(path for path in (folder / "entries").rglob(f"rater-{number}-*.json"))
    entry = json.loads(file.read_text())
    edit(entry)
    file.unlink()
    (folder / Entry.model_validate(entry).path).write_text(json.dumps(entry))
