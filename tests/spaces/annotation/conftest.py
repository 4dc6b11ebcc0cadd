"""Small studies of every kind, and a server of one in a process of its own."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from emohub.data.taxonomy import EMOTIONS
from emohub.hub.folders import hub_folder
from tests import patience
from tests.serving import listening
from tests.spaces.conftest import RunningSpace, start

SPACE = hub_folder("spaces", "annotation")
# As in the Space, its modules are imported by their bare names.
sys.path.append(str(SPACE))
PICTURE = next((hub_folder("spaces", "empathic_insight_face") / "examples").glob("*.jpg"))
VIDEO = PICTURE.with_name("video.mp4")
LABELS = [{"name": one.name, "group": one.group, "words": ", ".join(one.descriptors)} for one in EMOTIONS]
FIELDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "intensities": lambda number: {},
    "yes-no-chain": lambda number: {
        "target": EMOTIONS[number % 20].name,
        "contrastive": EMOTIONS[39 - number % 20].name,
    },
    "preference": lambda number: {"sets": {"human": ["Awe", "Fear"], "a model": ["Fear", f"Label {number}"]}},
    "screening": lambda number: {},
    "video-labels": lambda number: {"emoji": "😒", "emoji_name": "unamused face", "labels": ["Annoyed", "Disgust"]},
}


def write_study(
    folder: Path, kind: str, items: int = 12, lines: list[dict] | None = None, items_folder: str = ".", **rules: Any
) -> Path:
    """study.toml of a kind, with a drawn picture or video for every item."""
    (folder / items_folder).mkdir(parents=True, exist_ok=True)
    media = VIDEO if kind == "video-labels" else PICTURE
    (folder / items_folder / f"face{media.suffix}").write_bytes(media.read_bytes())
    rows = lines or [{"item": f"item {number}", **FIELDS[kind](number)} for number in range(items)]
    rows = [{"media": f"face{media.suffix}", **row} for row in rows]
    file = folder / items_folder / "items.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    about = {
        "name": "try",
        "title": "A study",
        "kind": kind,
        "items": str(file.relative_to(folder)),
        "annotators": 2,
        **rules,
    }
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in about.items() if name != "demographics")
    text += "".join(
        f"\n[demographics]\n{json.dumps(q)} = {json.dumps(a)}\n" for q, a in rules.get("demographics", {}).items()
    )
    labels = LABELS if kind in ("intensities", "yes-no-chain") else []
    text += "".join("\n[[labels]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in one.items()) for one in labels)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml"


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Callable[..., Any]:
    """Makes the service of a study; called twice for one folder, two servers on one store."""
    from service import Service
    from store import Store, sqlite_url
    from study import read_study

    def make(kind: str = "intensities", name: str = "one", **about: Any) -> Service:
        file = tmp_path / name / "study.toml"
        if not file.exists():
            write_study(file.parent, kind, **about)
        return Service(read_study(file), Store(sqlite_url(file.with_name("answers.sqlite")), "try"), clock)

    return make


def answer_one(service: Any, annotator: str, rng: random.Random, **more: Any) -> Any:
    """Let an annotator answer the question that is held, by chance; returns what comes next."""
    from service import new_uuid

    turn = service.turn(annotator)
    raw = service.study.kind.simulate(turn.question, rng)
    service.answer(annotator, more.pop("uuid", new_uuid()), turn.task, raw, **more)
    return turn.task


# Every second an hour back, right, or an hour ahead: more than an item is held.
JUMPING = """
import runpy, sys, time
right, start = time.time, time.monotonic()
time.time = lambda: right() + 3600 * (int(time.monotonic() - start) % 3 - 1)
sys.path.insert(0, ".")
runpy.run_path("app.py", run_name="__main__")
"""
Served = tuple[RunningSpace, subprocess.Popen]


@contextmanager
def served(file: Path, folder: Path, command: str = "app", port: int = 0, **extra: str) -> Iterator[Served]:
    """The Space in a process: by `python app.py`, as `emohub space --study` starts it, or with a jumping clock."""
    here = {"app": ([sys.executable, "app.py"], SPACE), "jumping": ([sys.executable, "-c", JUMPING], SPACE)}
    here["emohub"] = ([sys.executable, "-m", "emohub.cli", "space", "--study", str(file)], folder.parent)
    line, cwd = here[command]
    space, process = start(line, cwd, folder, port, STUDY=str(file), **extra)
    try:
        yield space, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(patience.ANSWER)


@contextmanager
def hosted(file: Path) -> Iterator[Any]:
    """The Space's own server in a thread; yields its service."""
    from server import make_server
    from service import Service
    from store import Store, sqlite_url
    from study import read_study

    service = Service(read_study(file), Store(sqlite_url(file.with_name("try.sqlite")), "try"))
    with listening(make_server(service)) as url:
        service.url = f"{url}/"
        yield service
