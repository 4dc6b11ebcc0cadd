"""The card of a model repo; every number in it comes from the repo's `conversion.json`."""

import json
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emohub.data.taxonomy import DIMENSIONS, EMOTIONS
from emohub.hubfolders import hub_folder

TEMPLATE = "empathic-insight-face.md.j2"
TAGS = ["emotion-recognition", "facial-expression", "siglip", "onnx"]


def write_card(folder: Path, repo_id: str = "ORG/empathic-insight-face", **card_data: Any) -> None:
    """Write `README.md` of a converted model.

    Args:
        folder: Holds `conversion.json`.
        repo_id: What the examples load.
        **card_data: Further metadata, for example `license`.
    """
    record = json.loads((folder / "conversion.json").read_text(encoding="utf-8"))
    source = record["backbone"]["source"]
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="image-classification",
        tags=TAGS,
        **({"base_model": source} if "/" in source else {}),
        **card_data,
    )
    environment = Environment(
        loader=FileSystemLoader(hub_folder("model_cards", "models")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    body = environment.get_template(TEMPLATE).render(
        record=record, repo_id=repo_id, groups={emotion.name: emotion.group for emotion in EMOTIONS}, scales=_scales()
    )
    ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}", ignore_metadata_errors=False).save(folder / "README.md")


def _scales() -> dict[str, str]:
    return {dimension.name: f"{dimension.low}…{dimension.high}" for dimension in DIMENSIONS}
