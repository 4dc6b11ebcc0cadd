"""One image through Empathic Insight Face, full size, upstream's way and ours: speed, load time, memory, error.

    python -m benchmarks.bench_model [--size small] [--images 4] [--rounds 2] [--threads 2] [--folder DIR]

Upstream's way is the whole SigLIP, text tower included, `get_image_features` and one `nn.Sequential` per head. Ours is
the repo that `emohub build model` makes of the same weights: PyTorch, ONNX Runtime. Weights are drawn by chance in the
sizes of google/siglip2-so400m-patch16-384, and the heads scaled so that scores reach 7 as the real ones do: speed and
memory are those of the real model, the errors of bfloat16 and int8 only hint at them. Every way runs in a process of
its own on the same pixels, one image at a time after one that does not count; its median time counts, and the best of
the rounds, in which the ways take turns, as the machine's speed drifts. Files are in the page cache; loading is from
the start of the first read to a model that is ready, without the imports. Memory is the process's peak, loading
included. The ceilings are those of `benchmarks/ceilings.py`, of the number format that a way multiplies in. A line
that says DISTURBED had less of the machine than its threads could use: measure again.

Where `openvino` is installed (nothing of emohub needs it), it reads the ONNX files beside ONNX Runtime.

`--folder DIR` keeps what is made there (7 GB) and takes it from there the next time.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.ceilings import best, ceilings, processor, tower_gflop

SHAPE = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}
IMAGE_SIZE, PATCH_SIZE = 384, 16
GFLOP = tower_gflop(
    width=SHAPE["hidden_size"],
    layers=SHAPE["num_hidden_layers"],
    inner=SHAPE["intermediate_size"],
    image=IMAGE_SIZE,
    patch=PATCH_SIZE,
)
VISION: dict[str, Any] = {**SHAPE, "image_size": IMAGE_SIZE, "patch_size": PATCH_SIZE}
TEXT = {**SHAPE, "vocab_size": 256_000, "max_position_embeddings": 64, "projection_size": 1152}
HIDDEN_SIZES = {"small": (128, 32), "large": (1024, 512, 256)}
DROPOUT = 0.1
FACES = (("Elation", 30), ("Sadness", 60), ("Anger", 40), ("Awe", 20))
SAME = 1e-4  # what counts as the same outputs
BUSY = 0.85  # of the threads' cores: below, something else was running
# That a way multiplies in, where not float32.
FORMATS = {"torch bf16": "bfloat16", "onnx int8": "int8", "ov bf16": "bfloat16", "ov int8": "int8"}
SHARES = {"onnx": 0.95, "onnx int8": 0.7}  # of its ceiling, that are wanted

Scorer = Callable[[np.ndarray], np.ndarray]  # pixel_values (1, 3, side, side) → scores (1, heads)


# Making the inputs


def make(folder: Path, size: str) -> dict[str, Any]:
    """Write `backbone`, `heads`, `pixels.npy` and the converted `repo` into a folder."""
    from emohub.drawing import draw_face
    from emohub.model.convert.backbone import load_backbone
    from emohub.model.convert.convert import convert_model
    from emohub.model.convert.images import pixels
    from emohub.sample.heads import random_heads, write_backbone, write_heads

    for part in ("backbone", "heads"):  # of a run that was stopped
        shutil.rmtree(folder / part, ignore_errors=True)
    write_backbone(folder / "backbone", VISION, TEXT)
    write_heads(folder / "heads", random_heads(SHAPE["hidden_size"], HIDDEN_SIZES[size]))
    who = {"ethnicity": "North African", "gender": "woman"}
    faces = [draw_face(emotion, age=age, **who, intensity=1, seed=age, size=IMAGE_SIZE) for emotion, age in FACES]
    base = load_backbone(str(folder / "backbone"))
    pixel_values = pixels(faces, base.processor)
    np.save(folder / "pixels.npy", pixel_values.numpy())
    scale_scores(folder / "heads", base.tower(pixel_values).pooler_output)
    del base
    return convert_model(folder / "heads", str(folder / "backbone"), folder / "repo", size)


def scale_scores(heads: Path, embeds: Any) -> None:
    """Scale the last layer of every head so that the largest of its scores on the faces is 7 or −7."""
    import torch

    for path in heads.iterdir():
        loaded = torch.load(path, weights_only=True)
        state = loaded.get("state_dict", loaded)
        gain = 7 / sequential(state)(embeds).detach().abs().max()
        for key in [*state][-2:]:
            state[key] *= gain
        torch.save(loaded, path)


def sequential(state: dict[str, Any]) -> Any:
    """A head as upstream builds it, from its `layers.<i>.weight|bias`."""
    from torch import nn

    layers: list[nn.Module] = []
    for weight in (value for key, value in state.items() if key.endswith("weight")):
        layers += [nn.Linear(weight.shape[1], weight.shape[0]), nn.ReLU(), nn.Dropout(DROPOUT)]
    head = nn.Sequential(*layers[:-2])
    head.load_state_dict({key.removeprefix("layers."): value for key, value in state.items()})
    return head.eval()


# The ways to run it


def upstream(folder: Path) -> Scorer:
    """The whole SigLIP and one module per head."""
    import torch
    from transformers import SiglipModel

    config = json.loads((folder / "repo" / "config.json").read_text())
    files = json.loads((folder / "repo" / "conversion.json").read_text())["heads"]
    names = [*config["id2label"].values(), *config["dimensions"]]
    tower = SiglipModel.from_pretrained(folder / "backbone", dtype=torch.float32).eval()
    heads = []
    for name in names:
        loaded = torch.load(folder / "heads" / files[name]["file"], weights_only=True)
        heads.append(sequential(loaded.get("state_dict", loaded)))

    def run(pixel_values: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            embeds = tower.get_image_features(torch.from_numpy(pixel_values)).pooler_output
            return torch.cat([head(embeds) for head in heads], dim=1).numpy()

    return run


def ours_torch(folder: Path, **options: Any) -> Scorer:
    """The converted repo through PyTorch."""
    import torch
    from transformers import AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(folder / "repo", trust_remote_code=True, **options).eval()

    def run(pixel_values: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            output = model(torch.from_numpy(pixel_values).to(model.dtype))
        return torch.cat([output.logits, output.dimensions], dim=1).numpy()

    return run


def ours_bf16(folder: Path) -> Scorer:
    """The repo's bfloat16 file through PyTorch."""
    return ours_torch(folder, variant="bf16", dtype="bfloat16")


def ours_onnx(folder: Path, file: str = "model.onnx") -> Scorer:
    """The repo's ONNX file through ONNX Runtime, with its defaults."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    path = folder / "repo" / "onnx" / file
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(pixel_values: np.ndarray) -> np.ndarray:
        return np.concatenate(session.run(["logits", "dimensions"], {"pixel_values": pixel_values}), axis=1)

    return run


def ours_int8(folder: Path) -> Scorer:
    """The repo's int8 ONNX file."""
    return ours_onnx(folder, "model_int8.onnx")


def openvino(folder: Path, precision: str = "f32", file: str = "model.onnx") -> Scorer:
    """An ONNX file of the repo through OpenVINO, products in `precision`."""
    ov = import_module("openvino")
    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": os.environ["OMP_NUM_THREADS"]}
    model = ov.Core().compile_model(folder / "repo" / "onnx" / file, "CPU", options)

    def run(pixel_values: np.ndarray) -> np.ndarray:
        found = model({"pixel_values": pixel_values})
        return np.concatenate([found["logits"], found["dimensions"]], axis=1)

    return run


# What loads it, and what is imported before the clock starts.
TORCH = ("torch", "transformers.models.siglip.modeling_siglip", "transformers.models.auto.modeling_auto")
ONNX = ("onnxruntime",)
WAYS: dict[str, tuple[Callable[[Path], Scorer], tuple[str, ...]]] = {
    "upstream": (upstream, TORCH),
    "torch": (ours_torch, TORCH),
    "torch bf16": (ours_bf16, TORCH),
    "onnx": (ours_onnx, ONNX),
    "onnx int8": (ours_int8, ONNX),
}
if find_spec("openvino"):
    WAYS |= {
        "ov": (openvino, ("openvino",)),
        "ov bf16": (partial(openvino, precision="bf16"), ("openvino",)),
        "ov int8": (partial(openvino, file="model_int8.onnx"), ("openvino",)),
    }


# Measuring, each in a process of its own


def measure(way: str, folder: Path, images: int) -> dict[str, Any]:
    """Load and run one way; scores go to `folder/<way>.npy`."""
    load, modules = WAYS[way]
    for module in modules:
        import_module(module)
    pixel_values = np.load(folder / "pixels.npy")
    start = time.perf_counter()
    run = load(folder)
    loaded = time.perf_counter() - start
    run(pixel_values[:1])
    seconds, cpu, scores = [], [], []
    for i in range(images):
        start, cpu_start = time.perf_counter(), time.process_time()
        scores.append(run(pixel_values[i % len(pixel_values)][None]))
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    np.save(folder / f"{way}.npy", np.concatenate(scores))
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return {"load": loaded, "seconds": median(seconds), "cores": sum(cpu) / sum(seconds), "peak": peak}


def in_fresh_process(step: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Run one step of this file; what it returns comes back over its standard output."""
    threads = str(args.threads)
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"}
    environment["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    command = [sys.executable, "-m", "benchmarks.bench_model", "--step", step, "--folder", str(folder)]
    command += ["--images", str(args.images), "--size", args.size]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_table(rows: dict[str, dict[str, Any]], ceiling: dict[str, float], folder: Path, threads: int) -> None:
    """One line a way, each beside upstream's."""
    wanted = np.load(folder / "upstream.npy")
    first = rows["upstream"]["seconds"]
    print(f"{processor()}\nProducts, GFLOP/s: {', '.join(f'{name} {value:,.0f}' for name, value in ceiling.items())}")
    print(f"Tower: {GFLOP:,.0f} GFLOP an image; scores run from {wanted.min():.1f} to {wanted.max():.1f}\n")
    print("way          ms an image  × upstream  GFLOP/s  of its ceiling  load s  peak MB  max error")
    for way, row in rows.items():
        speed = GFLOP / row["seconds"]
        error = np.abs(np.load(folder / f"{way}.npy") - wanted).max()
        line = f"{way:11} {row['seconds'] * 1e3:12,.0f} {first / row['seconds']:11.2f} {speed:8,.0f}"
        share = speed / ceiling[FORMATS.get(way, "float32")]
        line += f" {share:15.0%} {row['load']:7.1f} {row['peak'] / 1e6:8,.0f} {error:10.1e}"
        print(line if row["cores"] > BUSY * threads else f"{line}  DISTURBED: had {row['cores']:.1f} cores")
    print()
    for way, goal in SHARES.items():
        share = GFLOP / rows[way]["seconds"] / ceiling[FORMATS.get(way, "float32")]
        print(f"{way}: {share:.2f} of its ceiling, {goal} wanted: {'reached' if share >= goal else 'MISSED'}")
    error = np.abs(np.load(folder / "onnx.npy") - wanted).max()
    print(f"onnx gives upstream's scores within {SAME}: {'yes' if error <= SAME else 'NO'}, {error:.1e}")


def bench(folder: Path, args: argparse.Namespace) -> None:
    """Make what is missing, measure every way, print the table."""
    start = time.perf_counter()
    if not (folder / "repo").is_dir():
        print("Making a full-size model with random weights and converting it …", file=sys.stderr, flush=True)
        in_fresh_process("make", folder, args)
    by_library = [ceilings(args.threads)]
    rounds: list[dict[str, dict[str, Any]]] = []
    for number in range(args.rounds):
        rounds.append({})
        for way in WAYS:
            print(f"round {number + 1}: {way} …", file=sys.stderr, flush=True)
            rounds[-1][way] = in_fresh_process(way, folder, args)
        by_library.append(ceilings(args.threads))
    ceiling = {name: max(best(one)[name] for one in by_library) for name in by_library[0]}
    rows = {way: min((one[way] for one in rounds), key=lambda row: row["seconds"]) for way in WAYS}
    print(f"{args.size} heads, {args.threads} threads, load before {os.getloadavg()[0]:.1f}")
    print_table(rows, ceiling, folder, args.threads)
    print(f"\n{time.perf_counter() - start:,.0f} s in all", file=sys.stderr)


def main() -> None:
    """Parse; run all, or the one step that a fresh process is for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=HIDDEN_SIZES, default="small")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep what is made here, or take it from here")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step == "make":
        print(json.dumps(make(args.folder, args.size)))
    elif args.step:
        print(json.dumps(measure(args.step, args.folder, args.images)))
    elif args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
        bench(args.folder, args)
    else:
        with tempfile.TemporaryDirectory(dir=".") as scratch:
            bench(Path(scratch), args)


if __name__ == "__main__":
    main()
