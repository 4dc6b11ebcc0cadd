"""What is killed, when, and what is compared afterwards."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
EMOHUB = (sys.executable, "-m", "emohub.cli")
LONGEST = 900  # seconds for a command that is not killed: a hang, not a slow machine
# Keys of what differs between a run and one that was resumed: times, and `run`, the last run alone (images, seconds).
DIFFERING = re.compile(r"seconds|run")


@dataclass(frozen=True)
class World:
    """Inputs that every story reads: the sample, the release built from it, and embeddings of its images."""

    raw: Path
    release: Path
    embeddings: Path

    @property
    def faces(self) -> Path:
        return self.release / "datasets" / "emonet-face"

    @property
    def model(self) -> Path:
        return self.release / "models" / "empathic-insight-face-small"


# Command → its arguments, without `--out`.
STORIES: dict[str, Callable[[World], list[str | Path]]] = {
    "build dataset": lambda w: ["build", "dataset", "emonet-face", "--source", w.raw / "emonet-face", *PARTIAL],
    "build release": lambda w: ["build", "release", w.raw / "release.toml"],
    "embed": lambda w: ["embed", w.faces, "--model", w.model, "--config", "big", "--shard-size", "8"],
    "train": lambda w: [
        *("train", "--embeddings", w.embeddings, "--dataset", w.faces, "--size", "small", "--epochs", "6"),
        *("--backbone", w.raw / "model" / "backbone", "--neutral", w.raw / "model" / "neutral"),
        *("--checkpoint-minutes", "0", "--device", "cpu"),
    ],
}
PARTIAL = ("--num-proc", "2", "--allow-partial")


@dataclass(frozen=True)
class Outcome:
    """What a killed command left.

    Attributes:
        at: When it was killed, in seconds after its start.
        wrong: What is not as it should be; empty where all is well.
    """

    at: float
    wrong: tuple[str, ...]


def run(arguments: list[str | Path], out: Path) -> None:
    """The command from beginning to end."""
    done = subprocess.run(command(arguments, out), **_options(out), timeout=LONGEST, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]


def command(arguments: list[str | Path], out: Path) -> list[str]:
    return [*EMOHUB, *map(str, arguments), "--out", str(out)]


def _options(out: Path) -> dict[str, Any]:
    out.parent.mkdir(parents=True, exist_ok=True)
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(out.parents[1] / "home"), "PYTHONPATH": str(ROOT)}
    return {"env": {**os.environ, **offline}, "cwd": out.parent, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def kill_and_rerun(arguments: list[str | Path], out: Path, at: float, wanted: dict[str, Any]) -> Outcome:
    """Kill a command after some seconds, run it again, and compare with what an undisturbed run left.

    A command that has ended by then, as the machine is faster than it was, is begun anew and killed earlier.
    """
    while (living := _kill(arguments, out, at)) is None:
        shutil.rmtree(out.parent)
        at *= 0.7
    wrong = [f"still runs a minute later: {', '.join(living)}"] if living else []
    run(arguments, out)
    wrong += [f"{name}: {what}" for name, what in differences(tree(out.parent), wanted)]
    return Outcome(at, tuple(wrong))


def _kill(arguments: list[str | Path], out: Path, at: float) -> list[str] | None:
    """What lives on of a command that is killed; None where it ended before."""
    options = _options(out) | {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command(arguments, out), **options, start_new_session=True) as process:
        try:
            process.wait(at)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)  # this process alone: its workers must notice
        return None if process.wait() == 0 else _living(process.pid)


def _living(group: int) -> list[str]:
    """Processes of a group that are there after a minute; then ended, so that none is left of a test."""
    for _ in range(600):
        if not (found := [one for one in psutil.process_iter(["pid", "name", "status"]) if _of(one, group)]):
            return []
        time.sleep(0.1)
    for one in found:
        one.kill()
    return [one.info["name"] for one in found]


def _of(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def tree(folder: Path) -> dict[str, Any]:
    """Every file below a folder: its bytes, or what a JSON file holds but for `DIFFERING`."""
    return {
        path.relative_to(folder).as_posix(): _content(path, folder)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def _content(path: Path, folder: Path) -> Any:
    data = path.read_bytes()
    if path.suffix == ".json":
        return _comparable(json.loads(data.replace(str(folder).encode(), b"")))
    return data


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _comparable(inner) for key, inner in value.items() if not DIFFERING.fullmatch(key)}
    return [_comparable(inner) for inner in value] if isinstance(value, list) else value


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Files that are missing, left over, or other."""
    for name in sorted(found.keys() | wanted.keys()):
        if name not in found:
            yield name, "is missing"
        elif name not in wanted:
            yield name, "was left behind"
        elif found[name] != wanted[name]:
            yield name, "differs"


def moments(seed: int, count: int, seconds: float) -> list[float]:
    """Random moments in a run of some seconds, the start included."""
    generator = random.Random(seed)
    return [generator.uniform(0, seconds) for _ in range(count)]
