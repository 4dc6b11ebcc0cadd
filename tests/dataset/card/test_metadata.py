"""Cards: the metadata equals the files, and every number in the body can be counted again in the Parquet."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import Features
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard, DatasetCardData

from emohub.data.taxonomy import NAMES
from emohub.dataset import card as cards
from tests.dataset.card.inputs import body, infos, metadata, rows, shards

# What the Hub's dataset card knows (huggingface_hub's datasetcard_template.md and the Hub's list of licences).
LICENSES = {"cc-by-4.0", "other"}


SIZES = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M"]


TASKS = {"image-classification", "video-classification"}


CREATORS = {"crowdsourced", "found", "expert-generated", "machine-generated", "no-annotation", "other"}


def test_every_file_is_in_one_split_of_one_config(repo: Path) -> None:
    covered: Counter[Path] = Counter()
    for config in metadata(repo)["configs"]:
        splits = {entry["split"]: entry["path"] for entry in config["data_files"]}
        assert list(splits) == [split["name"] for split in infos(repo)[config["config_name"]]["splits"]]
        for split, pattern in splits.items():
            assert not pattern.startswith("/") and ".." not in pattern
            files = list(repo.glob(pattern))
            assert files and set(files) == set(shards(repo, config["config_name"])[split])
            covered.update(files)
    assert covered == Counter(repo.rglob("*.parquet"))


def test_shards_are_numbered_without_a_gap(repo: Path) -> None:
    for config in infos(repo):
        for split, paths in shards(repo, config).items():
            count = len(paths)
            assert [path.name for path in paths] == [f"{split}-{n:05d}-of-{count:05d}.parquet" for n in range(count)]


def test_one_config_is_the_default(repo: Path) -> None:
    (default,) = [config["config_name"] for config in metadata(repo)["configs"] if config.get("default")]
    assert default == {"emonet-face": "hq", "chehre": "videos"}[repo.name]
    assert f"`{default}` (default)" in body(repo) and body(repo).count("(default)") == 1


def test_features_are_those_of_the_files(repo: Path) -> None:
    for config, info in infos(repo).items():
        stated = Features._from_yaml_list(info["features"])
        for paths in shards(repo, config).values():
            for path in paths:
                schema = pq.read_schema(path)
                assert stated.arrow_schema.names == schema.names
                for name, kind in zip(schema.names, schema.types, strict=True):
                    assert stated.arrow_schema.field(name).type == kind, name
                assert stated == Features.from_arrow_schema(schema)


def test_class_labels_name_every_number_in_the_files(emonet: Path) -> None:
    features = {config: Features._from_yaml_list(info["features"]) for config, info in infos(emonet).items()}
    assert features["hq"]["top_emotion"].names == features["binary"]["target"].names == list(NAMES)
    assert features["binary"]["votes"].feature["emotion"].names == list(NAMES)
    for row in rows(emonet, "binary"):
        assert 0 <= row["target"] < 40 and 0 <= row["contrastive"] < 40 and 0 <= row["status"] < 5


def test_sizes_are_those_of_the_files(repo: Path) -> None:
    for config, info in infos(repo).items():
        files = shards(repo, config)
        assert [split["name"] for split in info["splits"]] == sorted(files, key=["train", "validation", "test"].index)
        for split in info["splits"]:
            assert split["num_examples"] == sum(pq.read_metadata(path).num_rows for path in files[split["name"]])
            in_memory = sum(pq.read_table(path).nbytes for path in files[split["name"]])
            assert split["num_bytes"] == pytest.approx(in_memory, rel=0.03)
        assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])
        assert info["download_size"] == sum(path.stat().st_size for paths in files.values() for path in paths)


def test_parquet_carries_the_schema_that_datasets_reads(repo: Path) -> None:
    for path in repo.rglob("*.parquet"):
        assert b"huggingface" in pq.read_schema(path).metadata
        groups = pq.read_metadata(path)
        assert max(groups.row_group(n).total_byte_size for n in range(groups.num_row_groups)) < 200 * 2**20


def test_metadata_is_what_the_hub_accepts(repo: Path) -> None:
    """As far as that can be known without asking its validate-yaml."""
    card = DatasetCard.load(repo / "README.md")
    stated = metadata(repo)
    assert card.data.to_dict() == stated
    assert yaml.safe_load(DatasetCardData(**stated).to_yaml()) == stated
    assert stated["license"] in LICENSES
    if stated["license"] == "other":
        assert re.fullmatch("[a-z0-9-]+", stated["license_name"])
    assert set(stated["task_categories"]) <= TASKS
    assert set(stated["annotations_creators"]) <= CREATORS
    assert set(stated["size_categories"]) <= set(SIZES) and len(stated["size_categories"]) == 1
    assert all(re.fullmatch("[a-z0-9-]+", tag) for tag in stated["tags"]) and stated["pretty_name"]
    assert list(stated["language"]) == ["en"]
    parsed = MetadataConfigs.from_dataset_card_data(card.data)
    assert parsed.get_default_config_name() == {"emonet-face": "hq", "chehre": "videos"}[repo.name]
    assert set(DatasetInfosDict.from_dataset_card_data(card.data)) == set(infos(repo)) == set(parsed)


def test_size_category_counts_every_item_once(repo: Path) -> None:
    """Not rows: the long tables of ratings have many for every item."""
    items = {row["item"] for config in infos(repo) for row in rows(repo, config) if "item" in row}
    edges = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
    assert metadata(repo)["size_categories"] == [SIZES[sum(len(items) >= edge for edge in edges)]]


@pytest.mark.parametrize(
    ("count", "size"),
    [(1, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (19_999, "10K<n<100K"), (203_201, SIZES[3]), (10**6, SIZES[4])],
)
def test_size_categories_at_their_edges(count: int, size: str) -> None:
    images, ratings = pd.DataFrame({"item": range(count)}), pd.DataFrame({"item": [0] * 3 * count})
    assert cards._size({"a": images, "a_ratings": ratings, "names": pd.DataFrame({"id": [1]})}) == size
