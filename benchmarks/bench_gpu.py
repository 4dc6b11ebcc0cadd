"""What a GPU does: `embed` against the bare tower and the card's limit, training at paper size, the same scores, Ray.

    python -m benchmarks.bench_gpu [--parts ceiling scores embed ray train] [--size so400m] [--images 960]

Written for one card with 16 cores beside it. Without a GPU it stops, unless `--device cpu` asks for a trial of the
script itself (then with `--size tiny`, few `--images` and few `--rows`), whose figures mean nothing.

- ceiling: a product of two 8192 × 8192 matrices in bfloat16 is the card's limit.
- embed: JPEGs in Parquet to shards on the disk, bfloat16, pinned memory, PyTorch's own attention (SDPA), against the
  same model on pixels in memory, and that against the limit; then the tower under `torch.compile`.
- scores: float32 and bfloat16 on the device against float32 on the CPU.
- train: one epoch of Small and of Large over 203,201 embeddings of 1152 numbers, the bank and 40 runs with fused Adam.
- ray: `embed --engine ray` with one actor on the card.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.bench_embed import SIZES, make_dataset, make_model, run_bare
from benchmarks.bench_train import HEADS, WIDTH, made_up, separate_heads, train_separately
from benchmarks.ceilings import tower_gflop
from emohub.model.hubcode import config_class
from emohub.model.infer import raytask
from emohub.model.infer.backends import load_backend
from emohub.model.infer.embed import embed_dataset
from emohub.model.repo import open_repo
from emohub.model.train.bank import new_bank
from emohub.model.train.loop import Settings, Stage, StageRun
from emohub.model.train.recipes import plan_stages

PAPER_ROWS = 203_201  # images of BIG, EmoNet-Face App. B.2
SIDE = 8192
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1}  # points of the 0–7 scale


def timed(device: str, work: Callable[[], Any]) -> float:
    """Seconds until the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def memory(device: str) -> str:
    """The largest amount of the device's memory since the last call."""
    if device != "cuda":
        return "not measured on a CPU"
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return f"{peak / 1e9:.1f} GB of the device"


def limit(device: str) -> float:
    """GFLOP/s of a large product in bfloat16."""
    side = SIDE if device == "cuda" else 1024
    values = torch.rand(side, side, device=device, dtype=torch.bfloat16)
    seconds = [timed(device, lambda: values @ values) for _ in range(6)]
    return 2 * side**3 / min(seconds[1:]) / 1e9


def bench_ceiling(args: argparse.Namespace, work: Path) -> None:
    """The card's limit."""
    print(f"bfloat16 product: {limit(args.device) / 1e3:,.1f} TFLOP/s")


def bench_scores(args: argparse.Namespace, work: Path) -> None:
    """The largest difference from the CPU's scores."""
    pixels = np.random.default_rng(0).standard_normal((16, 3, *[SIZES[args.size][4]] * 2)).astype(np.float32)
    wanted = load_backend(open_repo(work / "model"), "cpu")(pixels).scores
    for dtype, allowed in TOLERANCE.items():
        found = load_backend(open_repo(work / "model", dtype=dtype), args.device)(pixels).scores
        error = float(np.abs(found - wanted).max())
        print(f"{dtype}: {error:.1e} off the CPU, {allowed} allowed: {'yes' if error <= allowed else 'NO'}")


def bench_embed(args: argparse.Namespace, work: Path) -> None:
    """JPEGs to shards, pixels to scores, and that as a share of the card's limit."""
    options: dict[str, Any] = {"dtype": "bfloat16", "batch_size": args.batch_size, "device": args.device}
    backend = load_backend(open_repo(work / "model", dtype="bfloat16"), args.device)
    run_bare(backend, args.batch_size, args.batch_size)
    bare = args.images / timed(args.device, lambda: run_bare(backend, args.images, args.batch_size))
    width, layers, _, inner, image, patch = SIZES[args.size]
    gflop = tower_gflop(width=width, layers=layers, inner=inner, image=image, patch=patch)
    share = bare * gflop / limit(args.device)
    print(f"bare tower: {bare:,.0f} images/s, {share:.0%} of the limit; {memory(args.device)}")
    manifest = embed_dataset(work / "dataset", work / "model", work / "embedded", **options)
    rate = args.images / manifest["run"]["seconds"]
    print(f"embed: {rate:,.0f} images/s, {rate / bare:.2f} of the bare tower; {memory(args.device)}")
    whole: Any = backend
    whole.model = torch.compile(whole.model)
    first = timed(args.device, lambda: run_bare(backend, args.batch_size, args.batch_size))
    compiled = args.images / timed(args.device, lambda: run_bare(backend, args.images, args.batch_size))
    print(f"torch.compile: {compiled / bare:.2f} × the bare tower, after {first:.0f} s of compiling")


def bench_ray(args: argparse.Namespace, work: Path) -> None:
    """The same through Ray; decoders are its tasks."""
    with raytask.connected(None):
        options = {"dtype": "bfloat16", "batch_size": args.batch_size, "engine": "ray", "actors": 1}
        manifest = embed_dataset(work / "dataset", work / "model", work / "by-ray", device=args.device, **options)
    print(f"embed by one actor of Ray: {args.images / manifest['run']['seconds']:,.0f} images/s")


def bench_train(args: argparse.Namespace, work: Path) -> None:
    """One epoch of every size, the bank and 40 runs."""
    values, ratings = made_up(args.rows)
    embeds, settings = torch.from_numpy(values).to(args.device), Settings()
    for size in ("small", "large"):
        base: Any = config_class()
        config = base.of_size(size)
        labels = {(name, "train"): ratings for name in ("big", "binary")}
        stage = plan_stages(size, labels, HEADS, settings.seed)[0]
        stage = Stage(stage.name, 0, 1, stage.targets.to(args.device), stage.samples)
        bank = new_bank(HEADS, WIDTH, config.head_hidden_sizes, config.head_dropout, settings.seed, torch.float32)
        heads = [head.to(args.device) for head in separate_heads(bank, config.head_dropout)]
        run = StageRun(bank.to(args.device), HEADS, embeds, stage, settings)
        seconds = [timed(args.device, run.epoch) for _ in range(2)][-1]
        seen = sum(len(sample.train) for sample in stage.samples)
        print(f"{size}: an epoch of {seen:,} images of {args.rows:,} in {seconds:.2f} s; {memory(args.device)}")
        apart = partial(train_separately, heads, embeds, stage, settings, True)
        print(f"{size}: 40 runs with fused Adam take {timed(args.device, apart) / seconds:.2f} × as long")


PARTS: dict[str, Callable[[argparse.Namespace, Path], None]] = {
    "ceiling": bench_ceiling,
    "scores": bench_scores,
    "embed": bench_embed,
    "train": bench_train,
    "ray": bench_ray,  # last: it starts processes
}


def main() -> None:
    """Make a model and images, then run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--size", choices=SIZES, default="so400m")
    parser.add_argument("--images", type=int, default=960)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rows", type=int, default=PAPER_ROWS, help="embeddings that heads are trained on")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("no GPU here. --device cpu --size tiny --images 16 --rows 1000 tries the script itself.")
    name = torch.cuda.get_device_name() if args.device == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, {args.size}, batches of {args.batch_size}")
    with tempfile.TemporaryDirectory(prefix=".bench_gpu-", dir=".") as scratch:
        work = Path(scratch).resolve()
        make_model(work / "model", args.size, onnx=False)
        make_dataset(work / "dataset", args.images)
        for part in (part for part in PARTS if part in args.parts):
            print(f"\n{part}", flush=True)
            PARTS[part](args, work)


if __name__ == "__main__":
    main()
