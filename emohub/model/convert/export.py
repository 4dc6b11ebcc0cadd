"""Variants of a model: bfloat16 weights, ONNX in float32 and in int8, each with its measured error."""

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

from emohub.errors import BuildError
from emohub.model.convert.parity import all_scores, errors

logger = logging.getLogger(__name__)

ONNX_TOLERANCE = 1e-4
BF16_FILE = "model.bf16.safetensors"
ONNX_FILE = "onnx/model.onnx"
INT8_FILE = "onnx/model_int8.onnx"
EMBEDS = "image_embeds"
OPSET = 23  # the first with Attention in one operator: 3 to 10 % faster than decomposed, and closer to PyTorch
# A protobuf file is limited to 2 GiB; above this the weights go into a file beside it.
EXTERNAL_FROM = 3 * 2**29


class _Plain(nn.Module):
    """The model with a tuple of tensors as output, for the export."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        output = self.model(pixel_values)
        extra = () if output.dimensions is None else (output.dimensions,)
        return output.logits, *extra, output.image_embeds


def write_bf16(folder: Path, model: Any, pixel_values: Tensor) -> dict[str, Any]:
    """Write the bfloat16 variant beside the float32 file; the heads stay in float32.

    Args:
        folder: The saved float32 model.
        model: The same model, loaded.
        pixel_values: Inputs that the error is measured on.

    Returns:
        Size of the file and its error.
    """
    logger.info("Writing %s", BF16_FILE)
    reduced = type(model).from_pretrained(folder, dtype=torch.bfloat16).eval()
    config = (folder / "config.json").read_bytes()
    reduced.save_pretrained(folder, variant="bf16")
    (folder / "config.json").write_bytes(config)
    with torch.no_grad():
        figures = errors(all_scores(reduced(pixel_values)), all_scores(model(pixel_values)))
    return {"bytes": (folder / BF16_FILE).stat().st_size, **figures}


def write_onnx(folder: Path, model: Any, pixel_values: Tensor) -> dict[str, dict[str, Any]]:
    """Write `onnx/model.onnx` and `onnx/model_int8.onnx`; input `pixel_values`, outputs named as the model's.

    In the int8 file the tower's matrix products are quantised, per channel; the heads are not.

    Returns:
        Size and error of both, by file name.

    Raises:
        BuildError: the float32 file is off by more than `ONNX_TOLERANCE`, or the int8 one is not finite.
    """
    (folder / "onnx").mkdir()
    size = sum(parameter.numel() * 4 for parameter in model.parameters())
    logger.info("Exporting %s", ONNX_FILE)
    _export(model, folder / ONNX_FILE, pixel_values, external=size > EXTERNAL_FROM)
    logger.info("Quantising %s", INT8_FILE)
    _quantize(folder / ONNX_FILE, folder / INT8_FILE, external=size // 4 > EXTERNAL_FROM)
    with torch.no_grad():
        wanted = all_scores(model(pixel_values))
    figures = {name: _measure(folder / name, pixel_values, wanted) for name in (ONNX_FILE, INT8_FILE)}
    if not figures[ONNX_FILE]["max_abs_error"] <= ONNX_TOLERANCE:
        raise BuildError(f"{ONNX_FILE} is off by {figures[ONNX_FILE]}; at most {ONNX_TOLERANCE} is accepted.")
    if not figures[INT8_FILE]["max_abs_error"] < float("inf"):
        raise BuildError(f"{INT8_FILE} gives numbers that are not finite: {figures[INT8_FILE]}.")
    return figures


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
    _strip_metadata(path)


def _strip_metadata(path: Path) -> None:
    """Remove what the exporter stores on every node, above all paths of source files on this machine."""
    exported = onnx.load(path, load_external_data=False)
    graph = exported.graph
    for part in (exported, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(exported, path)


def _quantize(source: Path, target: Path, external: bool) -> None:
    graph = onnx.load(source, load_external_data=False).graph
    with _quiet():  # it suggests a pre-processing step that has no effect here
        quantize_dynamic(
            source,
            target,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_exclude=_after(graph, EMBEDS),
            use_external_data_format=external,
        )


def _after(graph: onnx.GraphProto, tensor: str) -> list[str]:
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
