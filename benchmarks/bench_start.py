"""How long `emohub --help` takes beside `hf --help`, in turns.

    python -m benchmarks.bench_start [--rounds 15]

Both are the console scripts of this environment, with warm caches of files; each row is a median.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = ("emohub", "hf")


def seconds(name: str) -> float:
    """One start, with its help thrown away."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}  # no look for a newer version
    start = time.perf_counter()
    script = Path(sys.executable).with_name(name)
    subprocess.run([script, "--help"], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def main() -> None:
    """Print one line a command, and the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    rounds = [{name: seconds(name) for name in COMMANDS} for _ in range(args.rounds + 1)][1:]
    for name in COMMANDS:
        print(f"{name:6} --help {statistics.median(one[name] for one in rounds):.2f} s")
    ratio = statistics.median(one["hf"] / one["emohub"] for one in rounds)
    print(f"emohub starts {ratio:.2f} × as fast as hf")


if __name__ == "__main__":
    main()
