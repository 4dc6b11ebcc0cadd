"""Ray gives the same rows as one process, and keeps to this machine where nobody asked for a cluster."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from emohub.errors import EmohubError, ModelError
from emohub.model.infer import raytask
from emohub.model.infer.embed import embed_dataset
from emohub.model.repo import open_repo
from tests.inference_inputs import face, jpeg, write_repo

ROWS = [(f"face-{number}", jpeg(face(number))) for number in range(10)]

# A process of its own: Ray reads where it may listen when it is imported.
RUN = """
import sys
from pathlib import Path
import psutil
from emohub.model.infer import raytask
from emohub.model.infer.embed import embed_dataset
dataset, model, out = sys.argv[1:]
with raytask.connected(None):
    manifest = embed_dataset(
        dataset, model, Path(out), engine="ray", actors=2, batch_size=2, shard_size=6, skip_bad=True
    )
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        for socket in process.net_connections("inet"):
            if socket.status == psutil.CONN_LISTEN:
                print("listens", socket.laddr.ip)
print("processes", manifest["run"]["processes"])
"""


def test_same_rows_from_two_processes_on_localhost(converted, tmp_path):
    pytest.importorskip("ray", reason='Ray is not installed: pip install "emohub[ray]"')
    rows = [*ROWS[:4], ("broken", b"no image"), *ROWS[4:]]
    repo, model = write_repo(tmp_path / "repo", rows), converted[0]
    embed_dataset(repo, model, tmp_path / "local", batch_size=2, shard_size=6, skip_bad=True)
    command = [sys.executable, "-c", RUN, str(repo), str(model), str(tmp_path / "ray")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line.split() for line in done.stdout.splitlines()]
    processes = next(int(number) for what, number in said if what == "processes")
    assert processes >= 2, "decoding and the tower are in processes of their own"
    listens = {address.removeprefix("::ffff:") for what, address in said if what == "listens"}
    assert listens == {"127.0.0.1"}
    local, spread = (
        [pq.read_table(path) for path in sorted((tmp_path / name).glob("*.parquet"))] for name in ("local", "ray")
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
    from emohub.model.infer.shards import Shard

    shard = Shard("train-00000-of-00001.parquet", "train", 7, (Piece("a", 0, 2, 6), Piece("a", 1, 0, 3)))
    units = raytask._units(shard, 3)
    assert [unit["start"] for unit in units] == [0, 3, 6]
    assert [unit["pieces"] for unit in units] == [
        [["a", "0", "2", "5"]],
        [["a", "0", "5", "6"], ["a", "1", "0", "2"]],
        [["a", "1", "2", "3"]],
    ]
