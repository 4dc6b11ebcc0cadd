"""Ray gives the same rows as one process, and keeps to this machine where nobody asked for a cluster."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from emohub.errors import EmohubError, ModelError
from emohub.model.infer import raytask
from emohub.model.infer.embed import embed_dataset
from emohub.model.repo import open_repo
from tests.inference_inputs import write_repo
from tests.on_ray import EMBED, ROWS


def test_same_rows_from_two_processes_on_localhost(on_ray: Path, demo_release: Path, tmp_path: Path) -> None:
    embed_dataset(on_ray / "faces", demo_release / "models/empathic-insight-face-small", tmp_path / "local", **EMBED)
    seen = json.loads((on_ray / "seen.json").read_text())
    assert seen["processes"] >= 2, "decoding and the tower are in processes of their own"
    assert seen["listens"] == ["127.0.0.1"]
    local, spread = (
        [pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]
        for folder in (tmp_path / "local", on_ray / "embed")
    )
    assert len(local) == len(spread) == 2
    for wanted, found in zip(local, spread, strict=True):
        assert found["item"].equals(wanted["item"]) and found.schema.equals(wanted.schema, check_metadata=True)
        for column in ("embedding", "scores", "dimensions"):
            np.testing.assert_allclose(found[column].to_pylist(), wanted[column].to_pylist(), atol=1e-5)


def test_without_ray_the_error_says_what_to_install(converted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    repo = write_repo(tmp_path / "repo", ROWS[:1])
    with pytest.raises(EmohubError, match=r'pip install "emohub\[ray\]"'):
        embed_dataset(repo, converted[0], tmp_path / "out", engine="ray")


def test_no_cluster_is_said_at_once(converted, tmp_path):
    pytest.importorskip("ray", reason='Ray is not installed: pip install "emohub[ray]"')
    repo = write_repo(tmp_path / "repo", ROWS[:1])
    with pytest.raises(EmohubError, match="'127.0.0.1:1'.*ray start --head"):
        embed_dataset(repo, converted[0], tmp_path / "out", engine="ray", address="127.0.0.1:1")


def test_a_model_that_another_machine_lacks(converted, tmp_path, monkeypatch):
    repo = replace(open_repo(converted[0]), folder=tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="same path, or on the Hub"):
        raytask._at_hand(repo)
    asked = {}
    here = replace(repo, files=(("config.json", b"swapped since"),))
    monkeypatch.setattr(raytask, "open_repo", lambda source, **given: asked.update(given, source=source) or here)
    found = raytask._at_hand(replace(repo, source="org/model", revision="abc"))
    assert asked["source"] == "org/model" and asked["revision"] == "abc" and found.files == repo.files


def test_units_are_the_local_batches():
    from emohub.data.parquet import Piece
    from emohub.data.shards import Shard

    shard = Shard("train-00000-of-00001.parquet", "train", 7, (Piece("a", 0, 2, 6), Piece("a", 1, 0, 3)))
    units = raytask._units(shard, 3)
    assert [unit["start"] for unit in units] == [0, 3, 6]
    assert [unit["pieces"] for unit in units] == [
        [["a", "0", "2", "5"]],
        [["a", "0", "5", "6"], ["a", "1", "0", "2"]],
        [["a", "1", "2", "3"]],
    ]
