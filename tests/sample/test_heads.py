"""The demo's random heads stand in upstream's layout, and the same seed gives the same weights."""

import pytest
import torch
from safetensors.torch import load_file

from emohub.data.taxonomy import DIMENSIONS, EMOTIONS
from emohub.sample.heads import write_heads, write_model_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_model_sample(tmp_path_factory.mktemp("raw") / "model")


def test_layout(sample):
    heads = {path.name: torch.load(path, weights_only=True) for path in (sample / "heads").iterdir()}
    assert set(heads) == {f"{item.head_file}.pth" for item in (*EMOTIONS, *DIMENSIONS)}
    assert sum("state_dict" in head for head in heads.values()) == 22
    for head in heads.values():
        shapes = {key: tuple(value.shape) for key, value in head.get("state_dict", head).items()}
        assert shapes == {
            "layers.0.weight": (128, 32),
            "layers.0.bias": (128,),
            "layers.3.weight": (32, 128),
            "layers.3.bias": (32,),
            "layers.6.weight": (1, 32),
            "layers.6.bias": (1,),
        }
    assert any(key.startswith("text_model") for key in load_file(sample / "backbone" / "model.safetensors"))
    assert len(list((sample / "neutral").iterdir())) == 8


def test_the_large_head_has_the_published_number_of_parameters(tmp_path):
    folder = write_heads(tmp_path / "heads", 1152, (1024, 512, 256))
    state = torch.load(folder / "model_awe_best.pth", weights_only=True)
    assert sum(value.numel() for value in state.get("state_dict", state).values()) == 1_837_057


def test_same_seed_same_weights(sample, tmp_path):
    again, other = write_model_sample(tmp_path / "again"), write_model_sample(tmp_path / "other", seed=1)
    weights = [load_file(root / "backbone" / "model.safetensors") for root in (sample, again, other)]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())
    key = "vision_model.embeddings.patch_embedding.weight"
    assert not torch.equal(weights[0][key], weights[2][key])
    first, second, third = (
        torch.load(root / "heads" / "model_anger_best.pth", weights_only=True) for root in (sample, again, other)
    )
    first, second, third = (head.get("state_dict", head)["layers.0.weight"] for head in (first, second, third))
    assert torch.equal(first, second) and not torch.equal(first, third)
