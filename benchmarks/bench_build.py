"""Building an image dataset against copying the same files: bytes per second side by side, and peak memory.

    python -m benchmarks.bench_build [--images 2000 20000] [--num-proc 2] [--rounds 3]

The user's other way to a Hub repo is to copy the files into a folder. Both sides read the same warm files and write to
the same disk; `os.sync` is inside both timings, so that neither hands its work to the kernel and leaves. The build is
all of `build_dataset` (tables, checks, Parquet, card) in a fresh process; like the copy, it is timed without the
start of Python and its imports, about 2 s. Memory is the proportional set size (PSS) of that process and its workers,
sampled five times a second in a run of its own, because looking costs time.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import tree_memory
from benchmarks.sources import CHAIN, large_picture

MB = 1e6
BUILD = """
import os, sys, time
from pathlib import Path
from emohub.dataset.build import Options, build_dataset
from emohub.dataset.card import write_dataset_card

source, target, num_proc = sys.argv[1:]
start = time.perf_counter()
options = Options(num_proc=int(num_proc), allow_partial=True)
build_dataset("emonet-face", source, Path(target), configs=["binary"], options=options, write_card=write_dataset_card)
os.sync()
print(time.perf_counter() - start)
"""


def make_source(folder: Path, images: int) -> int:
    """A BINARY source of distinct, valid 1024 × 1024 JPEGs of the size that Flux-Dev's have; returns its bytes."""
    (folder / "binary").mkdir(parents=True)
    total = 0
    with open(folder / "binary.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "annotator", "value", "emotion"])
        for index in range(images):
            data = large_picture(index)
            (folder / "binary" / f"{index:05d}.jpg").write_bytes(data)
            total += len(data)
            first = CHAIN[index // 2_000]
            table.writerow([f"{index:05d}", f"human-{first}", "False", "Awe"])
            table.writerow([f"{index:05d}", "human-5", "False", "Disgust"])
    os.sync()
    return total


def copy_seconds(source: Path, target: Path) -> float:
    """Copy every image with `shutil.copy`."""
    start = time.perf_counter()
    target.mkdir()
    for path in sorted((source / "binary").iterdir()):
        shutil.copy(path, target / path.name)
    os.sync()
    return time.perf_counter() - start


def build(source: Path, target: Path, num_proc: int, watch: bool = False) -> tuple[float, float]:
    """Build the repo as a user would; returns seconds and, if watched, the peak memory in bytes."""
    peak = 0.0
    with open(target.parent / "build.log", "w+") as log:
        command = [sys.executable, "-c", BUILD, str(source), str(target), str(num_proc)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        while watch and process.poll() is None:
            peak = max(peak, tree_memory(process.pid))
            time.sleep(0.2)
        printed, _ = process.communicate()
        if process.returncode:
            raise SystemExit((target.parent / "build.log").read_text())
    return float(printed), peak


def main() -> None:
    """Measure and print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--num-proc", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print("images     data MB   copy MB/s  build MB/s  build:copy (median of rounds)  peak MB")
    for images in args.images:
        with tempfile.TemporaryDirectory(dir=".") as scratch:
            root = Path(scratch)
            size = make_source(root / "source", images)
            rounds = []
            for _ in range(args.rounds):
                copied = copy_seconds(root / "source", root / "copy")
                built, _ = build(root / "source", root / "repo", args.num_proc)
                rounds.append((copied / built, copied, built))
                shutil.rmtree(root / "copy")
                shutil.rmtree(root / "repo")
            ratio, copied, built = sorted(rounds)[len(rounds) // 2]
            _, peak = build(root / "source", root / "repo", args.num_proc, watch=True)
            print(
                f"{images:6,} {size / MB:11,.0f} {size / MB / copied:11,.0f} {size / MB / built:11,.0f}"
                f" {ratio:11.2f} {'':18} {peak / MB:8,.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
