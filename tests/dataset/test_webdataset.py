"""Tars to train from, read back by webdataset and by datasets."""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import webdataset
from datasets import load_dataset
from typer.testing import CliRunner

from emohub.cli import app
from emohub.dataset import webdataset as module
from emohub.dataset.repo import read_config
from emohub.dataset.webdataset import export_webdataset
from emohub.errors import EmohubError, SourceError

BIG: dict[str, Any] = {"config": "big", "splits": ("train",)}


@pytest.fixture(scope="module")
def faces(release: Path) -> Path:
    return release / "emonet-face"


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(file) for file in sorted(folder.glob("train-*.parquet"))], ignore_index=True)


def tars(out: Path) -> list[str]:
    return sorted(map(str, out.glob("*.tar")))


def test_every_row_comes_back_by_both_readers(faces: Path, tmp_path: Path) -> None:
    made = export_webdataset(faces, tmp_path / "out", **BIG, shard_size=7)
    rows = rows_of(faces / "big")
    assert made["samples"] == len(rows) == sum(made["shards"].values()) and len(made["shards"]) == -(-len(rows) // 7)
    files = tars(tmp_path / "out")
    theirs = list(webdataset.WebDataset(files, shardshuffle=False))
    loaded = load_dataset("webdataset", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert len(theirs) == len(loaded) == len(rows) and len({one["__key__"] for one in theirs}) == len(rows)
    for row, one, other in zip(rows.to_dict("records"), theirs, loaded, strict=True):
        about = json.loads(one["json"])
        assert one["jpg"] == row["image"]["bytes"] and about["item"] == other["json"]["item"] == row["item"]
        assert about["intensities"] == pytest.approx(row["intensities"]) and about["prompt"] == row["prompt"]
        assert set(about) == set(rows.columns) - {"image"} and other["jpg"].size


def test_classes_have_their_names_and_videos_their_bytes(release: Path, tmp_path: Path) -> None:
    export_webdataset(release / "chehre", tmp_path / "out")
    samples = list(webdataset.WebDataset(tars(tmp_path / "out"), shardshuffle=False))
    found = {json.loads(one["json"])["item"]: (json.loads(one["json"])["emoji"], one["mp4"]) for one in samples}
    table = read_config(release / "chehre" / "videos").set_index("item")
    assert found.keys() == set(table.index)
    for item, (emoji, data) in found.items():
        assert emoji == table.loc[item, "emoji"] and data[4:8] == b"ftyp"


def test_the_same_rows_give_the_same_bytes_and_a_stopped_run_goes_on(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_webdataset(faces, tmp_path / "quiet", **BIG, shard_size=7)
    right, written = module.suffix_of, []

    def stops(data: bytes, item: str) -> str:
        written.append(item)
        if len(written) == 10:
            raise KeyboardInterrupt
        return right(data, item)

    monkeypatch.setattr(module, "suffix_of", stops)
    with pytest.raises(KeyboardInterrupt):
        export_webdataset(faces, tmp_path / "out", **BIG, shard_size=7)
    assert len(tars(tmp_path / "out")) == 1 and not (tmp_path / "out" / "manifest.json").exists()
    export_webdataset(faces, tmp_path / "out", **BIG, shard_size=7)
    assert len(written) == 10 + len(rows_of(faces / "big")) - 7  # the first file was not written again
    for one in tars(tmp_path / "quiet"):
        assert Path(one).read_bytes() == (tmp_path / "out" / Path(one).name).read_bytes()


def test_the_command_and_what_it_refuses(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["export", "webdataset", str(faces), "--config", "big", "--split", "validation", "--out"]
    done = CliRunner().invoke(app, [*command, str(tmp_path / "out")])
    assert done.exit_code == 0 and "validation-00000-of-00001.tar" in done.stdout
    with pytest.raises(EmohubError, match="holds a run of `emohub export webdataset` with other settings"):
        export_webdataset(faces, tmp_path / "out", **BIG)
    with pytest.raises(SourceError, match="Choose a --config with images"):
        export_webdataset(faces, tmp_path / "x", config="binary_ratings")
    with pytest.raises(EmohubError, match="shard_size is 0"):
        export_webdataset(faces, tmp_path / "x", shard_size=0)
    monkeypatch.setitem(sys.modules, "webdataset", None)
    with pytest.raises(EmohubError, match=r"pip install \"emohub\[webdataset\]\""):
        export_webdataset(faces, tmp_path / "x")
    assert not (tmp_path / "x").exists()
