"""What a command costs: seconds, CPU seconds, memory."""

import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.2  # seconds between two looks at the memory


@dataclass(frozen=True)
class Measured:
    """What one run of a command cost.

    Attributes:
        seconds: By the clock.
        cpu: Of it and its children, user and system.
        peak: Largest proportional set size in bytes, see `tree_memory`.
        written: Bytes of what it made.
    """

    seconds: float
    cpu: float
    peak: float
    written: int = 0


def measure(command: Sequence[str], env: Mapping[str, str]) -> Measured:
    """Run a command to its end and look at its memory meanwhile; where it fails, its output ends the benchmark."""
    before, start, peak = _children(), time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=dict(env), stdout=log, stderr=log, text=True)
        while process.poll() is None:
            peak = max(peak, tree_memory(process.pid))
            time.sleep(EVERY)
        seconds = time.perf_counter() - start
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{log.read()[-5000:]}")
    return Measured(seconds, _children() - before, peak)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tree_memory(pid: int) -> float:
    """PSS in bytes of a process and its descendants."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        own = next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, StopIteration):  # it ended between two looks
        return 0.0
    return own + sum(tree_memory(int(child)) for child in children)
