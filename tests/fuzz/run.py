"""Runs targets in bounded processes and gathers the cases that end in anything but a clear error or a result."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Bad:
    """A case that went wrong, with what there is to see of it."""

    target: str
    seed: int
    number: int
    text: str


def run(name: str, seed: int, count: int, first: int = 0) -> list[Bad]:
    """The bad cases of one target; a process that dies is replaced by one that goes on after the case."""
    found: list[Bad] = []
    number, last = first, first + count
    while number < last:
        command = [sys.executable, "-m", "tests.fuzz.child", name, str(seed), str(number), str(last - number)]
        offline = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **offline}, capture_output=True, text=True, errors="replace"
        )
        lines = [line.split() for line in done.stdout.splitlines() if line.startswith(("begin ", "good ", "bad "))]
        found += [Bad(name, seed, int(at), done.stderr[-4000:]) for word, at in lines if word == "bad"]
        begun = [int(at) for word, at in lines if word == "begin"]
        ended = {int(at) for word, at in lines if word != "begin"}
        if not begun:
            return [
                *found,
                Bad(name, seed, number, f"did not start, status {done.returncode}:\n{done.stderr[-4000:]}"),
            ]
        if begun[-1] not in ended:
            text = f"the process ended with status {done.returncode}:\n{done.stderr[-4000:]}"
            found.append(Bad(name, seed, begun[-1], text))
        number = begun[-1] + 1
    return found


def names() -> list[str]:
    """Every target."""
    return list(TARGETS)
