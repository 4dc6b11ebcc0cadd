"""Variants of a model: bfloat16 weights, and ONNX in float32, float16 and int8, each with its measured error.

The ONNX files have the names that transformers.js looks for. `model_quantized.onnx`, which it takes by default in a
browser, is the same file as `model_int8.onnx`.
"""

import contextlib
import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from emohub.data.runs import link_file, write_json
from emohub.errors import BuildError
from emohub.hub.json_files import read_json
from emohub.model.convert.parity import all_scores, errors
from emohub.model.repo import BF16, ONNX, ONNX_FP16, ONNX_INT8, ONNX_QUANTIZED, ONNX_TOLERANCE

logger = logging.getLogger(__name__)

EMBEDS = "image_embeds"
OPSET = 18  # onnxruntime before 1.22 and transformers.js 3 do not run models of opset 23
# A protobuf file is limited to 2 GiB; above this the weights go into a file beside it.
EXTERNAL_FROM = 3 * 2**29


class _Plain(nn.Module):
    """The model for the export: a tuple of outputs, and float32 in and out whatever the tower computes in."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        output = self.model(pixel_values.to(self.model.dtype))
        extra = () if output.dimensions is None else (output.dimensions,)
        return output.logits, *extra, output.image_embeds.float()


def write_bf16(folder: Path, model: Any, pixel_values: Tensor) -> dict[str, Any]:
    """Write the bfloat16 variant beside the float32 file; the heads stay in float32.

    Args:
        folder: The saved float32 model.
        model: The same model, loaded.
        pixel_values: Inputs that the error is measured on.

    Returns:
        Size of the file and its error.
    """
    logger.info("Writing %s", BF16)
    reduced = type(model).from_pretrained(folder, dtype=torch.bfloat16).eval()
    config = (folder / "config.json").read_bytes()
    reduced.save_pretrained(folder, variant="bf16")
    (folder / "config.json").write_bytes(config)
    with torch.no_grad():
        figures = errors(all_scores(reduced(pixel_values)), all_scores(model(pixel_values)))
    return {"bytes": (folder / BF16).stat().st_size, **figures}


def write_onnx(folder: Path, model: Any, pixel_values: Tensor) -> dict[str, dict[str, Any]]:
    """Write the ONNX files; input `pixel_values`, outputs named as the model's.

    In the float16 and int8 files the tower is reduced, in int8 its matrix products per channel; the heads are not.

    Returns:
        Size and error of each, by file name.

    Raises:
        BuildError: the float32 file is off by more than `ONNX_TOLERANCE`, or another one gives numbers that are not
            finite.
    """
    (folder / "onnx").mkdir()
    size = sum(parameter.numel() * 4 for parameter in model.parameters())
    logger.info("Exporting %s", ONNX)
    _export(model, folder / ONNX, pixel_values, external=size > EXTERNAL_FROM)
    logger.info("Exporting %s", ONNX_FP16)
    _export(_halved(model), folder / ONNX_FP16, pixel_values, external=size // 2 > EXTERNAL_FROM)
    logger.info("Quantising %s", ONNX_INT8)
    _quantize(folder / ONNX, folder / ONNX_INT8, external=size // 4 > EXTERNAL_FROM)
    if external := size // 4 > EXTERNAL_FROM:  # each file names its own data file
        _quantize(folder / ONNX, folder / ONNX_QUANTIZED, external)
    else:
        link_file(folder / ONNX_INT8, folder / ONNX_QUANTIZED)
    _describe_data_files(folder)
    with torch.no_grad():
        wanted = all_scores(model(pixel_values))
    files = (ONNX, ONNX_FP16, ONNX_INT8, ONNX_QUANTIZED)
    figures = {name: _measure(folder / name, pixel_values, wanted) for name in files}
    if not figures[ONNX]["max_abs_error"] <= ONNX_TOLERANCE:
        raise BuildError(f"{ONNX} is off by {figures[ONNX]}; at most {ONNX_TOLERANCE} is accepted.")
    if bad := [name for name in files if not figures[name]["max_abs_error"] < float("inf")]:
        raise BuildError(f"{', '.join(bad)} give(s) numbers that are not finite. Nothing was written.")
    return figures


def _describe_data_files(folder: Path) -> None:
    """Write into `config.json`, for transformers.js, which ONNX files have a data file beside them."""
    beside = sorted(path.name.removesuffix("_data") for path in (folder / "onnx").glob("*.onnx_data"))
    if beside:
        config = read_json(folder / "config.json")
        config["transformers.js_config"] = {"use_external_data_format": dict.fromkeys(beside, 1)}
        write_json(folder / "config.json", config)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporters' warnings; their errors are raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _export(model: Any, path: Path, pixel_values: Tensor, external: bool) -> None:
    outputs = ["logits", *(["dimensions"] if model.config.dimensions else []), EMBEDS]
    with _quiet():
        torch.onnx.export(
            _Plain(model),
            (pixel_values[:2],),
            path,
            input_names=["pixel_values"],
            output_names=outputs,
            dynamic_shapes={"pixel_values": {0: torch.export.Dim("batch")}},
            external_data=external,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    _tidy(path)


def _tidy(path: Path) -> None:
    """Remove what exporters store on every node (paths of source files, for one), and name the data file beside it."""
    exported = onnx.load(path, load_external_data=False)
    graph = exported.graph
    for part in (exported, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    data = path.with_name(f"{path.name}_data")  # where transformers.js looks for it
    for entry in (entry for tensor in graph.initializer for entry in tensor.external_data):
        if entry.key == "location":
            entry.value = data.name
    onnx.save(exported, path)
    with contextlib.suppress(FileNotFoundError):  # all weights are in the file itself
        path.with_name(f"{path.name}.data").rename(data)


def _halved(model: Any) -> Any:
    """A copy with the tower in float16 and the heads in float32."""
    reduced = copy.deepcopy(model)
    reduced.model.half()
    return reduced


def _quantize(source: Path, target: Path, external: bool) -> None:
    graph = onnx.load(source, load_external_data=False).graph
    with _quiet():  # it suggests a pre-processing step that has no effect here
        quantize_dynamic(
            source,
            target,
            per_channel=True,
            reduce_range=True,  # 8 bits overflow on a CPU without VNNI, where some scores were then .8 off
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_exclude=nodes_after(graph, EMBEDS),
            use_external_data_format=external,
        )
    _tidy(target)


def nodes_after(graph: onnx.GraphProto, tensor: str) -> list[str]:
    """Names of the nodes that depend on a tensor; a graph lists its nodes in topological order."""
    reached, names = {tensor}, []
    for node in graph.node:
        if reached.intersection(node.input):
            reached.update(node.output)
            names.append(node.name)
    return names


def _measure(path: Path, pixel_values: Tensor, wanted: Tensor) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs() if output.name != EMBEDS]
    found = session.run(names, {"pixel_values": pixel_values.numpy()})
    files = path.parent.glob(f"{path.name}*")
    scores = torch.cat([torch.from_numpy(part) for part in found], dim=1)
    return {"bytes": sum(file.stat().st_size for file in files), **errors(scores, wanted)}
