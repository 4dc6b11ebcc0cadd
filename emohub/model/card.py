"""The card of a model repo; every number comes from a file: `conversion.json`, results, published figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData

from emohub.data.source import HUB_ID
from emohub.data.taxonomy import DIMENSIONS, EMOTIONS
from emohub.hub.context import ReleaseContext
from emohub.hub.json_files import read_json
from emohub.hub.templates import citation, environment, published

TEMPLATE = "models/empathic-insight-face.md.j2"
TAGS = [
    "emotion-recognition",
    "facial-expression",
    "facial-expression-recognition",
    "affective-computing",
    "siglip",
    "onnx",
]


def write_card(
    folder: Path,
    *,
    context: ReleaseContext | None = None,
    results: Sequence[Any] = (),
    evaluation: dict[str, Any] | None = None,
    upstream: str | None = None,
    **card_data: Any,
) -> None:
    """Write `README.md` of a converted model.

    Args:
        folder: Holds `conversion.json`.
        context: The release that the repo is part of, None without one.
        results: Evaluation results (`emohub.release.results.Result`).
        evaluation: The record of our own measurement among them.
        upstream: Hub id of the published heads, None if they are others.
        **card_data: Further metadata, for example `license`.
    """
    record = read_json(folder / "conversion.json")
    source = record["backbone"]["source"]
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="image-classification",
        tags=TAGS,
        **({"base_model": source, "base_model_relation": "finetune"} if HUB_ID.fullmatch(source) else {}),
        **card_data,
    )
    body = (
        environment()
        .get_template(TEMPLATE)
        .render(
            record=record,
            context=context or ReleaseContext("ORG/empathic-insight-face"),
            results=results,
            evaluation=evaluation,
            groups={emotion.name: emotion.group for emotion in EMOTIONS},
            scales={dimension.name: f"{dimension.low}…{dimension.high}" for dimension in DIMENSIONS},
            humans=_human_agreement(),
            upstream=upstream,
            citation=citation("emonet-face"),
        )
    )
    ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body.strip()}\n", ignore_metadata_errors=False).save(
        folder / "README.md"
    )


def _human_agreement() -> dict[str, float]:
    """Lowest, highest and mean agreement of an expert with the others, from the published table."""
    rows = published("emonet-face")["agreement"]["rows"]
    means = [row["mean"] for name, row in rows.items() if name.startswith("human-")]
    return {"lowest": min(means), "highest": max(means), "mean": sum(means) / len(means)}
