"""Where weights come from and go to: full SigLIP checkpoints, other folders, devices, a Trainer's checkpoints."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageClassification, SiglipConfig, SiglipModel, SiglipVisionModel

AUTO = {"trust_remote_code": True}
FORWARD = """
import sys, torch
sys.modules["emohub"] = None  # importing it raises
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageClassification
folder, pixels, out = sys.argv[1:]
model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()
with torch.no_grad():
    save_file({"logits": model(**load_file(pixels)).logits.contiguous()}, out)
"""


def logits(model, pixels):
    with torch.no_grad():
        return model.eval()(pixels).logits


@pytest.fixture
def full(make, tmp_path):
    """A full SigLIP on disk, and itself."""
    vision = make().config.vision_config.to_dict()
    text = {**vision, "vocab_size": 50, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3}
    torch.manual_seed(1)
    model = SiglipModel(SiglipConfig(vision_config=vision, text_config=text)).eval()
    model.save_pretrained(tmp_path / "full")
    return tmp_path / "full", model


@pytest.mark.parametrize("kind", ["full", "vision"])
def test_tower_of_a_siglip_checkpoint(full, make, model_class, pixels, tmp_path, kind):
    folder, siglip = full
    if kind == "vision":
        SiglipVisionModel.from_pretrained(folder).save_pretrained(folder := tmp_path / "vision")
    model, info = model_class.from_pretrained(folder, config=make().config, output_loading_info=True)
    assert all(key.startswith("heads.") for key in info["missing_keys"]) and info["missing_keys"]
    assert not info["unexpected_keys"] and not info["mismatched_keys"]
    with torch.no_grad():
        wanted = siglip.get_image_features(pixels).pooler_output
        torch.testing.assert_close(model.eval()(pixels).image_embeds, wanted, rtol=0, atol=1e-6)


def test_names_do_not_depend_on_where_weights_came_from(full, make, model_class, saved, pixels, tmp_path):
    """transformers would write the names of the checkpoint that was read."""
    model = model_class.from_pretrained(full[0], config=make().config)
    model.save_pretrained(tmp_path / "again")
    names = load_file(tmp_path / "again" / "model.safetensors").keys()
    assert names == load_file(saved[0] / "model.safetensors").keys()
    again = AutoModelForImageClassification.from_pretrained(tmp_path / "again", **AUTO)
    assert torch.equal(logits(again, pixels), logits(model, pixels))


def test_a_model_that_was_loaded_saves_all_that_a_repo_needs(saved, pixels, tmp_path):
    """The way of `push_to_hub`: it uploads what `save_pretrained` writes. A fresh process loads it."""
    from safetensors.torch import save_file

    folder, model = saved
    loaded = AutoModelForImageClassification.from_pretrained(folder, **AUTO)
    loaded.save_pretrained(tmp_path / "pushed")
    assert {path.name for path in (tmp_path / "pushed").iterdir()} == {path.name for path in folder.iterdir()}
    for name in ("auto_map", "custom_pipelines", "id2label"):
        first, second = (
            json.loads((path / "config.json").read_text())[name] for path in (folder, tmp_path / "pushed")
        )
        assert first == second
    save_file({"pixel_values": pixels}, tmp_path / "pixels")
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_MODULES_CACHE", None)
    command = [sys.executable, "-c", FORWARD, *(str(tmp_path / name) for name in ("pushed", "pixels", "out"))]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert torch.equal(load_file(tmp_path / "out")["logits"], logits(model, pixels))


@pytest.mark.parametrize("place", ["model.encoder", "heads"])
def test_parts_on_disk(saved, pixels, tmp_path, place):
    """`device_map` with a part that does not fit into memory; the library's pooling head must be in it."""
    pytest.importorskip("accelerate")
    folder, model = saved
    parts = ("model.embeddings", "model.encoder", "model.post_layernorm", "model.head", "heads")
    device_map = {part: "disk" if part == place else "cpu" for part in parts}
    offloaded = AutoModelForImageClassification.from_pretrained(
        folder, device_map=device_map, offload_folder=tmp_path / "offload", **AUTO
    )
    assert any(parameter.is_meta for parameter in offloaded.parameters())
    assert torch.equal(logits(offloaded, pixels), logits(model, pixels))


def test_what_must_stay_together_is_there(make):
    """The names are of classes; one that the library renames would be split over devices without a word."""
    model = make()
    assert set(type(model)._no_split_modules) <= {type(module).__name__ for module in model.modules()}


def test_trainer_saves_and_resumes(make, pixels, tmp_path):
    pytest.importorskip("accelerate")
    from transformers import Trainer, TrainingArguments

    def metrics(found):
        known = found.label_ids == found.label_ids
        return {"error": float(abs(found.predictions - found.label_ids)[known].mean())}

    torch.manual_seed(0)
    labels = torch.where(torch.rand(8, 40) < 0.3, torch.rand(8, 40) * 7, float("nan"))
    rows = [{"pixel_values": torch.randn(3, 32, 32), "labels": label} for label in labels]
    options = {"report_to": [], "use_cpu": True, "disable_tqdm": True, "dataloader_pin_memory": False, "seed": 0}

    def trained(folder, steps, **resume):
        arguments = TrainingArguments(
            folder, max_steps=steps, per_device_train_batch_size=4, save_steps=2, save_strategy="steps", **options
        )
        trainer = Trainer(
            make(head_dropout=0.0), arguments, train_dataset=rows, eval_dataset=rows, compute_metrics=metrics
        )
        trainer.train(**resume)
        return trainer

    whole = trained(tmp_path / "whole", 4)
    # The learning rate falls with max_steps, so a stop is a checkpoint of the same run.
    resumed = trained(tmp_path / "whole", 4, resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-2"))
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], value, rtol=0, atol=1e-7, msg=name)
    figures = whole.evaluate()
    assert figures["eval_error"] > 0 and figures["eval_loss"] > 0
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path / "whole" / "checkpoint-4", **AUTO)
    assert torch.equal(logits(loaded, pixels), logits(whole.model, pixels))
