"""`embed` over JPEGs against the bare tower on pixels that are ready: images per second side by side, and the ratio.

    python -m benchmarks.bench_embed [--size so400m] [--images 24] [--rounds 3] [--backend torch] [--dtype bfloat16]

Both sides use the same loaded model with random weights and the same batch size. `embed` counts from the first byte
read to the last shard written: Parquet, decoding of 1024 × 1024 JPEGs, resizing, tower, heads, writing. The rounds
alternate, as the machine's speed drifts; the ratio is the median of the rounds. At least 0.9 is wanted. Processor
seconds per image stand beside: they tell what `embed` adds also where other work disturbs the clock.
"""

import argparse
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from transformers import SiglipImageProcessor

from emohub.data.taxonomy import DIMENSIONS, NAMES
from emohub.hub.folders import hub_folder
from emohub.model.convert.export import write_onnx
from emohub.model.hubcode import CODE, MODEL, config_class, model_class
from emohub.model.infer.backends import load_backend
from emohub.model.infer.embed import embed_dataset
from emohub.model.repo import open_repo

WANTED = 0.9
# hidden, layers, attention heads, intermediate, image, patch; so400m is google/siglip2-so400m-patch16-384.
SIZES: dict[str, tuple[int, int, int, int, int, int]] = {
    "tiny": (192, 4, 3, 768, 224, 16),
    "base": (768, 12, 12, 3072, 224, 16),
    "so400m": (1152, 27, 16, 4304, 384, 16),
}


def make_model(folder: Path, size: str, onnx: bool) -> Path:
    """A model repo with random weights in the geometry of `size`."""
    hidden, layers, heads, intermediate, image, patch = SIZES[size]
    tower = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads}
    tower |= {"intermediate_size": intermediate, "image_size": image, "patch_size": patch}
    torch.manual_seed(0)
    config: Any = config_class()
    config = config.of_size(
        "small",
        vision_config=tower,
        id2label=dict(enumerate(NAMES)),
        dimensions=[dimension.name for dimension in DIMENSIONS],
    )
    model: Any = model_class()(config)
    model.eval().requires_grad_(False).save_pretrained(folder)
    SiglipImageProcessor(size={"height": image, "width": image}).save_pretrained(folder)
    for name in CODE:
        shutil.copyfile(hub_folder("hub_models", MODEL) / f"{name}.py", folder / f"{name}.py")
    if onnx:
        write_onnx(folder, model, torch.randn(2, 3, image, image))
    return folder


def make_dataset(folder: Path, images: int) -> Path:
    """A dataset repo of distinct 1024 × 1024 JPEGs of the size that Flux-Dev's have."""
    rng = np.random.default_rng(0)
    rows = []
    for index in range(images):
        small = Image.fromarray(rng.integers(0, 255, (96, 96, 3), dtype=np.uint8))
        buffer = io.BytesIO()
        small.resize((1024, 1024), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=88)
        rows.append({"item": f"{index:05d}", "image": {"bytes": buffer.getvalue(), "path": None}})
    (folder / "faces").mkdir(parents=True)
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.Table.from_pylist(rows, pa.schema([("item", pa.string()), ("image", image)]))
    pq.write_table(table, folder / "faces" / "train-00000-of-00001.parquet", row_group_size=32)
    files = "  data_files:\n  - split: train\n    path: faces/train-*\n"
    (folder / "README.md").write_text(f"---\nconfigs:\n- config_name: faces\n{files}---\n")
    return folder


def run_bare(backend: Any, images: int, batch_size: int) -> None:
    """The model on pixels in memory, batch by batch."""
    pixels = backend.buffer(batch_size)
    pixels[...] = np.random.default_rng(0).standard_normal(pixels.shape)
    for start in range(0, images, batch_size):
        backend(pixels[: min(batch_size, images - start)])


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What `work` returns, and the seconds of the clock and of this process that it took."""
    clock, process = time.perf_counter(), time.process_time()
    made = work()
    return made, time.perf_counter() - clock, time.process_time() - process


def main() -> None:
    """Measure and print one line a round, then the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="so400m")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--backend", choices=("torch", "onnx", "onnx-int8"), default="torch")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--device")
    parser.add_argument("--dir", default=".", help="where the scratch folder is made")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.dir, prefix=".bench_embed-") as scratch:
        root = Path(scratch)
        dataset = make_dataset(root / "dataset", args.images)
        model = make_model(root / "model", args.size, args.backend != "torch")
        backend = load_backend(open_repo(model, backend=args.backend, dtype=args.dtype), args.device)
        run_bare(backend, args.batch_size, args.batch_size)
        print(f"{args.size}, {args.backend}, {args.dtype}, {backend.device}, {torch.get_num_threads()} threads")
        with patch(
            "emohub.model.infer.engine.load_backend", lambda repo, device: backend
        ):  # loaded once, for both sides
            measure(args, dataset, model, root, backend)


def measure(args: argparse.Namespace, dataset: Path, model: Path, root: Path, backend: Any) -> None:
    """Alternate both sides."""
    print("round  bare images/s  embed images/s  embed:bare   bare CPU s/image  embed CPU s/image  CPU bare:embed")
    options = {"backend": args.backend, "dtype": args.dtype, "batch_size": args.batch_size}
    ratios, shares = [], []
    for number in range(args.rounds):
        _, clock, cpu = timed(lambda: run_bare(backend, args.images, args.batch_size))
        out = root / f"out{number}"
        manifest, _, embed_cpu = timed(lambda out=out: embed_dataset(dataset, model, out, **options))  # type: ignore[misc]  # default arguments of a lambda
        bare, rate = args.images / clock, args.images / manifest["run"]["seconds"]
        ratios.append(rate / bare)
        shares.append(cpu / embed_cpu)
        print(
            f"{number:5} {bare:14.2f} {rate:15.2f} {rate / bare:11.2f} {cpu / args.images:18.2f}"
            f" {embed_cpu / args.images:18.2f} {shares[-1]:15.2f}",
            flush=True,
        )
    ratio = statistics.median(ratios)
    verdict = "reached" if ratio >= WANTED else "MISSED"
    print(f"embed:bare {ratio:.2f} by the clock, at least {WANTED} wanted: {verdict}")
    print(f"CPU seconds bare:embed {statistics.median(shares):.2f}")


if __name__ == "__main__":
    main()
