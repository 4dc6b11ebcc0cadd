"""The bounded process, `python -m tests.fuzz.child TARGET SEED FIRST COUNT`: a line when a case begins and ends.

It ends itself where a case takes too long, and the system ends it where one takes too much memory.
"""

import faulthandler
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from tests.fuzz.base import Target
from tests.fuzz.broken import BROKEN

CPU_SECONDS = float(os.environ.get("FUZZ_CPU_SECONDS", "30"))  # of one case, many times what any needs
SECONDS = float(os.environ.get("FUZZ_SECONDS", "900"))  # the same by the clock, for one that waits
MEMORY = 3 * 2**30  # bytes of address space above what the process has when it begins


def main(name: str, seed: int, first: int, count: int) -> None:
    """Read damaged files, one after the other."""
    with tempfile.TemporaryDirectory(prefix="emohub-fuzz-") as folder:
        target = target_class(name)(Path(folder))
        target.read(target.originals[0])  # imports are done, and threads started, before memory is bounded
        _bound_memory()
        faulthandler.register(signal.SIGPROF, chain=True)  # shows where it is, then ends it
        for number in range(first, first + count):
            data = target.damaged(random.Random(f"{name} {seed} {number}"))
            print(f"begin {number}", flush=True)
            _allow(SECONDS, CPU_SECONDS)
            try:
                target.read(data)
            except BaseException:
                _allow(0, 0)
                traceback.print_exc()
                print(f"bad {number}", flush=True)
            else:
                _allow(0, 0)
                print(f"good {number}", flush=True)


def target_class(name: str) -> type[Target]:
    """A target by its name."""
    if name in BROKEN:
        return BROKEN[name]
    from tests.fuzz.targets import TARGETS  # with the whole kit

    return TARGETS[name]


def _allow(seconds: float, cpu_seconds: float) -> None:
    """How long this process may go on, by the clock and in time of the processor; 0 is without end."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    if seconds:
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
