"""Embeddings and labels: joined on the item, whatever the order and the shards; what is wrong is said."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emohub.data.taxonomy import NAMES
from emohub.errors import SourceError
from emohub.model.train.data import read_embeddings, read_manifests, read_training_data

WIDTH = 6


def write_embeddings(folder, items, matrix, kind=None, column="embedding"):
    folder.mkdir(parents=True, exist_ok=True)
    kind = kind or pa.list_(pa.float32())
    table = {"item": list(items), "split": ["train"] * len(items), column: pa.array(matrix.tolist(), kind)}
    half = (len(items) + 1) // 2
    for number, part in enumerate((pa.table(table).slice(0, half), pa.table(table).slice(half))):
        pq.write_table(part, folder / f"shard-{number}.parquet")


def write_labels(repo, config, split, items, values, kind=None):
    (repo / config).mkdir(parents=True, exist_ok=True)
    column = {"big": "intensities", "binary": "labels"}[config]
    kind = kind or pa.list_(pa.float32() if config == "big" else pa.int8())
    rows = {"image": [b"never read"] * len(items), "item": list(items), column: pa.array(values, kind)}
    pq.write_table(pa.table(rows), repo / config / f"{split}-00000-of-00001.parquet")


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    items = [f"i{n}" for n in range(20)]
    matrix = rng.normal(size=(20, WIDTH)).astype(np.float32)
    ratings = rng.integers(0, 8, (20, len(NAMES))).astype(float)
    repo = tmp_path / "emonet-face"
    write_labels(repo, "big", "train", items[:14], ratings[:14].tolist())
    write_labels(repo, "big", "validation", items[14:], ratings[14:].tolist())
    votes = [[1, 0, *[None] * 38]] * 5
    write_labels(repo, "binary", "train", items[3:8], votes, pa.list_(pa.int8(), 40))
    order = rng.permutation(20)
    write_embeddings(tmp_path / "embeddings", [items[i] for i in order], matrix[order])
    return tmp_path, items, matrix, ratings


def test_join(data):
    folder, items, matrix, ratings = data
    read = read_training_data([folder / "embeddings"], str(folder / "emonet-face"), ["big", "binary"])
    assert read.items == items
    assert np.array_equal(read.embeddings, matrix) and read.embeddings.dtype == np.float32
    assert np.array_equal(read.labels["big", "train"][:14], ratings[:14])
    assert np.isnan(read.labels["big", "train"][14:]).all(), "the validation split must not reach the training"
    assert np.array_equal(read.labels["big", "validation"][14:], ratings[14:])
    votes = read.labels["binary", "train"]
    assert votes[3, :2].tolist() == [1, 0] and np.isnan(votes[3, 2:]).all() and np.isnan(votes[2]).all()
    assert np.isnan(read.labels["binary", "validation"]).all()
    assert read.sources["dataset"]["rows"]["big/train"] == 14
    assert str(folder) not in json.dumps(read.sources), "a local path must not be published"


def test_digests_follow_content(data):
    folder, items, matrix, _ = data

    def sources():
        return read_training_data([folder / "embeddings"], str(folder / "emonet-face"), ["big"]).sources

    before = sources()
    write_embeddings(folder / "embeddings", items, matrix)
    assert sources() == before, "the order of the shards is not content"
    matrix[0, 0] += 1e-6
    write_embeddings(folder / "embeddings", items, matrix)
    assert sources()["embeddings"]["sha256"] != before["embeddings"]["sha256"]
    assert sources()["dataset"] == before["dataset"]


@pytest.mark.parametrize("kind", [pa.list_(pa.float16()), pa.list_(pa.float64()), pa.list_(pa.float32(), WIDTH)])
def test_kinds_of_lists(tmp_path, kind):
    matrix = np.arange(24, dtype=np.float32).reshape(4, WIDTH)
    write_embeddings(tmp_path, "abcd", matrix, kind)
    assert np.array_equal(read_embeddings([tmp_path], ["d", "a"]), matrix[[3, 0]])
    assert np.array_equal(read_embeddings([tmp_path]), matrix)


def test_repeated_items_are_taken_once(tmp_path):
    write_embeddings(tmp_path / "one", "abca", np.arange(8.0).reshape(4, 2))
    write_embeddings(tmp_path / "two", "cd", np.full((2, 2), 9.0))
    found = read_embeddings([tmp_path / "one", tmp_path / "two"])
    assert found.tolist() == [[0, 1], [2, 3], [4, 5], [9, 9]]


def test_manifests(data):
    folder, items, matrix, _ = data
    assert read_manifests([folder / "embeddings"]) == ({}, set())
    write_embeddings(folder / "embeddings", items[1:], matrix[1:])
    model = {"source": "ORG/NAME", "revision": "abc", "sha256": {}}
    left_out = [{"split": "train", "item": items[0], "why": "truncated"}]
    (folder / "embeddings" / "manifest.json").write_text(json.dumps({"model": model, "left_out": left_out}))
    assert read_manifests([folder / "embeddings"]) == (model, {items[0]})
    read = read_training_data([folder / "embeddings"], str(folder / "emonet-face"), ["big"])
    assert read.items == items[1:] and np.array_equal(read.embeddings, matrix[1:])
    assert read.sources["embeddings"]["left_out"] == 1


def test_embeddings_of_two_models_or_unfinished(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"model": {"source": f"ORG/{name}"}}))
    with pytest.raises(SourceError, match=r"different models: \['ORG/one', 'ORG/two'\]"):
        read_manifests([tmp_path / "one", tmp_path / "two"])
    (tmp_path / "one" / ".started.json").write_text("{}")
    with pytest.raises(SourceError, match="one is not finished. Run the same `emohub embed` again"):
        read_manifests([tmp_path / "one"])


def spoil_missing(folder, items, matrix):
    write_embeddings(folder / "embeddings", items[:-2], matrix[:-2])
    return "2 of 20 images have no embedding.*i18"


def spoil_nan(folder, items, matrix):
    matrix[5, 2] = np.nan
    write_embeddings(folder / "embeddings", items, matrix)
    return "1 embeddings .* are not finite.*i5"


def spoil_column(folder, items, matrix):
    write_embeddings(folder / "embeddings", items, matrix, column="vector")
    return r"lacks the columns \['embedding'\]; found \['item', 'split', 'vector'\]"


def spoil_type(folder, items, matrix):
    pq.write_table(pa.table({"item": items, "embedding": ["x"] * 20}), folder / "embeddings" / "shard-0.parquet")
    return "embedding is string; must be a list of numbers"


def spoil_length(folder, items, matrix):
    write_embeddings(folder / "embeddings" / "more", ["new", *items], np.zeros((21, 3)))
    return "embeddings of 6 numbers, elsewhere 3"


def spoil_shard(folder, items, matrix):
    path = folder / "embeddings" / "shard-1.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    return "is not a complete Parquet file"


def spoil_no_shards(folder, items, matrix):
    for path in (folder / "embeddings").iterdir():
        path.rename(path.with_suffix(".csv"))
    return r"holds no \*.parquet; found \['shard-0.csv'"


def spoil_range(folder, items, matrix):
    write_labels(folder / "emonet-face", "big", "train", items[:2], [[0.0] * 39 + [8.0]] * 2)
    return "2 labels outside 0–7, for example 8.0"


def spoil_labels(folder, items, matrix):
    write_labels(folder / "emonet-face", "big", "train", items[:2], [[0.0] * 39] * 2)
    return "39 labels a row, must be 40"


def spoil_config(folder, items, matrix):
    for path in (folder / "emonet-face" / "big").iterdir():
        path.unlink()
    return r"has no rows in big/train-\*.parquet; found \['big', 'binary'\]"


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_missing,
        spoil_nan,
        spoil_column,
        spoil_type,
        spoil_length,
        spoil_shard,
        spoil_no_shards,
        spoil_range,
        spoil_labels,
        spoil_config,
    ],
)
def test_what_is_wrong_is_said(data, spoil):
    folder, items, matrix, _ = data
    message = spoil(folder, items, matrix)
    with pytest.raises(SourceError, match=f"(?s){message}"):
        read_training_data([folder / "embeddings"], str(folder / "emonet-face"), ["big"])
