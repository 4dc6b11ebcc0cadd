"""The bounded process, `python -m tests.fuzz.child TARGET SEED FIRST COUNT`: a line when a case begins and ends.

It ends itself where a case takes too long, and the system ends it where one takes too much memory.
"""

import faulthandler
import os
import random
import resource
import sys
import tempfile
import traceback
from pathlib import Path

from tests.fuzz.targets import BROKEN, TARGETS

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))  # of one case, many times what any needs
MEMORY = 3 * 2**30  # bytes of address space above what the process has when it begins


def main(name: str, seed: int, first: int, count: int) -> None:
    """Read damaged files, one after the other."""
    with tempfile.TemporaryDirectory(prefix="emohub-fuzz-") as folder:
        target = (TARGETS | BROKEN)[name](Path(folder))
        target.read(target.originals[0])  # imports are done, and threads started, before memory is bounded
        _bound_memory()
        for number in range(first, first + count):
            data = target.damaged(random.Random(f"{name} {seed} {number}"))
            print(f"begin {number}", flush=True)
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            try:
                target.read(data)
            except BaseException:
                faulthandler.cancel_dump_traceback_later()
                traceback.print_exc()
                print(f"bad {number}", flush=True)
            else:
                faulthandler.cancel_dump_traceback_later()
                print(f"good {number}", flush=True)


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
