"""ONNX files above protobuf's limit keep their weights beside them."""

import shutil

import onnxruntime
import torch
from transformers import AutoModelForImageClassification

from emohub.model.convert import export


def test_weights_beside_a_large_graph(converted, tmp_path, monkeypatch):
    folder = tmp_path / "model"
    shutil.copytree(converted[0], folder, ignore=shutil.ignore_patterns("onnx"))
    monkeypatch.setattr(export, "EXTERNAL_FROM", 0)
    model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()
    pixel_values = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    figures = export.write_onnx(folder, model, pixel_values)
    files = {path.name: path.stat().st_size for path in (folder / "onnx").iterdir()}
    assert set(files) == {"model.onnx", "model.onnx.data", "model_int8.onnx", "model_int8.onnx.data"}
    assert figures["onnx/model.onnx"]["bytes"] == files["model.onnx"] + files["model.onnx.data"]
    assert figures["onnx/model.onnx"]["max_abs_error"] <= 1e-5
    moved = shutil.move(folder, tmp_path / "moved")
    for name in ("model.onnx", "model_int8.onnx"):
        assert onnxruntime.InferenceSession(f"{moved}/onnx/{name}").get_outputs()[0].name == "logits"
