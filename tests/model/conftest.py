"""A tiny full SigLIP checkpoint, heads in upstream's layout over it, and one conversion of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.once import once

WIDTH, SIDE = 32, 32
SMALL = (128, 32)
# Files of a model repo as the conversion writes it.
CONVERSION = {
    "README.md",
    "config.json",
    "configuration_empathic_insight_face.py",
    "conversion.json",
    "model.bf16.safetensors",
    "model.safetensors",
    "modeling_empathic_insight_face.py",
    "modules.json",
    "onnx/model.onnx",
    "onnx/model_fp16.onnx",
    "onnx/model_int8.onnx",
    "onnx/model_quantized.onnx",
    "pipeline_empathic_insight_face.py",
    "preprocessor_config.json",
    "reading_empathic_insight_face.py",
    "sentence_bert_config.json",
}


def head_state(seed: int, size_in: int = WIDTH, hidden_sizes=SMALL) -> dict[str, torch.Tensor]:
    """A random head under upstream's keys."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before, after in zip([size_in, *hidden_sizes][:-1], hidden_sizes, strict=True):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(0.1)]
    state = nn.Sequential(*layers, nn.Linear(hidden_sizes[-1], 1)).state_dict()
    return {f"layers.{key}": value for key, value in state.items()}


def write_heads(folder: Path, dimensions: bool = True) -> Path:
    from emohub.data.taxonomy import DIMENSIONS, EMOTIONS

    folder.mkdir()
    for i, item in enumerate([*EMOTIONS, *(DIMENSIONS if dimensions else ())]):
        state = head_state(i)
        torch.save({"state_dict": state} if i % 2 else state, folder / f"{item.head_file}.pth")
    return folder


@pytest.fixture(scope="session")
def make_state():
    return head_state


@pytest.fixture(scope="session")
def siglip(tmp_path_factory) -> Path:
    """Text tower included, as upstream's backbone has one; with its image processor."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    folder = tmp_path_factory.mktemp("backbone") / "siglip"
    shape = {"hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = {**shape, "vocab_size": 50, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3}
    torch.manual_seed(0)
    config = SiglipConfig(vision_config={**shape, "image_size": SIDE, "patch_size": 8}, text_config=text)
    SiglipModel(config).eval().save_pretrained(folder)
    SiglipImageProcessor(size={"height": SIDE, "width": SIDE}, resample=2).save_pretrained(folder)
    return folder


@pytest.fixture
def heads(tmp_path) -> Path:
    return write_heads(tmp_path / "heads")


@pytest.fixture(scope="session")
def heads_once(tmp_path_factory) -> Path:
    """The same heads for tests that do not change them."""
    return write_heads(tmp_path_factory.mktemp("once") / "heads")


@pytest.fixture(scope="session")
def faces(tmp_path_factory) -> Path:
    """A folder of ten drawn images, more than one batch."""
    folder = tmp_path_factory.mktemp("faces") / "neutral"
    folder.mkdir()
    rng = np.random.default_rng(7)
    for i in range(10):
        pixels = rng.integers(0, 256, (40 + i, 60 - i, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return folder


@pytest.fixture(scope="session")
def means_file(tmp_path_factory) -> Path:
    from emohub.data.taxonomy import DIMENSIONS, EMOTIONS

    path = tmp_path_factory.mktemp("means") / "neutral.json"
    names = [item.head_file for item in (*EMOTIONS, *DIMENSIONS)]
    path.write_text(json.dumps({name: 0.1 * i - 0.3 for i, name in enumerate(names)}))
    return path


@pytest.fixture(scope="session")
def converted(siglip, heads_once, means_file, tmp_path_factory):
    """A model repo and what its conversion returned, and wrote beside it."""
    from emohub.model.convert.convert import convert_model

    def convert(folder: Path) -> None:
        record = convert_model(heads_once, str(siglip), folder / "model", "small", neutral=means_file)
        assert [path.name for path in folder.iterdir()] == ["model"]
        (folder / "returned.json").write_text(json.dumps(record))

    folder = once(tmp_path_factory, "converted", convert)
    return folder / "model", json.loads((folder / "returned.json").read_text())
