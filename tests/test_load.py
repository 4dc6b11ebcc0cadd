"""The three-line promise: every config of every repo loads by its name, in a fresh process, without a network."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from emohub.data.taxonomy import NAMES
from tests import fresh
from tests.hub_server import serve

CONFIGS = {
    "emonet-face": ("hq", "binary", "big", "hq_ratings", "binary_ratings", "emotions"),
    "chehre": ("videos", "label_ratings", "rankings", "emoji_ratings"),
}

LOAD = """
import hashlib, json
from datasets import Image, Video, get_dataset_config_names, load_dataset

def plain(value):
    if isinstance(value, bytes): return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value

result = {"names": get_dataset_config_names(NAME), "configs": {}}
for config in [None, *CONFIGS]:
    splits = load_dataset(NAME, *[config] * (config is not None), streaming=STREAMING)
    found = {"config": next(iter(splits.values())).config_name, "rows": {}, "features": {}, "kinds": []}
    for split, rows in splits.items():
        found["kinds"].append(type(rows).__name__)
        for name, feature in rows.features.items():
            found["features"][name] = str(feature)
            if isinstance(feature, (Image, Video)):
                rows = rows.cast_column(name, type(feature)(decode=False))
        digest = hashlib.sha256()
        count = 0
        for row in rows:
            digest.update(json.dumps(plain(row), sort_keys=True).encode())
            count += 1
        found["rows"][split] = [count, digest.hexdigest()]
    result["configs"][config or "default"] = found
"""


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def on_disk(folder: Path) -> dict[str, list[Any]]:
    """Split → number of rows and their digest, from the Parquet files with pyarrow alone."""
    found: dict[str, list[Any]] = {}
    shards: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.parquet")):
        shards.setdefault(path.name.split("-")[0], []).append(path)
    for split, paths in shards.items():
        digest, count = hashlib.sha256(), 0
        for path in paths:
            for row in pq.read_table(path).to_pylist():
                digest.update(json.dumps(plain(row), sort_keys=True).encode())
                count += 1
        found[split] = [count, digest.hexdigest()]
    return found


@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_loads_by_name_from_the_folder_above(
    name: str, streaming: bool, release: Path, tmp_path: Path
) -> None:
    code = f"NAME, CONFIGS, STREAMING = {name!r}, {CONFIGS[name]!r}, {streaming}\n{LOAD}"
    result = fresh.python(code, cwd=release, home=tmp_path / "home", **fresh.OFFLINE)
    assert sorted(result["names"]) == sorted(CONFIGS[name])
    default = CONFIGS[name][0]
    assert result["configs"]["default"] == result["configs"][default]
    for config in CONFIGS[name]:
        found = result["configs"][config]
        assert found["config"] == config
        assert found["rows"] == on_disk(release / name / config)
        assert list(found["features"]) == pq.read_schema(next((release / name / config).glob("*.parquet"))).names
        assert set(found["kinds"]) == {"IterableDataset" if streaming else "Dataset"}
    assert bool(list(tmp_path.rglob("*.arrow"))) is not streaming


def test_every_split_of_the_table_is_there(release: Path) -> None:
    splits = {
        (name, config): {path.name.split("-")[0] for path in (release / name / config).glob("*.parquet")}
        for name, configs in CONFIGS.items()
        for config in configs
    }
    training = {"train", "validation"}
    assert {key: found for key, found in splits.items() if key[0] == "emonet-face"} == {
        ("emonet-face", "hq"): {"test"},
        ("emonet-face", "hq_ratings"): {"test"},
        ("emonet-face", "binary"): training,
        ("emonet-face", "binary_ratings"): training,
        ("emonet-face", "big"): training,
        ("emonet-face", "emotions"): {"train"},
    }
    assert all("train" in splits["chehre", config] for config in CONFIGS["chehre"])


def test_images_decode_and_labels_have_names(release: Path, tmp_path: Path) -> None:
    """What a user prints first."""
    code = """
from datasets import load_dataset
hq = load_dataset("emonet-face", "hq", split="test")
row = hq[0]
binary = load_dataset("emonet-face", "binary", split="train", streaming=True)
shown = [(row["image"].mode, binary.features["target"].int2str(row["target"]), len(row["labels"])) for row in binary]
result = [row["image"].format, row["image"].size, len(row["ratings"]), len(row["mean_intensity"]),
          [hq.features["top_emotion"].int2str(n) for n in hq["top_emotion"] if n is not None], shown]"""
    result = fresh.python(code, cwd=release, home=tmp_path, **fresh.OFFLINE)
    row = pq.read_table(next((release / "emonet-face" / "hq").glob("*.parquet"))).slice(0, 1).to_pylist()[0]
    assert (result[0], min(result[1]) > 50, result[2:4]) == ("JPEG", True, [len(row["ratings"]), 40])
    assert result[4] and set(result[4]) <= set(NAMES)
    assert {mode for mode, _, _ in result[5]} == {"RGB"} and {count for *_, count in result[5]} == {40}
    assert {name for _, name, _ in result[5]} <= set(NAMES)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_code_in_the_card_runs(name: str, release: Path, tmp_path: Path) -> None:
    card = (release / name / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert f'load_dataset("demo-org/{name}", "{CONFIGS[name][0]}"' in blocks[0]
    offline = [block for block in blocks if "hf://" not in block]  # those run in tests/dataset/card, on the files
    assert 0 < len(offline) < len(blocks)
    code = "\n".join(offline).replace("demo-org/", "")
    result = fresh.python(f"{code}\nresult = sorted(globals())", cwd=release, home=tmp_path, **fresh.OFFLINE)
    assert "load_dataset" in result


def test_a_repo_on_the_hub_loads_by_id(release: Path, tmp_path: Path) -> None:
    """The folder as it is, served by a Hub to the real client."""
    code = """
from datasets import load_dataset
result = {}
for config in ("hq_ratings", "binary"):
    for streaming in (False, True):
        splits = load_dataset("org/emonet-face", config, streaming=streaming)
        result[f"{config} {streaming}"] = {split: sum(1 for _ in rows) for split, rows in splits.items()}"""
    with serve({"org/emonet-face": release / "emonet-face"}) as endpoint:
        result = fresh.python(code, cwd=tmp_path, home=tmp_path / "home", HF_ENDPOINT=endpoint)
    for config in ("hq_ratings", "binary"):
        rows = {split: count for split, (count, _) in on_disk(release / "emonet-face" / config).items()}
        assert result[f"{config} False"] == result[f"{config} True"] == rows
