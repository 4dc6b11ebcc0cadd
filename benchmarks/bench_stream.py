"""Streaming a dataset repo through a DataLoader, beside webdataset over the same images.

    python -m benchmarks.bench_stream [--images 4000] [--workers 2] [--rounds 5]

Both sides read BIG from the disk with the same number of workers, give the bytes of every image and its 40 intensities
(webdataset: as the JSON that `emohub export webdataset` writes), in batches of 32, in a fresh process each; they are
timed from the first batch that is asked for to the last one, without imports. With --decode every image also becomes
an array [224, 224, 3], as training reads it. The sides take turns at going first; the ratio is the median of rounds.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from benchmarks.sources import add_to_tar, described, large_picture
from emohub.dataset.build import Options, build_dataset
from emohub.dataset.card import write_dataset_card
from emohub.dataset.webdataset import export_webdataset

READ = """
import io, sys, time
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
folder, workers, decode = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "True"
def pixels(data):
    if not decode:
        return len(data)
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (224, 224))
    return np.asarray(image.convert("RGB").resize((224, 224)))
def collate(rows):
    return [pixels(data) for data, _ in rows], [values for _, values in rows]
{source}
start, seen = time.perf_counter(), 0
for images, values in DataLoader(rows, batch_size=32, num_workers=workers, collate_fn=collate):
    seen += len(images)
print(seen, time.perf_counter() - start)
"""
OURS = """
from datasets import Image as ImageColumn, load_dataset
rows = load_dataset(folder, "big", split="train", streaming=True).cast_column("image", ImageColumn(decode=False))
rows = rows.map(lambda row: {"pair": (row["image"]["bytes"], row["intensities"])})
collate_pairs = collate
def collate(found):
    return collate_pairs([row["pair"] for row in found])
"""
THEIRS = """
import glob, json
import webdataset
shards = sorted(glob.glob(f"{folder}/train-*.tar"))
rows = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).map(
    lambda row: (row["jpg"], json.loads(row["json"])["intensities"])
)
"""


def make_source(folder: Path, images: int) -> int:
    """BIG in tars, of distinct JPEGs of about 250 kB; returns their bytes."""
    total = 0
    (folder / "big").mkdir(parents=True)
    with tarfile.open(folder / "big" / "00000.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        for number in range(images):
            data = large_picture(number)
            add_to_tar(tar, f"{number:06d}.jpg", data)
            add_to_tar(tar, f"{number:06d}.json", json.dumps(described(number)).encode())
            total += len(data)
    return total


def seconds(source: str, folder: Path, workers: int, decode: bool) -> tuple[int, float]:
    """Rows seen and seconds of one side."""
    command = [sys.executable, "-W", "ignore", "-c", READ.replace("{source}", source), str(folder), str(workers)]
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "HF_HOME": home, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run([*command, str(decode)], capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise SystemExit(done.stderr)
    seen, took = done.stdout.split()
    return int(seen), float(took)


def main() -> None:
    """Build, export, measure both sides, print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=4_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        root = Path(scratch).resolve()
        size = make_source(root / "source", args.images)
        options = Options(num_proc=args.workers, allow_partial=True)
        source, repo = str(root / "source"), root / "repo"
        build_dataset("emonet-face", source, repo, configs=["big"], options=options, write_card=write_dataset_card)
        shutil.rmtree(root / "source")
        export_webdataset(str(repo), root / "tars", config="big", shard_size=max(1, args.images // 8))
        print(f"{args.images:,} images, {size / 1e6:,.0f} MB, {args.workers} workers")
        for decode in (False, True):
            ratios = []
            for number in range(args.rounds):
                sides = {"ours": (OURS, repo), "webdataset": (THEIRS, root / "tars")}
                order = list(sides)[:: 1 if number % 2 else -1]
                took = {side: seconds(*sides[side], args.workers, decode) for side in order}
                assert took["ours"][0] == took["webdataset"][0], took
                ratios.append(took["webdataset"][1] / took["ours"][1])
                rates = ", ".join(f"{side} {seen / each:,.0f} images/s" for side, (seen, each) in took.items())
                print(f"  {'decoded' if decode else 'bytes'}: {rates}", flush=True)
            print(f"{'decoded' if decode else 'bytes'}: ours {statistics.median(ratios):.2f} × webdataset", flush=True)


if __name__ == "__main__":
    main()
