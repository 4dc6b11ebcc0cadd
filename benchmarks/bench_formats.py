"""What bfloat16, float16 and int8 cost in accuracy, per emotion, on the demo's trained model; and what int8 could be.

    python -m benchmarks.bench_formats [--faces 400] [--calibration 128] [--out FILE.md]

The model is the one that `make demo` converts, the faces are drawn and were not learned from. Errors are differences
from the float32 scores, in points of the 0–7 scale. The last columns are int8 with activations calibrated on other
drawn faces (`quantize_static`: ranges of all values seen, or of 99.999 %), as the kit does not write it. Speeds are
those of a small tower, one image at a time and alternating, for the static variant beside the dynamic one only.
"""

import argparse
import contextlib
import io
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from benchmarks.ceilings import processor
from emohub.model.convert.convert import convert_model
from emohub.model.convert.export import EMBEDS, nodes_after
from emohub.sample.heads import write_model_sample
from emohub.sample.training import draw

STATIC = {"int8 static, all": CalibrationMethod.MinMax, "int8 static, 99.999 %": CalibrationMethod.Percentile}
ROUNDS = 5


class Faces(CalibrationDataReader):
    """Pixels for the calibration, one image at a time."""

    def __init__(self, pixel_values: np.ndarray):
        self.rest: Iterator[np.ndarray] = iter(pixel_values)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next input; None at the end."""
        one = next(self.rest, None)
        return None if one is None else {"pixel_values": one[None]}


def pixels(folder: Path, count: int, stream: str) -> np.ndarray:
    """Drawn faces as the model's input."""
    prepare = AutoImageProcessor.from_pretrained(folder, backend="pil")
    faces = [Image.fromarray(draw(number, stream).pixels.permute(1, 2, 0).numpy()) for number in range(count)]
    return prepare(images=faces, return_tensors="np")["pixel_values"].astype(np.float32)


def torch_scores(folder: Path, pixel_values: np.ndarray, variant: str | None) -> np.ndarray:
    """Emotion scores through PyTorch, (images, 40)."""
    dtype = torch.bfloat16 if variant else torch.float32
    load = AutoModelForImageClassification.from_pretrained
    model = load(folder, trust_remote_code=True, variant=variant, dtype=dtype).eval()
    with torch.no_grad():
        return model(torch.from_numpy(pixel_values).to(dtype)).logits.float().numpy()


def session(path: Path) -> Any:
    """An ONNX file on two threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def onnx_scores(path: Path, pixel_values: np.ndarray) -> np.ndarray:
    """The same through ONNX Runtime."""
    model = session(path)
    return np.concatenate([model.run(["logits"], {"pixel_values": one[None]})[0] for one in pixel_values])


def write_static(source: Path, target: Path, calibration: np.ndarray, method: CalibrationMethod) -> Path:
    """The float32 file with int8 products and fixed ranges of activations."""
    prepared = target.with_suffix(".prepared.onnx")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    with contextlib.redirect_stdout(io.StringIO()):
        quantize_static(
            prepared,
            target,
            Faces(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_exclude=nodes_after(onnx.load(prepared, load_external_data=False).graph, EMBEDS),
            calibrate_method=method,
        )
    return target


def speed(first: Path, second: Path, pixel_values: np.ndarray) -> float:
    """How many times as fast the second file is; the median of rounds that alternate."""
    runs, ratios = [session(first), session(second)], []
    for _ in range(ROUNDS):
        seconds = []
        for run in runs:
            start = time.perf_counter()
            for one in pixel_values:
                run.run(["logits"], {"pixel_values": one[None]})
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[0] / seconds[1])
    return float(np.median(ratios))


def table(names: Sequence[str], wanted: np.ndarray, found: dict[str, np.ndarray]) -> Iterator[str]:
    """Markdown: root mean square and largest error of each emotion and format."""
    yield f"| Emotion | spread of the scores | {' | '.join(found)} |"
    yield f"| --- | ---: |{' ---: |' * len(found)}"
    errors = {name: np.abs(scores - wanted) for name, scores in found.items()}
    rows = [(name, wanted[:, i], {way: error[:, i] for way, error in errors.items()}) for i, name in enumerate(names)]
    for name, scores, error in [*rows, ("all", wanted, errors)]:
        cells = [f"{np.sqrt((one**2).mean()):.4f} ({one.max():.4f})" for one in error.values()]
        yield f"| {name} | {scores.std():.2f} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table, then the speeds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faces", type=int, default=400)
    parser.add_argument("--calibration", type=int, default=128)
    parser.add_argument("--out", type=Path, help="write the table here too")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        folder, made = Path(scratch) / "repo", write_model_sample(Path(scratch) / "sample")
        convert_model(made / "heads", str(made / "backbone"), folder, "small", neutral=made / "neutral")
        faces, calibration = pixels(folder, args.faces, "formats"), pixels(folder, args.calibration, "calibration")
        wanted = torch_scores(folder, faces, None)
        found = {"bfloat16": torch_scores(folder, faces, "bf16")}
        files = {"float16": "model_fp16.onnx", "int8": "model_int8.onnx"}
        found |= {name: onnx_scores(folder / "onnx" / file, faces) for name, file in files.items()}
        static = {}
        for number, (name, method) in enumerate(STATIC.items()):
            target = Path(scratch) / f"static-{number}.onnx"
            static[name] = write_static(folder / "onnx/model.onnx", target, calibration, method)
            found[name] = onnx_scores(static[name], faces)
        names = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).config.id2label
        lines = [*table([*names.values()], wanted, found)]
        print(f"{processor()}; {args.faces} faces; root mean square (largest) error\n")
        print("\n".join(lines))
        if args.out:
            args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name, path in static.items():
            print(f"{name}: {speed(folder / 'onnx/model_int8.onnx', path, faces[:50]):.2f} × the speed of int8")


if __name__ == "__main__":
    main()
