"""What this machine's processor can do at most: products of two large matrices, per number format and library.

    python -m benchmarks.ceilings [--threads 2]

A benchmark that divides by these numbers names the share of the machine that it reaches, instead of a factor that
holds on one processor only.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

SIDE = 4096
ROUNDS = 5
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "i8mm")


def processor() -> str:
    """Name, family and model, and the instructions that matter for matrix products."""
    lines = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines()]
    about = {name.strip(): value.strip() for name, _, value in reversed(lines)}
    flags = about.get("flags", about.get("Features", "")).split()
    numbers = f"family {about.get('cpu family', '?')} model {about.get('model', '?')}"
    return f"{about.get('model name', 'unknown')}, {numbers}, {' '.join(one for one in INSTRUCTIONS if one in flags)}"


def ceilings(threads: int) -> dict[str, dict[str, float]]:
    """Number format → library → 10⁹ multiplications and additions a second."""
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    floats = rng.random((SIDE, SIDE), dtype=np.float32)
    signed = rng.integers(-63, 64, (SIDE, SIDE)).astype(np.int8)
    single, half, whole = (torch.from_numpy(floats), torch.from_numpy(floats).bfloat16(), torch.from_numpy(signed))
    return {
        "float32": {
            "torch": _speed(lambda: single @ single),
            "onnxruntime": _speed(_product("MatMul", floats, floats, threads)),
        },
        "bfloat16": {"torch": _speed(lambda: half @ half)},
        "int8": {
            "torch": _speed(lambda: torch._int_mm(whole, whole)),
            "onnxruntime": _speed(_product("MatMulInteger", signed.view(np.uint8), signed, threads)),
        },
    }


def best(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """The faster library's number of each format."""
    return {name: max(by_library.values()) for name, by_library in found.items()}


def tower_gflop(*, width: int, layers: int, inner: int, image: int, patch: int) -> float:
    """10⁹ multiplications and additions of a SigLIP tower for one image, without the heads (under 1 %).

    Args:
        width: Size of a hidden state.
        layers: Number of blocks.
        inner: Width within a block's feed-forward part.
        image: Side of the image in pixels.
        patch: Side of a patch in pixels.
    """
    patches = (image // patch) ** 2
    block = 4 * width * width + 2 * width * inner + 2 * patches * width
    embedding, pooling = 3 * patch**2 * width, 2 * width * width
    return 2 * patches * (layers * block + embedding + pooling) / 1e9


def _speed(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return 2 * SIDE**3 / min(seconds[1:]) / 1e9


def _product(operator: str, left: np.ndarray, right: np.ndarray, threads: int) -> Callable[[], object]:
    """A product in ONNX Runtime."""
    types = [helper.np_dtype_to_tensor_dtype(values.dtype) for values in (left, right)]
    result = TensorProto.FLOAT if left.dtype == np.float32 else TensorProto.INT32
    values = [
        helper.make_tensor_value_info(name, kind, [SIDE, SIDE])
        for name, kind in zip("abc", (*types, result), strict=True)
    ]
    graph = helper.make_graph([helper.make_node(operator, ["a", "b"], ["c"])], "product", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"a": left, "b": right})


def main() -> None:
    """Print one line a format, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = ceilings(args.threads)
    if args.json:
        print(json.dumps(found))
        return
    print(f"{processor()}; {args.threads} threads; GFLOP/s of {SIDE} × {SIDE}")
    for name, by_library in found.items():
        print(f"{name:9} " + ", ".join(f"{library} {speed:,.0f}" for library, speed in by_library.items()))


if __name__ == "__main__":
    main()
