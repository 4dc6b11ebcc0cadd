"""`emohub check` of the demo's release, beside the time that its work takes on all cores.

    python -m benchmarks.bench_check [--rounds 3] [--release FOLDER]

The other side is what the machine was busy for, divided by its cores: a check that never waited would take as long.
The machine must do nothing else meanwhile. The release is built first, unless one is given.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def busy() -> float:
    """Seconds that all cores together have worked since the machine started."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def checked(release: Path) -> tuple[float, float]:
    """Seconds by the clock, and seconds of work."""
    start, before = time.perf_counter(), busy()
    emohub = Path(sys.executable).with_name("emohub")
    subprocess.run([emohub, "--quiet", "check", release], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, busy() - before


def main() -> None:
    """Print one line a round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--release", type=Path)
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        release = args.release or Path(scratch) / "release"
        if not args.release:
            subprocess.run([sys.executable, "-m", "emohub.demo", release], check=True, stdout=subprocess.DEVNULL)
        for _ in range(args.rounds):
            seconds, work = checked(release)
            print(f"{seconds:.1f} s; {work:.1f} s of work on {cores} cores: {seconds / (work / cores):.2f} ×")


if __name__ == "__main__":
    main()
