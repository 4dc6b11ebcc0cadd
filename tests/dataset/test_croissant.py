"""`croissant.json`, read by mlcroissant: the values are those that `datasets` loads, the texts those of the card."""

import json
import re
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Features

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


@pytest.mark.parametrize(("name", "config"), [(name, config) for name, found in CONFIGS.items() for config in found])
def test_every_value_comes_back(release: Path, name: str, config: str) -> None:
    dataset = mlcroissant.Dataset(jsonld=release / name / "croissant.json", mapping={"repo": str(release / name)})
    rows = [row for file in sorted((release / name / config).glob("*")) for row in pq.read_table(file).to_pylist()]
    found = list(dataset.records(config))
    assert len(found) == len(rows)
    key = "item" if "item" in rows[0] else "id"
    by_item = {json.dumps(plain(row[f"{config}/{key}"])): row for row in found}
    for row in rows[:: max(1, len(rows) // 40)]:
        if key == "item" and len(by_item) < len(rows):  # a long table
            break
        theirs = {name.partition("/")[2]: value for name, value in by_item[json.dumps(row[key])].items()}
        media = next((name for name in ("image", "video") if name in row), None)
        if media == "image":
            assert theirs.pop("image").size[0] > 0
        elif media:
            assert theirs.pop("video") == row["video"]["bytes"]
        assert plain(theirs) == {name: value for name, value in row.items() if name != media}
    if len(by_item) < len(rows):
        theirs = sorted(
            json.dumps(plain({k.partition("/")[2]: v for k, v in row.items()}), sort_keys=True) for row in found
        )
        assert theirs == sorted(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.parametrize("name", CONFIGS)
def test_it_says_what_the_hub_cannot_know(release: Path, name: str) -> None:
    found = read_croissant(release / name / "croissant.json")
    card = " ".join(re.sub(r"\*\*|`|\[([^]]*)\]\([^)]*\)", r"\1", (release / name / "README.md").read_text()).split())
    texts = [found.data_collection, found.data_social_impact]
    texts += [*found.annotator_demographics, *found.data_limitations, *found.data_use_cases]
    assert all(text and text in card for text in texts), [text for text in texts if text not in card]
    assert len(found.data_limitations) >= 5 and "worthless as data" in found.description
    assert found.license[0].startswith("https://") and found.url.endswith(f"/datasets/demo-org/{name}")
    assert "rated" not in found.data_collection.rpartition("Who ")[1]
    features = Features.from_arrow_schema(pq.read_schema(next((release / name / CONFIGS[name][0]).glob("*"))))
    fields = {one.name for one in found.record_sets if one.id == CONFIGS[name][0] for one in one.fields}
    assert fields == set(features)
