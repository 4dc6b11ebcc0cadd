"""Tiny seeded models."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "hub_models" / "empathic_insight_face"
TOWER = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def model_class():
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    loaded = get_class_from_dynamic_module(
        "modeling_empathic_insight_face.EmpathicInsightFaceForImageClassification", FOLDER
    )
    loaded.register_for_auto_class("AutoModelForImageClassification")
    loaded.config_class.register_for_auto_class("AutoConfig")
    return loaded


@pytest.fixture(scope="session")
def code(model_class):
    """The module that holds the model, for what it has beside the class."""
    import sys

    return sys.modules[model_class.__module__]


@pytest.fixture
def make(model_class):
    """Build a tiny model: `make(seed=0, **config)`."""
    import torch

    def build(seed: int = 0, **config):
        torch.manual_seed(seed)
        config = {"vision_config": TOWER, "dimensions": ["Arousal", "Valence"], **config}
        model = model_class(model_class.config_class(**config)).eval()
        with torch.no_grad():
            model.heads.neutral_mean.copy_(torch.linspace(-0.5, 1.5, len(model.heads.neutral_mean)))
        return model

    return build


@pytest.fixture
def pixels():
    import torch

    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def saved(make, tmp_path):
    """A tiny model on disk, and itself."""
    model = make()
    model.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved", model
