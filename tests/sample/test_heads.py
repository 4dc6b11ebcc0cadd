"""The demo's heads stand in upstream's layout over their backbone, and the same seed gives the same files."""

import sys

import pytest
import torch
from safetensors.torch import load_file

from emohub.data.taxonomy import DIMENSIONS, EMOTIONS
from emohub.sample.heads import random_heads, write_heads, write_model_sample
from emohub.sample.trained import TOWER, WEIGHTS, trained
from tests import fresh


@pytest.fixture(scope="session")
def sample(raw_demo):
    return raw_demo / "model"


def test_layout(sample):
    heads = {path.name: torch.load(path, weights_only=True) for path in (sample / "heads").iterdir()}
    assert set(heads) == {f"{item.head_file}.pth" for item in (*EMOTIONS, *DIMENSIONS)}
    assert sum("state_dict" in head for head in heads.values()) == 22
    for head in heads.values():
        shapes = {key: tuple(value.shape) for key, value in head.get("state_dict", head).items()}
        assert shapes == {
            "layers.0.weight": (128, TOWER["hidden_size"]),
            "layers.0.bias": (128,),
            "layers.3.weight": (32, 128),
            "layers.3.bias": (32,),
            "layers.6.weight": (1, 32),
            "layers.6.bias": (1,),
        }
    assert any(key.startswith("text_model") for key in load_file(sample / "backbone" / "model.safetensors"))
    assert len(list((sample / "neutral").iterdir())) == 8


def test_each_head_and_the_tower_hold_the_trained_weights(sample):
    weights = load_file(WEIGHTS)
    for i, item in enumerate((*EMOTIONS, *DIMENSIONS)):
        head = torch.load(sample / "heads" / f"{item.head_file}.pth", weights_only=True)
        head = head.get("state_dict", head)
        assert torch.equal(head["layers.3.weight"], weights["heads.layers.1.weight"][i].float())
        assert torch.equal(head["layers.6.bias"], weights["heads.layers.2.bias"][i].float())
    backbone = load_file(sample / "backbone" / "model.safetensors")
    tower = {name.removeprefix("vision_model."): value for name, value in backbone.items() if "vision" in name}
    assert tower.keys() == trained()[0].keys()
    assert all(torch.equal(value, tower[name]) for name, value in trained()[0].items())


def test_the_large_head_has_the_published_number_of_parameters(tmp_path):
    folder = write_heads(tmp_path / "heads", random_heads(1152, (1024, 512, 256)))
    state = torch.load(folder / "model_awe_best.pth", weights_only=True)
    assert sum(value.numel() for value in state.get("state_dict", state).values()) == 1_837_057


def test_a_seed_decides_what_is_drawn_and_what_is_random(sample, tmp_path):
    again, other = write_model_sample(tmp_path / "again"), write_model_sample(tmp_path / "other", seed=1)
    files = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (sample, again, other)
    ]
    assert files[0] == files[1] and files[0].keys() == files[2].keys()
    differing = {path.parts[0] for path in files[0] if files[0][path] != files[2][path]}
    assert differing == {"backbone", "neutral"}  # the text tower and the faces; the heads are trained
    one, same, another = (random_heads(8, seed=seed)[5]["layers.0.weight"] for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, another)


def test_nothing_is_printed(tmp_path):
    code = (
        "from pathlib import Path; from emohub.sample.heads import write_model_sample; write_model_sample(Path('m'))"
    )
    done = fresh.run(sys.executable, "-c", code, cwd=tmp_path, home=tmp_path / "home", **fresh.OFFLINE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
