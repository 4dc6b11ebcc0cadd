"""What reads the folder of a dataset repo."""

from pathlib import Path

import datasets

from emohub.dataset.repo import features_of, read_config


def test_read_config_names_classes_and_splits_and_leaves_media_out(tmp_path: Path) -> None:
    kinds = {
        "image": datasets.Image(),
        "item": datasets.Value("string"),
        "target": datasets.ClassLabel(names=["a", "b"]),
        "labels": datasets.List(datasets.Value("int8"), length=2),
    }
    for split, shard, rows in (("train", 0, [0, 1]), ("train", 1, [None]), ("test", 0, [1])):
        table = {
            "image": [{"bytes": b"x" * 9, "path": "x.jpg"} for _ in rows],
            "item": [f"{split}{shard}{n}" for n in range(len(rows))],
            "target": rows,
            "labels": [[1, None] for _ in rows],
        }
        made = datasets.Dataset.from_dict(table, datasets.Features(kinds))
        made.to_parquet(tmp_path / f"{split}-{shard:05d}-of-00002.parquet")
    found = read_config(tmp_path)
    assert list(found.columns) == ["item", "target", "labels", "split"]
    assert found["split"].to_list() == ["test", "train", "train", "train"]
    assert found["target"].fillna("none").to_list() == ["b", "a", "b", "none"]
    assert list(features_of(tmp_path)) == list(kinds)


def test_names_of_a_long_table_are_categories_over_all_of_its_files(tmp_path: Path) -> None:
    kinds = datasets.Features({"item": datasets.Value("string"), "rating": datasets.Value("float64")})
    for split, rows in (("train", ["b", "a", "b"]), ("test", ["c", "b"])):
        made = datasets.Dataset.from_dict({"item": rows, "rating": [*range(len(rows))]}, kinds)
        made.to_parquet(tmp_path / f"{split}-00000-of-00001.parquet")
    found = read_config(tmp_path)
    assert found["item"].to_list() == ["c", "b", "b", "a", "b"]
    assert {str(found[name].dtype) for name in ("item", "split")} == {"category"}
    assert sorted(found["item"].cat.categories) == ["a", "b", "c"]
