"""A model repo with a tiny random tower whose scores lie about as those of the real model do: −3 to 7."""

import json
from pathlib import Path

from PIL import Image

from emohub.data.taxonomy import NAMES
from emohub.hub.folders import hub_folder

EXAMPLES = hub_folder("spaces", "empathic_insight_face") / "examples"
TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
IMAGE = {"image_size": 64, "patch_size": 16}
LOUDER = 35.0  # the tower sees little difference between faces; the last layer makes much of it


def write_tiny_model(out: Path) -> None:
    """Write config, code, weights and processor as `emohub build model` does, in a second."""
    import torch
    from transformers import SiglipImageProcessorPil
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    code = "modeling_empathic_insight_face.EmpathicInsightFaceForImageClassification"
    model_class = get_class_from_dynamic_module(code, hub_folder("hub_models", "empathic_insight_face"))
    model_class.register_for_auto_class("AutoModelForImageClassification")
    model_class.config_class.register_for_auto_class("AutoConfig")
    torch.manual_seed(0)
    labels = dict(enumerate(NAMES))
    config = model_class.config_class(vision_config={**TINY, **IMAGE}, id2label=labels, dimensions=["Arousal"])
    model = model_class(config).eval()
    side = IMAGE["image_size"]
    processor = SiglipImageProcessorPil(size={"height": side, "width": side})
    faces = [Image.open(path).convert("RGB") for path in sorted(EXAMPLES.glob("*.jpg"))]
    with torch.no_grad():
        model.heads.layers[-1].weight *= LOUDER
        pixels = processor(images=faces, return_tensors="pt")["pixel_values"]
        seen = model.heads.raw(model(pixels).image_embeds)
        model.heads.layers[-1].bias -= (seen.mean(0) - 1).reshape(model.heads.layers[-1].bias.shape)
        model.heads.neutral_mean.fill_(1.0)
    model.save_pretrained(out)
    size = dict.fromkeys(("height", "width"), side)
    kind = {"image_processor_type": "SiglipImageProcessor", "size": size}
    (out / "preprocessor_config.json").write_text(json.dumps(kind), encoding="utf-8")
