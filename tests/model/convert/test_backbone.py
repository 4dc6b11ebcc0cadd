"""The tower from a full checkpoint or a vision-only one, and what is refused."""

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import SiglipModel, SiglipVisionModel

from emohub.errors import BuildError
from emohub.model.convert.backbone import load_backbone


@pytest.fixture
def copy(siglip, tmp_path):
    return shutil.copytree(siglip, tmp_path / "siglip")


def refusal(folder) -> str:
    with pytest.raises(BuildError) as caught:
        load_backbone(str(folder))
    return str(caught.value)


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_vision_part_of_a_full_checkpoint(siglip):
    base = load_backbone(str(siglip))
    full = SiglipModel.from_pretrained(siglip).vision_model.state_dict()
    assert base.tower.state_dict().keys() == full.keys()
    assert all(torch.equal(value, full[key]) for key, value in base.tower.state_dict().items())
    assert (base.source, base.revision, base.processor_source) == ("siglip", None, "backbone")
    assert base.processor.resample == 2


def test_vision_only_checkpoint(siglip, tmp_path):
    SiglipVisionModel.from_pretrained(siglip).save_pretrained(tmp_path / "vision")
    base = load_backbone(str(tmp_path / "vision"))
    wanted = load_backbone(str(siglip)).tower.state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in base.tower.state_dict().items())
    assert base.processor_source == "default"
    assert dict(base.processor.size) == {"height": 32, "width": 32}


def test_half_precision_checkpoint_is_widened(siglip, tmp_path):
    SiglipVisionModel.from_pretrained(siglip, dtype=torch.bfloat16).save_pretrained(tmp_path / "vision")
    tower = load_backbone(str(tmp_path / "vision")).tower
    assert {value.dtype for value in tower.parameters()} == {torch.float32}


def test_missing_weight(copy):
    weights = load_file(copy / "model.safetensors")
    key = next(key for key in weights if key.endswith("head.probe") and "vision" in key)
    del weights[key]
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert "missing: head.probe" in refusal(copy)


def test_not_finite_weight(copy):
    weights = load_file(copy / "model.safetensors")
    key = next(key for key in weights if key.endswith("head.probe") and "vision" in key)
    weights[key][0, 0, 0] = float("inf")
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert "not finite: head.probe" in refusal(copy)


def test_pickled_weights_are_not_read(copy):
    weights = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    assert "no readable vision tower" in refusal(copy)


def test_broken_weights(copy):
    (copy / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{broken}")
    assert "no readable vision tower" in refusal(copy)


@pytest.mark.parametrize("content", ["{", "[]", '{"image_processor_type": "NoSuchProcessor"}'])
def test_broken_processor(copy, content):
    (copy / "preprocessor_config.json").write_text(content)
    assert "broken image processor" in refusal(copy)


def test_processor_with_code_of_its_own_is_refused(copy, tmp_path):
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\nclass Evil: pass\n")
    auto = {"AutoImageProcessor": "evil.Evil"}
    (copy / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": "Evil", "auto_map": auto}))
    assert "broken image processor" in refusal(copy)
    assert not (tmp_path / "pwned").exists()


def test_processor_of_another_size(copy):
    edit(copy / "preprocessor_config.json", size={"height": 64, "width": 64})
    assert "resizes to {'height': 64, 'width': 64}, the tower expects {'height': 32, 'width': 32}" in refusal(copy)


def test_other_architecture(copy):
    edit(copy / "config.json", model_type="vit")
    assert "is a 'vit' model" in refusal(copy)


def test_broken_config(copy):
    (copy / "config.json").write_text("{")
    assert "no readable config.json" in refusal(copy)


def test_nowhere(tmp_path):
    assert "no readable config.json" in refusal(tmp_path / "nowhere")


class Exploit:
    """Unpickling it writes a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


def test_a_malicious_pickle_runs_nothing(copy, tmp_path):
    (copy / "model.safetensors").unlink()
    torch.save(Exploit(tmp_path / "pwned"), copy / "pytorch_model.bin")
    assert "no readable vision tower" in refusal(copy)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("model_type", ["siglip", "evil"])
def test_code_beside_the_weights_is_not_run(copy, tmp_path, model_type):
    """A known type is the library's own class; an unknown one is refused."""
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\nclass Evil: pass\n")
    auto = {name: "evil.Evil" for name in ("AutoConfig", "AutoModel", "AutoModelForImageClassification")}
    edit(copy / "config.json", auto_map=auto, model_type=model_type)
    if model_type == "siglip":
        assert load_backbone(str(copy)).tower.config.hidden_size == 32
    else:
        assert "no readable config.json" in refusal(copy)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_std": [0.0, 0.5, 0.5]}, "gives numbers that are not finite"),
        ({"do_resize": False}, "gives (1, 3, 48, 40), must be (1, 3, 32, 32)"),
        ({"image_mean": "broken"}, "broken image processor"),
        ({"resample": 99}, "broken image processor"),
        ({"rescale_factor": "x"}, "broken image processor"),
    ],
)
def test_processor_that_does_not_work(copy, change, message):
    edit(copy / "preprocessor_config.json", **change)
    assert message in refusal(copy)
