"""A conversion writes a complete repo that is proven equal, or nothing."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoImageProcessor, AutoModelForImageClassification, SiglipModel

from emohub.data.taxonomy import DIMENSIONS, NAMES
from emohub.errors import BuildError
from emohub.model.convert import convert, parity
from emohub.model.convert.convert import convert_model
from emohub.model.convert.heads import score_name
from emohub.model.convert.images import image_files, open_images, pixels
from emohub.model.probes import probe_images
from tests.model.conftest import CONVERSION


@pytest.fixture(scope="session")
def loaded(converted):
    folder, _ = converted
    model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()
    return model, AutoImageProcessor.from_pretrained(folder)


@pytest.fixture
def unwritten(monkeypatch):
    """Conversions stop before the slow part: what they would write is returned instead."""
    kept = {}

    def keep(out, model, base, record):
        kept.update(model=model, base=base)
        return record

    monkeypatch.setattr(convert, "write_repo", keep)
    return kept


def test_files(converted):
    folder, record = converted
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == CONVERSION
    assert json.loads((folder / "conversion.json").read_text()) == record


def test_config(converted):
    config = json.loads((converted[0] / "config.json").read_text())
    assert list(config["id2label"].values()) == list(NAMES)
    assert config["dimensions"] == [dimension.name for dimension in DIMENSIONS]
    assert config["dtype"] == "float32"
    assert str(converted[0].parent.parent) not in json.dumps(config), "a local path must not be published"


def test_figures(converted):
    _, record = converted
    layouts = record["parity"]["layouts"]
    assert layouts["heads"] == 44
    assert layouts["max_abs_error"] <= 1e-6
    assert layouts["max_relative_error_float64"] <= 1e-12
    assert layouts["embedding_equal"]
    assert record["parity"]["reload"] == {"images": 4, "bit_equal": True}
    assert record["neutral"]["kind"] == "table"
    assert record["variants"]["onnx/model.onnx"]["max_abs_error"] <= 1e-5
    for name in ("model.bf16.safetensors", "onnx/model_fp16.onnx", "onnx/model_int8.onnx"):
        assert 0 < record["variants"][name]["max_abs_error"] < 0.1
    assert len(record["heads"]) == 44 and all(len(head["sha256"]) == 64 for head in record["heads"].values())


def test_scores_are_upstreams(converted, loaded, siglip, heads_once, means_file):
    """Upstream's way, written out: full SigLIP, its pooled image features, one module per file, minus the mean."""
    model, processor = loaded
    pixel_values = pixels(probe_images(5), processor)
    means = json.loads(means_file.read_text())
    with torch.no_grad():
        embeds = SiglipModel.from_pretrained(siglip).eval().get_image_features(pixel_values).pooler_output
        output = model(pixel_values)
        for i, item in enumerate(NAMES):
            file = next(name for name in means if name.startswith(f"model_{item.lower().split('/')[0].split()[0]}"))
            state = torch.load(heads_once / f"{file}.pth", weights_only=True)
            state = state.get("state_dict", state)
            hidden = embeds
            for layer in (0, 3, 6):
                hidden = hidden @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"]
                hidden = hidden.relu() if layer < 6 else hidden
            torch.testing.assert_close(output.logits[:, i], hidden[:, 0] - means[file], rtol=0, atol=1e-6)


def test_bf16_variant(converted, loaded):
    folder, record = converted
    weights = load_file(folder / "model.bf16.safetensors")
    kinds = {key: value.dtype for key, value in weights.items()}
    assert {kind for key, kind in kinds.items() if key.startswith("heads.")} == {torch.float32}
    assert {kind for key, kind in kinds.items() if not key.startswith("heads.")} == {torch.bfloat16}
    model = AutoModelForImageClassification.from_pretrained(
        folder, trust_remote_code=True, variant="bf16", dtype=torch.bfloat16
    ).eval()
    pixel_values = pixels(probe_images(), loaded[1])
    with torch.no_grad():
        difference = (model(pixel_values).logits - loaded[0](pixel_values).logits).abs().max().item()
    assert difference <= record["variants"]["model.bf16.safetensors"]["max_abs_error"]


@pytest.mark.parametrize(
    ("name", "tolerance"), [("model.onnx", 1e-5), ("model_fp16.onnx", 5e-3), ("model_int8.onnx", 0.1)]
)
def test_onnx(converted, loaded, name, tolerance):
    session = onnxruntime.InferenceSession(converted[0] / "onnx" / name)
    assert [output.name for output in session.get_outputs()] == ["logits", "dimensions", "image_embeds"]
    pixel_values = pixels([*probe_images(1), *probe_images(2)][:7], loaded[1])  # another batch size than exported
    found = session.run(None, {"pixel_values": pixel_values.numpy()})
    with torch.no_grad():
        wanted = loaded[0](pixel_values)
    for left, right in zip(found, wanted.to_tuple(), strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=tolerance if left.shape[1] != 32 else 0.5)


@pytest.mark.parametrize("name", ["model.onnx", "model_fp16.onnx", "model_int8.onnx", "model_quantized.onnx"])
def test_older_runtimes_run_the_onnx_files(converted, name):
    """onnxruntime 1.20 knows opsets up to 21 and IR versions up to 10; transformers.js 3 ships the same."""
    model = onnx.load(converted[0] / "onnx" / name)
    assert {one.domain: one.version for one in model.opset_import}[""] == 18 and model.ir_version <= 10
    assert {one.type.tensor_type.elem_type for one in (*model.graph.input, *model.graph.output)} == {1}, "not float32"


def test_float16_leaves_the_heads_exact(converted):
    graph = onnx.load(converted[0] / "onnx/model_fp16.onnx").graph
    heads = {item.data_type for item in graph.initializer if item.dims and 44 in item.dims}
    assert heads == {onnx.TensorProto.FLOAT}
    assert any(item.data_type == onnx.TensorProto.FLOAT16 for item in graph.initializer)


def test_int8_leaves_the_heads_exact(converted):
    graph = onnx.load(converted[0] / "onnx/model_int8.onnx").graph
    kinds = {item.data_type for item in graph.initializer if item.name.startswith("model.heads.layers")}
    kinds |= {item.data_type for item in graph.initializer if item.dims and list(item.dims)[0] == 44}
    assert kinds == {onnx.TensorProto.FLOAT}
    assert any(node.op_type == "MatMulInteger" for node in graph.node)


def test_card(converted):
    folder, record = converted
    card = ModelCard.load(folder / "README.md")
    assert (card.data.library_name, card.data.pipeline_tag) == ("transformers", "image-classification")
    for name, figures in record["variants"].items():
        assert f"`{name}`" in card.text and f"{figures['max_abs_error']:.2g}" in card.text
    assert all(f"| {name} |" in card.text for name in record["heads"])
    assert 'function_to_apply="none"' in card.text


def test_pipeline_without_emohub(converted, faces, tmp_path):
    script = (
        "import sys, json; sys.modules['emohub'] = None\n"
        "from transformers import pipeline\n"
        f"faces = pipeline('image-classification', model={str(converted[0])!r}, trust_remote_code=True, top_k=5)\n"
        f"print(json.dumps(faces({str(faces / '00.png')!r})))"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_MODULES_CACHE", None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert [one["score"] for one in answer] == sorted((one["score"] for one in answer), reverse=True)
    assert len(answer) == 5 and {one["label"] for one in answer} < set(NAMES)


def test_neutral_faces_are_measured(siglip, heads_once, faces, unwritten, tmp_path):
    record = convert_model(heads_once, str(siglip), tmp_path / "out", "small", neutral=faces)
    assert {key: record["neutral"][key] for key in ("kind", "source", "images")} == {
        "kind": "images",
        "source": "neutral",
        "images": 10,
    }
    with torch.no_grad():
        output = unwritten["model"](pixels(open_images(image_files(faces)), unwritten["base"].processor))
    assert output.logits.mean(0).abs().max() < 1e-6
    assert output.dimensions.mean(0).abs().max() < 1e-6


def test_without_neutral_means(siglip, heads_once, unwritten, tmp_path, caplog):
    record = convert_model(heads_once, str(siglip), tmp_path / "out", "small")
    assert record["neutral"]["kind"] == "none" and record["neutral"]["means"] is None
    assert not unwritten["model"].heads.neutral_mean.any()
    assert "No --neutral" in caplog.text


def write_reference(path, loaded, faces, normalize, shift=0.0):
    """Outputs in upstream's form that this very model would give."""
    model, processor = loaded
    names = [*NAMES, *(dimension.name for dimension in DIMENSIONS)]
    files = image_files(faces)
    with torch.no_grad():
        embeds = model(pixels(open_images(files), processor)).image_embeds
        raw = model.heads.raw(torch.nn.functional.normalize(embeds, dim=-1) if normalize else embeds) + shift
    lines = [
        {
            "image_path": str(file.relative_to(path.parent)),
            "results": {
                name: {"raw": value, "mean_subtracted": value - 0.5, "softmax": None}
                for name, value in zip(names, row, strict=True)
            },
        }
        for file, row in zip(files, raw.tolist(), strict=True)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.mark.parametrize("normalize", [False, True])
def test_reference_decides_the_normalisation(siglip, heads_once, faces, loaded, unwritten, tmp_path, normalize):
    reference = write_reference(faces.parent / f"reference-{normalize}.jsonl", loaded, faces, normalize)
    record = convert_model(heads_once, str(siglip), tmp_path / "out", "small", reference, reference)
    assert record["normalize_embedding"] is normalize
    assert unwritten["model"].config.normalize_embedding is normalize
    assert record["parity"]["reference"]["max_abs_error"] < 1e-5
    assert record["parity"]["layouts"]["max_abs_error"] <= 1e-6
    assert set(record["neutral"]["means"].values()) == {0.5}


def test_reference_that_disagrees_fails(siglip, heads_once, faces, loaded, tmp_path):
    reference = write_reference(faces.parent / "off.jsonl", loaded, faces, False, shift=0.2)
    with pytest.raises(BuildError, match="does not reproduce the reference outputs within 0.05"):
        convert_model(heads_once, str(siglip), tmp_path / "out", "small", reference=reference)
    assert not list(tmp_path.iterdir())


def test_reference_without_its_images_fails(siglip, heads_once, shared, tmp_path):
    with pytest.raises(BuildError, match="of 8 images cannot be read"):
        reference = shared / "data/empathic_insight_face/ferd.jsonl"
        convert_model(heads_once, str(siglip), tmp_path / "out", "small", reference=reference)


def test_failed_parity_writes_nothing(siglip, heads_once, tmp_path, monkeypatch):
    built = convert.build_model

    def swapped(*args):
        model = built(*args)
        bias = model.heads.layers[2].bias
        bias[[0, 1]] = bias[[1, 0]]
        return model

    monkeypatch.setattr(convert, "build_model", swapped)
    with pytest.raises(BuildError, match="The fused model differs from the separate heads"):
        convert_model(heads_once, str(siglip), tmp_path / "out", "small")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", ["reload_in_fresh_process", "write_onnx", "write_card"])
def test_failure_while_writing_leaves_nothing(siglip, heads_once, tmp_path, monkeypatch, step):
    def fail(*args):
        raise BuildError("stop here")

    monkeypatch.setattr(convert, "reload_in_fresh_process", lambda *args: {"bit_equal": True})
    monkeypatch.setattr(convert, "write_onnx", lambda *args: {})
    monkeypatch.setattr(convert, step, fail)
    with pytest.raises(BuildError, match="stop here"):
        convert_model(heads_once, str(siglip), tmp_path / "out", "small")
    assert not list(tmp_path.iterdir())


def test_reload_notices_another_result(converted, loaded):
    folder, _ = converted
    model, processor = loaded
    kept = model.heads.neutral_mean.clone()
    model.heads.neutral_mean[3] += 1e-3
    try:
        with pytest.raises(BuildError, match=r"In a fresh process the written folder gives different \['logits'\]"):
            parity.reload_in_fresh_process(folder, model, processor, probe_images()[:1])
    finally:
        model.heads.neutral_mean.copy_(kept)


def test_occupied_target_is_left_alone(siglip, heads_once, tmp_path):
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(BuildError, match="is not an empty folder"):
        convert_model(heads_once, str(siglip), tmp_path, "small")
    assert (tmp_path / "kept").read_text() == "mine"


def test_unknown_size(siglip, heads_once, tmp_path):
    with pytest.raises(BuildError, match="valid: 'small', 'large'"):
        convert_model(heads_once, str(siglip), tmp_path / "out", "medium")


def test_the_record_knows_its_files_and_scores(converted, loaded):
    folder, record = converted
    model, processor = loaded
    assert set(record["files"]) == CONVERSION - {"README.md", "conversion.json"}
    for name, known in record["files"].items():
        data = (folder / name).read_bytes()
        assert known == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with torch.no_grad():
        output = model(pixels(probe_images(), processor))
    scores = torch.cat([output.logits, *([] if output.dimensions is None else [output.dimensions])], dim=1)
    assert list(record["probe"]["scores"]) == list(record["heads"])
    torch.testing.assert_close(torch.tensor(list(record["probe"]["scores"].values())).T, scores)


@pytest.mark.parametrize("name", ["onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_int8.onnx"])
def test_onnx_files_do_not_tell_where_they_were_made(converted, name):
    data = (converted[0] / name).read_bytes()
    assert b"site-packages" not in data and b"emohub" not in data and b".py" not in data


def test_heads_without_a_neutral_mean_stay_raw_where_named(siglip, heads_once, means_file, tmp_path, monkeypatch):
    monkeypatch.setattr("emohub.model.convert.convert.write_onnx", lambda *args: {})
    monkeypatch.setattr("emohub.model.convert.convert.reload_in_fresh_process", lambda *args: {"bit_equal": True})
    means = json.loads(means_file.read_text())
    without = {name: mean for name, mean in means.items() if score_name(name) != "Valence"}
    (tmp_path / "means.json").write_text(json.dumps(without))
    given = (heads_once, str(siglip), tmp_path / "out", "small", tmp_path / "means.json")
    with pytest.raises(BuildError, match="no mean for 'Valence'; give one, or leave it raw with --raw"):
        convert_model(*given)
    with pytest.raises(BuildError, match="--raw: Unknown emotion"):
        convert_model(*given, raw=["joyness"])
    record = convert_model(*given, raw=["valence"])
    assert "Valence" not in record["neutral"]["means"] and len(record["neutral"]["means"]) == 43
    with safe_open(tmp_path / "out" / "model.safetensors", "pt") as file:
        stored = dict(zip(record["probe"]["scores"], file.get_tensor("heads.neutral_mean").tolist(), strict=True))
    assert [name for name, mean in stored.items() if mean == 0] == ["Valence"]
    assert "| Valence | " in (card := (tmp_path / "out" / "README.md").read_text()) and "| raw |" in card
