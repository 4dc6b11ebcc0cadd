"""`croissant.json`, read by mlcroissant: the values are those that `datasets` loads, the texts those of the card."""

import io
import json
import re
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Features
from PIL import Image

from emohub.dataset.croissant import read_croissant

CONFIGS = {
    "emonet-face": ("hq", "binary", "big", "hq_ratings", "binary_ratings", "emotions"),
    "chehre": ("videos", "label_ratings", "emoji_ratings", "rankings"),
}


def plain(value: Any) -> Any:
    """A value of mlcroissant as Parquet has it: no numpy, bytes as text, nan as None, names without their path."""
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(one) for name, one in value.items()}
    if isinstance(value, list | np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode()
    return None if isinstance(value, float) and np.isnan(value) else value


def texts_of(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.parametrize(("name", "config"), [(name, config) for name, found in CONFIGS.items() for config in found])
def test_every_value_comes_back(release: Path, name: str, config: str) -> None:
    dataset = mlcroissant.Dataset(jsonld=release / name / "croissant.json", mapping={"repo": str(release / name)})
    rows = [row for file in sorted((release / name / config).glob("*")) for row in pq.read_table(file).to_pylist()]
    found = [{field.partition("/")[2]: value for field, value in row.items()} for row in dataset.records(config)]
    media = [(one.pop("image", None), one.pop("video", None)) for one in found]
    ours = [(row.pop("image", None), row.pop("video", None)) for row in rows]
    assert texts_of([plain(row) for row in found]) == texts_of(rows) and len(rows) > 0
    assert sorted(video for _, video in media if video) == sorted(video["bytes"] for _, video in ours if video)
    sizes = [Image.open(io.BytesIO(image["bytes"])).size for image, _ in ours if image]
    assert sorted(image.size for image, _ in media if image) == sorted(sizes)


@pytest.mark.parametrize("name", CONFIGS)
def test_it_says_what_the_hub_cannot_know(release: Path, name: str) -> None:
    found = read_croissant(release / name / "croissant.json")
    card = " ".join(re.sub(r"\*\*|`|\[([^]]*)\]\([^)]*\)", r"\1", (release / name / "README.md").read_text()).split())
    texts = [found.data_collection, found.data_social_impact]
    texts += [*found.annotator_demographics, *found.data_limitations, *found.data_use_cases]
    assert all(text and text in card for text in texts), [text for text in texts if text not in card]
    assert len(found.data_limitations) >= 5 and "worthless as data" in found.description
    assert found.license[0].startswith("https://") and found.url.endswith(f"/datasets/demo-org/{name}")
    features = Features.from_arrow_schema(pq.read_schema(next((release / name / CONFIGS[name][0]).glob("*"))))
    fields = {one.name for one in found.record_sets if one.id == CONFIGS[name][0] for one in one.fields}
    assert fields == set(features)
