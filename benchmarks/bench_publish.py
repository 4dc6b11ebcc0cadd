"""`emohub publish` against `huggingface_hub.upload_folder`: the same files to the same server, side by side.

    python -m benchmarks.bench_publish [--rounds 5]

The server is the tests' Hub on 127.0.0.1 (LFS, no Xet), in a process of its own and empty for every run; it writes
what it gets to disk and checks its SHA-256. Both sides run in a fresh process, are timed without the start of Python
and its imports, make the repo, and end with its files committed; publish also plans, keeps its journal, compares the
digests of the commit and tags it. Checks before and verification afterwards are off (`--no-check --verify none`).
Sides take turns at going first; the ratio is the median of the rounds' ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOKEN = "hf_bench"
SERVE = """
import sys, time
from pathlib import Path
from tests.hub_server import Hub, running
with running(Hub(Path(sys.argv[1]), tokens={"hf_bench": "bench"})) as url:
    print(url, flush=True)
    sys.stdin.read()
"""
UPLOAD = """
import sys, time
from huggingface_hub import HfApi
from huggingface_hub.utils import disable_progress_bars
disable_progress_bars()
start = time.perf_counter()
api = HfApi()
api.create_repo("bench/files", repo_type="dataset")
api.upload_folder(repo_id="bench/files", repo_type="dataset", folder_path=f"{sys.argv[1]}/datasets/files")
print(time.perf_counter() - start)
"""
PUBLISH = """
import sys, time
from pathlib import Path
from emohub.publish.publish import Options, publish
start = time.perf_counter()
publish(Path(sys.argv[1]), Options(check=False, verify="none"), lambda plan: None, lambda line: None)
print(time.perf_counter() - start)
"""
SIDES = {"upload_folder": UPLOAD, "publish": PUBLISH}
# What is sent → how many files, and bytes of each.
LOADS = {"large": (12, 40_000_000), "small": (400, 20_000)}


def make_release(folder: Path, files: int, size: int) -> int:
    """A release of one dataset of random bytes; returns its bytes."""
    root = folder / "datasets" / "files"
    root.mkdir(parents=True)
    for number in range(files):
        (root / f"train-{number:05d}-of-{files:05d}.parquet").write_bytes(os.urandom(size))
    (root / "README.md").write_text("---\nlicense: mit\n---\n# Files\n", encoding="utf-8")
    repo = {"kind": "dataset", "name": "files", "private": False, "gated": None, "digest": "0"}
    about = {"title": "Bench", "version": "0.1.0", "namespace": "bench", "collection": None, "repos": [repo]}
    (folder / "release.json").write_text(json.dumps(about), encoding="utf-8")
    return files * size


@contextmanager
def serving() -> Iterator[str]:
    """An empty Hub in a process of its own."""
    with tempfile.TemporaryDirectory(dir=".") as objects:
        command = [sys.executable, "-c", SERVE, str(Path(objects).resolve())]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdin is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.stdin.close()


def seconds(side: str, release: Path) -> float:
    """One run of one side against an empty Hub."""
    os.sync()
    with serving() as url, tempfile.TemporaryDirectory() as home:
        hub = {"HF_ENDPOINT": url, "HF_TOKEN": TOKEN, "HF_HOME": home, "HF_HUB_DISABLE_XET": "1"}
        kit = {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        command = [sys.executable, "-W", "ignore", "-c", SIDES[side], str(release)]
        done = subprocess.run(command, env={**os.environ, **hub, **kit}, capture_output=True, text=True, check=False)
    release.with_name(f".{release.name}.publish.json").unlink(missing_ok=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def main() -> None:
    """Measure and print one line for each load."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"load average at the start: {os.getloadavg()[0]:.2f}, cores: {os.cpu_count()}")
    print("load    files  data MB  upload_folder MB/s  publish MB/s  publish:upload_folder (median of rounds)")
    for load, (files, size) in LOADS.items():
        with tempfile.TemporaryDirectory(dir=".") as scratch:
            release = Path(scratch) / "release"
            total = make_release(release.resolve(), files, size) / 1e6
            rounds = []
            for number in range(args.rounds):
                order = list(SIDES)[:: 1 if number % 2 else -1]
                took = {side: seconds(side, release.resolve()) for side in order}
                rounds.append(took)
                time.sleep(0.5)
            ratio = statistics.median(took["upload_folder"] / took["publish"] for took in rounds)
            speed = {side: total / statistics.median(took[side] for took in rounds) for side in SIDES}
        print(
            f"{load:6} {files:6} {total:8,.0f} {speed['upload_folder']:19,.0f} {speed['publish']:13,.0f} {ratio:9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
