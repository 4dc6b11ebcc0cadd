"""What the Hub would refuse in a card's metadata is found here, without the Hub."""

import re
from typing import Any

import pytest

from emohub.release.metadata import metadata_problems

SPACE = {
    "title": "T", "emoji": "🎯", "colorFrom": "red", "colorTo": "gray", "sdk": "gradio", "sdk_version": "6.31.0",
    "app_file": "app.py", "license": "mit", "tags": ["metric"],
}  # fmt: skip
MODEL = {
    "license": "cc-by-4.0", "tags": ["onnx"], "library_name": "transformers", "pipeline_tag": "image-classification",
}  # fmt: skip
DATASET = {
    "license": "cc-by-4.0", "tags": ["faces"], "pretty_name": "P", "task_categories": ["image-classification"],
    "size_categories": ["n<1K"], "annotations_creators": ["crowdsourced"], "configs": [{"config_name": "a"}],
    "dataset_info": {"config_name": "a"},
}  # fmt: skip
GOOD = {"space": SPACE, "model": MODEL, "dataset": DATASET}


@pytest.mark.parametrize("kind", GOOD)
def test_good_metadata_pass(kind: str) -> None:
    assert metadata_problems(kind, GOOD[kind]) == []
    assert metadata_problems(kind, {**GOOD[kind], "something_else": 1}) == []


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("model", {"license": "CC BY 4.0"}, "license: .*'CC BY 4.0'"),
        ("model", {"license": "other"}, "needs license_name"),
        ("model", {"license": "other", "license_name": "Not Stated"}, "license_name"),
        ("model", {"tags": ["a", "a"]}, "'a' is there twice"),
        ("model", {"tags": "onnx"}, "tags"),
        ("model", {"pipeline_tag": "emotion"}, "pipeline_tag: .*'emotion'"),
        ("model", {"base_model": "backbone"}, "base_model"),
        ("model", {"base_model_relation": "finetune"}, "base_model, which is missing"),
        ("model", {"base_model": "a/b", "base_model_relation": "heads"}, "base_model_relation"),
        ("model", {"datasets": ["emonet-face"]}, "datasets"),
        ("model", {"extra_gated_fields": {"Age": "number"}}, "extra_gated_fields.Age"),
        ("model", {"language": ["English"]}, "language"),
        ("dataset", {"size_categories": ["small"]}, "size_categories"),
        ("dataset", {"task_categories": ["faces"]}, "task_categories"),
        ("dataset", {"annotations_creators": ["experts"]}, "annotations_creators"),
        ("dataset", {"configs": []}, "configs"),
        ("dataset", {"configs": [{"config_name": "b"}]}, "must be the same"),
        ("dataset", {"configs": [{"config_name": "a", "default": True}] * 2,
                     "dataset_info": [{"config_name": "a"}] * 2}, "more than one config is the default"),
        ("space", {"colorFrom": "orange"}, "colorFrom: .*'orange'"),
        ("space", {"short_description": "x" * 61}, "short_description"),
        ("space", {"sdk": "flask"}, "sdk"),
    ],
)  # fmt: skip
def test_bad_metadata_are_named(kind: str, change: dict[str, Any], said: str) -> None:
    (problem,) = metadata_problems(kind, GOOD[kind] | change)[:1]
    assert re.search(said, problem)


@pytest.mark.parametrize("kind", GOOD)
def test_every_missing_key_is_named(kind: str) -> None:
    required = {"model": 4, "dataset": 8, "space": 8}[kind]
    assert len(metadata_problems(kind, {})) == required
