"""The model behaves as the library's own do."""

import json
import re
import shutil

import pytest
import torch
import transformers
from packaging import version
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForImageClassification, SiglipImageProcessor, pipeline

from tests.hub_models.conftest import TOWER

AUTO = {"trust_remote_code": True}


def load(folder, **more):
    return AutoModelForImageClassification.from_pretrained(folder, **AUTO, **more)


def scores(model, pixels):
    with torch.no_grad():
        return model.eval()(pixels).logits


def test_outputs(make, pixels):
    output = make()(pixels)
    assert {name: tuple(value.shape) for name, value in output.items()} == {
        "logits": (3, 40),
        "dimensions": (3, 2),
        "image_embeds": (3, 32),
    }
    assert make(dimensions=[])(pixels).dimensions is None


def test_missing_pixels(make):
    with pytest.raises(ValueError, match="pixel_values is missing"):
        make()()


def test_normalized_embedding(make, pixels):
    plain, scaled = make(), make(normalize_embedding=True)
    output = scaled(pixels)
    unit = torch.nn.functional.normalize(output.image_embeds, dim=-1)
    torch.testing.assert_close(output.logits, plain.heads(unit)[:, :40])
    assert not torch.allclose(output.logits, plain(pixels).logits)


def test_save_and_load(saved, pixels):
    folder, model = saved
    loaded, info = load(folder, output_loading_info=True)
    assert not any(info.values())
    assert torch.equal(scores(loaded, pixels), scores(model, pixels))
    assert {path.name for path in folder.glob("*.py")} == {
        f"{part}_empathic_insight_face.py" for part in ("configuration", "modeling", "pipeline", "reading")
    }


def test_saved_names_are_those_of_every_transformers_5(saved):
    """Between 5.0 and 5.23 the library moved its own tower twice; our files must not move with it."""
    names = set(load_file(saved[0] / "model.safetensors"))
    assert {"model.embeddings.patch_embedding.weight", "model.head.probe", "heads.neutral_mean"} <= names
    assert not any("vision_model" in name for name in names)


def test_missing_key_is_initialised(saved, pixels):
    folder, model = saved
    weights = load_file(folder / "model.safetensors")
    del weights["heads.layers.1.weight"], weights["heads.neutral_mean"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    loaded, info = load(folder, output_loading_info=True)
    assert set(info["missing_keys"]) == {"heads.layers.1.weight", "heads.neutral_mean"}
    bound = loaded.heads.layers[1].weight.shape[-1] ** -0.5
    assert 0 < loaded.heads.layers[1].weight.abs().max() <= bound
    assert not loaded.heads.neutral_mean.any()
    assert torch.equal(loaded.heads.layers[0].weight, model.heads.layers[0].weight)
    assert scores(loaded, pixels).isfinite().all()


def test_unexpected_key_is_reported(saved, pixels):
    folder, model = saved
    weights = {**load_file(folder / "model.safetensors"), "stranger": torch.ones(2)}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    loaded, info = load(folder, output_loading_info=True)
    assert set(info["unexpected_keys"]) == {"stranger"}
    assert torch.equal(scores(loaded, pixels), scores(model, pixels))


def test_mismatched_keys(saved, pixels):
    folder, _ = saved
    with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
        load(folder, num_labels=5)
    loaded, info = load(folder, num_labels=5, ignore_mismatched_sizes=True, output_loading_info=True)
    assert {key[0] for key in info["mismatched_keys"]} == {
        "heads.neutral_mean",
        *(f"heads.layers.{i}.{kind}" for i in range(3) for kind in ("weight", "bias")),
    }
    assert scores(loaded, pixels).shape == (3, 5)
    assert scores(loaded, pixels).isfinite().all()


def test_from_config_on_the_meta_device(saved, model_class, pixels):
    folder, model = saved
    config = AutoConfig.from_pretrained(folder, **AUTO)
    with torch.device("meta"):
        empty = model_class(config)
    assert all(value.is_meta for value in empty.state_dict().values())
    loaded = load(folder)
    for name, buffer in loaded.named_buffers():
        assert torch.equal(buffer, dict(model.named_buffers())[name]), name


def test_from_config_is_seeded_and_finite(saved, pixels):
    config = AutoConfig.from_pretrained(saved[0], **AUTO)
    torch.manual_seed(5)
    first = AutoModelForImageClassification.from_config(config, **AUTO)
    torch.manual_seed(5)
    second = AutoModelForImageClassification.from_config(config, **AUTO)
    assert torch.equal(scores(first, pixels), scores(second, pixels))
    assert not first.heads.neutral_mean.any()


def test_hidden_states_and_attentions(saved, pixels):
    model = load(saved[0], attn_implementation="eager").eval()
    output = model(pixels, output_hidden_states=True, output_attentions=True)
    assert [tuple(state.shape) for state in output.hidden_states] == [(3, 16, 32)] * 3
    assert [tuple(attention.shape) for attention in output.attentions] == [(3, 4, 16, 16)] * 2
    as_tuple = model(pixels, output_hidden_states=True, output_attentions=True, return_dict=False)
    for left, right in zip(output.to_tuple(), as_tuple, strict=True):
        pairs = zip(left, right, strict=True) if isinstance(left, tuple) else [(left, right)]
        assert all(torch.equal(a, b) for a, b in pairs)
    model.config.output_hidden_states = True
    assert len(model(pixels).hidden_states) == 3
    assert model(pixels, output_hidden_states=False).hidden_states is None


def test_eager_equals_sdpa(saved, pixels):
    eager, sdpa = (load(saved[0], attn_implementation=name) for name in ("eager", "sdpa"))
    torch.testing.assert_close(scores(eager, pixels), scores(sdpa, pixels), rtol=0, atol=1e-5)
    sdpa.set_attn_implementation("eager")
    assert torch.equal(scores(eager, pixels), scores(sdpa, pixels))


def test_batched_equals_single(make, pixels):
    model = make()
    single = torch.cat([scores(model, one[None]) for one in pixels])
    torch.testing.assert_close(scores(model, pixels), single, rtol=0, atol=1e-5)


def test_deterministic_outside_training(make, pixels):
    model = make(head_dropout=0.5)
    assert torch.equal(scores(model, pixels), scores(model, pixels))
    model.train()
    assert not torch.equal(model(pixels).logits, model(pixels).logits)


def test_gradient_checkpointing_gives_the_same_gradients(make, pixels):
    gradients = []
    for checkpointing in (False, True):
        model = make(head_dropout=0.0).train()
        if checkpointing:
            model.gradient_checkpointing_enable()
            assert model.is_gradient_checkpointing
        model(pixels, labels=torch.ones(3, 40)).loss.backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)
        assert gradient.any(), name


def test_gradients_are_retained(saved, pixels):
    model = load(saved[0], attn_implementation="eager")
    output = model(pixels, output_hidden_states=True, output_attentions=True)
    kept = [output.hidden_states[0], output.attentions[0], output.image_embeds]
    for tensor in kept:
        tensor.retain_grad()
    output.logits[0, 0].backward()
    assert all(tensor.grad is not None for tensor in kept)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_keeps_the_heads_exact(saved, pixels, dtype):
    folder, model = saved
    half = load(folder, dtype=dtype)
    assert half.model.embeddings.patch_embedding.weight.dtype == dtype
    assert {value.dtype for value in half.heads.state_dict().values()} == {torch.float32}
    found = scores(half, pixels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, scores(model, pixels), rtol=0, atol=0.05)
    assert torch.equal(half.heads.neutral_mean, model.heads.neutral_mean)


def test_whole_model_in_half_precision(make, pixels):
    assert scores(make().to(torch.bfloat16), pixels).isfinite().all()


def test_autocast_keeps_the_heads_exact(make, pixels):
    model = make()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert scores(model, pixels).dtype == torch.float32


def test_other_image_sizes(make):
    large = torch.randn(1, 3, 48, 48)
    assert make()(large, interpolate_pos_encoding=True).logits.shape == (1, 40)


def test_compiles_in_one_graph(make, pixels):
    model = make()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert torch.equal(scores(compiled, pixels), scores(model, pixels))


def test_device_map(saved, pixels):
    pytest.importorskip("accelerate")
    folder, model = saved
    assert torch.equal(scores(load(folder, device_map="cpu"), pixels), scores(model, pixels))


def test_trainer_learns_with_unknown_labels(make, tmp_path):
    pytest.importorskip("accelerate")
    from transformers import Trainer, TrainingArguments

    torch.manual_seed(0)
    images = torch.randn(8, 3, 32, 32)
    labels = torch.full((8, 40), float("nan"))
    labels[:, :3] = torch.rand(8, 3) * 7
    rows = [{"pixel_values": image, "labels": label} for image, label in zip(images, labels, strict=True)]
    model = make(head_dropout=0.0)
    before = model(images, labels=labels).loss.item()
    arguments = TrainingArguments(
        tmp_path,
        max_steps=12,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        learning_rate=3e-3,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(model, arguments, train_dataset=rows)
    trainer.train()
    assert model(images, labels=labels).loss.item() < before / 2
    assert trainer.predict(rows).predictions.shape == (8, 40)


def test_config_round_trip(saved):
    config = AutoConfig.from_pretrained(saved[0], **AUTO)
    assert config.to_dict() == AutoConfig.from_pretrained(saved[0], **AUTO).to_dict()
    assert (config.num_labels, config.head_hidden_sizes, config.dimensions) == (40, [128, 32], ["Arousal", "Valence"])
    assert json.loads((saved[0] / "config.json").read_text())["custom_pipelines"]["image-classification"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"vision_config": {"vision_use_head": False}}, "vision_use_head is False"),
        ({"head_hidden_sizes": []}, "one or more positive widths"),
        ({"head_hidden_sizes": [16, 0]}, "one or more positive widths"),
    ],
)
def test_config_refuses(model_class, wrong, message):
    with pytest.raises(ValueError, match=message):
        model_class.config_class(**wrong)


def test_config_of_size(model_class):
    config = model_class.config_class.of_size("large", vision_config={"hidden_size": 32})
    assert (config.head_hidden_sizes, config.head_dropout) == ([1024, 512, 256], 0.2)
    with pytest.raises(ValueError, match="valid: 'small', 'large'"):
        model_class.config_class.of_size("huge")


def test_folder_stands_alone(folder, tmp_path):
    """No file names emohub, and a copy elsewhere loads."""
    copy = shutil.copytree(folder, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("__pycache__"))
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    for path in copy.iterdir():
        assert "emohub" not in path.read_text(), path
    name = "modeling_empathic_insight_face.EmpathicInsightFaceForImageClassification"
    assert get_class_from_dynamic_module(name, copy).__name__.endswith("ForImageClassification")


def test_the_model_s_file_imports_every_file_that_another_imports(folder):
    """transformers 5.0 copies from a local folder what the file imports itself, and nothing that those import."""
    files = {path.stem: path.read_text() for path in folder.glob("*.py")}
    relative = {name: set(re.findall(r"^from \.(\w+) import", text, re.M)) for name, text in files.items()}
    main = next(name for name in files if name.startswith("modeling"))
    assert relative[main] == set().union(*relative.values()) == {*files} - {main}


# ---- The tower alone


def test_automodel_is_the_tower(saved, pixels):
    folder, model = saved
    tower, info = AutoModel.from_pretrained(folder, trust_remote_code=True, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    with torch.no_grad():
        output, wanted = tower.eval()(pixels), model(pixels)
    assert torch.equal(output.pooler_output, wanted.image_embeds)
    assert output.last_hidden_state.shape[-1] == TOWER["hidden_size"]


def test_image_feature_extraction(saved):
    folder, model = saved
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    extract = pipeline("image-feature-extraction", model=str(folder), trust_remote_code=True)
    image = Image.new("RGB", (40, 48), "teal")
    found = torch.tensor(extract(image, pool=True))
    with torch.no_grad():
        wanted = model(extract.image_processor(image, return_tensors="pt")["pixel_values"])
    torch.testing.assert_close(found, wanted.image_embeds)


@pytest.mark.parametrize("kind", ["base_model", "automodel"])
def test_a_saved_tower_loads_below_new_heads(kind, saved, model_class, pixels, tmp_path):
    folder, model = saved
    tower = model.base_model if kind == "base_model" else AutoModel.from_pretrained(folder, trust_remote_code=True)
    tower.save_pretrained(tmp_path / "tower")
    loaded, info = model_class.from_pretrained(tmp_path / "tower", output_loading_info=True)
    assert {key.split(".")[0] for key in info["missing_keys"]} == {"heads"} and not info["unexpected_keys"]
    with torch.no_grad():
        assert torch.equal(loaded.eval()(pixels).image_embeds, model(pixels).image_embeds)


@pytest.mark.parametrize("chosen", [True, False, None, [0], [0, 2]])
def test_hidden_states_are_chosen_as_in_the_library(chosen, make, pixels):
    model = make()
    with torch.no_grad():
        found = model(pixels, output_hidden_states=chosen).hidden_states or ()
        wanted = model.model(pixels, output_hidden_states=chosen).hidden_states or ()
    assert [state is None for state in found] == [state is None for state in wanted]
    assert all(torch.equal(*pair) for pair in zip(found, wanted, strict=True) if pair[0] is not None)
    if version.parse(transformers.__version__) >= version.parse("5.23"):  # 5.20 and older read a list otherwise
        assert sum(state is not None for state in found) == (len(chosen) if isinstance(chosen, list) else len(found))
