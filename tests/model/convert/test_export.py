"""ONNX files above protobuf's limit keep their weights beside them."""

import json
import shutil

import onnxruntime
import torch
from transformers import AutoConfig, AutoModelForImageClassification

from emohub.model.convert import export


def test_weights_beside_a_large_graph(converted, tmp_path, monkeypatch):
    folder = tmp_path / "model"
    shutil.copytree(converted[0], folder, ignore=shutil.ignore_patterns("onnx"))
    monkeypatch.setattr(export, "EXTERNAL_FROM", 0)
    model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()
    pixel_values = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    figures = export.write_onnx(folder, model, pixel_values)
    files = {path.name: path.stat().st_size for path in (folder / "onnx").iterdir()}
    names = [path.removeprefix("onnx/") for path in figures]
    assert set(files) == {*names, *(f"{name}_data" for name in names)} and len(names) == 4
    assert figures["onnx/model.onnx"]["bytes"] == files["model.onnx"] + files["model.onnx_data"]
    assert figures["onnx/model.onnx"]["max_abs_error"] <= 1e-5
    told = json.loads((folder / "config.json").read_text())["transformers.js_config"]
    assert told == {"use_external_data_format": dict.fromkeys(sorted(names), 1)}
    assert AutoConfig.from_pretrained(folder, trust_remote_code=True).model_type == "empathic_insight_face"
    moved = shutil.move(folder, tmp_path / "moved")
    for name in names:
        assert onnxruntime.InferenceSession(f"{moved}/onnx/{name}").get_outputs()[0].name == "logits"
