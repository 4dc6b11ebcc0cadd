"""One running Space for every test of a session, whichever worker it runs in."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from filelock import FileLock
from gradio_client import Client

from emohub.hub.folders import hub_folder
from emohub.hub.process import free_port
from tests import fresh, patience
from tests.once import base_of, once
from tests.spaces.tiny_model import write_tiny_model

ROOT = Path(__file__).parents[2]
SPACE = hub_folder("spaces", "empathic_insight_face")
# As in a Space, its modules are imported by their bare names.
sys.path.append(str(SPACE))
SETTINGS = {"requests_per_minute": 100_000, "video_seconds": 20, "decode_seconds": 4}


class RunningSpace:
    """A Space in a process of its own: where it answers, its process, its temporary files, what it printed."""

    def __init__(self, url: str, pid: int, folder: Path):
        self.url, self.pid, self.folder = url, pid, folder

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def uploads(self) -> list[str]:
        """Names of the files in its temporary folder, without the lock that says that it lives."""
        files = (path for path in (self.folder / "temp").rglob("*") if path.is_file())
        return [path.name for path in files if path.suffix != ".lock"]

    def answers(self) -> bool:
        with urlopen(self.url, timeout=patience.ANSWER) as page:
            return page.status == 200


def start(
    command: list[str], cwd: Path, folder: Path, port: int = 0, **extra: str
) -> tuple[RunningSpace, subprocess.Popen]:
    """Start a Space and wait until it answers; everything it writes goes below `folder`."""
    port = port or free_port()
    (folder / "temp").mkdir(parents=True)
    places = {"GRADIO_TEMP_DIR": str(folder / "temp"), "TMPDIR": str(folder / "temp"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = fresh.environment(folder / "home", GRADIO_SERVER_PORT=str(port), **places, **fresh.OFFLINE, **extra)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log, start_new_session=True)
    space = RunningSpace(f"http://127.0.0.1:{port}/", process.pid, folder)
    for _ in range(patience.ANSWER * 5):
        try:
            if space.answers():
                return space, process
        except OSError:
            assert process.poll() is None, space.log
            time.sleep(0.2)
    process.kill()
    raise AssertionError(f"no answer from {space.url}:\n{space.log}")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repo; do not change it."""
    return once(tmp_path_factory, "tiny-model", write_tiny_model)


@pytest.fixture(scope="session")
def space(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[RunningSpace]:
    """The demo Space as `emohub space` starts it, shared by all workers; the last to leave stops it."""
    base = base_of(tmp_path_factory)
    shared, lock = base / "space.json", FileLock(base / "space.lock")
    with lock:
        known = json.loads(shared.read_text()) if shared.exists() else {"users": 0}
        if not known["users"]:
            folder = base / f"space-{time.monotonic_ns()}"
            command = [sys.executable, "-m", "emohub.cli", "space", "--model", str(tiny_model)]
            running, _ = start(command, base, folder, PYTHONPATH=str(ROOT), SPACE_SETTINGS=json.dumps(SETTINGS))
            known = {"users": 0, "url": running.url, "pid": running.pid, "folder": str(folder)}
        shared.write_text(json.dumps(known | {"users": known["users"] + 1}))
    yield RunningSpace(known["url"], known["pid"], Path(known["folder"]))
    with lock:
        known = json.loads(shared.read_text())
        shared.write_text(json.dumps(known | {"users": known["users"] - 1}))
        if known["users"] == 1:
            os.kill(known["pid"], signal.SIGTERM)


@pytest.fixture(scope="session")
def example() -> Callable[[str], Path]:
    return lambda name: SPACE / "examples" / name


@pytest.fixture(scope="session")
def connect() -> Callable[[str], Client]:
    """A client of a Space; its library gives up after 5 s, which a busy machine may need."""
    return lambda url: Client(url, verbose=False, httpx_kwargs={"timeout": patience.ANSWER})
