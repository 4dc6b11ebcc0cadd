"""Embedding bad input, models that cannot run, repos on the Hub, and the command."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.images import decode
from emohub.data.parquet import find_rows, read_rows
from emohub.data.shards import cut
from emohub.errors import EmohubError, MediaError, ModelError, SourceError, message_for
from emohub.model.infer import decode as decoding
from emohub.model.infer.decode import overlapped
from emohub.model.infer.embed import embed_dataset
from emohub.model.repo import open_repo
from tests import patience
from tests.hub_server import serve
from tests.inference_inputs import face, jpeg, write_repo
from tests.model.infer.embed.inputs import table


@pytest.fixture
def broken(tmp_path) -> Path:
    whole = jpeg(face(1))
    rows = [
        ("a", whole),
        ("cut", whole[:500]),
        ("none", None),
        ("b", jpeg(face(2))),
        ("html", b"<html>no"),
        ("c", whole),
    ]
    return write_repo(tmp_path / "broken", rows)


def test_a_broken_image_is_named(broken, model, tmp_path):
    with pytest.raises(MediaError, match="item 'cut' of the split 'train'(.|\n)*--skip-bad"):
        embed_dataset(broken, model, tmp_path / "out", batch_size=2)


@pytest.mark.filterwarnings("error")
def test_broken_images_are_left_out_and_listed(broken, model, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(MediaError):
        embed_dataset(broken, model, out, batch_size=1, shard_size=1)
    manifest = embed_dataset(broken, model, out, batch_size=1, shard_size=1, skip_bad=True)
    assert [one["item"] for one in manifest["left_out"]] == ["cut", "none", "html"]
    assert manifest["rows"] == {"train": 3} and table(out)["item"] == ["a", "b", "c"]


def test_all_bad(model, tmp_path):
    repo = write_repo(tmp_path / "repo", [("x", b"nothing"), ("y", b"")])
    assert embed_dataset(repo, model, tmp_path / "out", skip_bad=True)["rows"] == {"train": 0}


def test_rows_without_id(model, tmp_path):
    repo = write_repo(tmp_path / "repo", [(None, jpeg(face(1)))])
    with pytest.raises(SourceError, match="has no item"):
        embed_dataset(repo, model, tmp_path / "out")


def test_unsuitable_datasets(repo, model, tmp_path):
    with pytest.raises(SourceError, match="binary_ratings"):
        embed_dataset(repo, model, tmp_path / "out", config="nope")
    with pytest.raises(SourceError, match="--config with images"):
        embed_dataset(repo, model, tmp_path / "out", config="binary_ratings")
    with pytest.raises(SourceError, match="is not a folder"):
        embed_dataset(tmp_path / "nowhere", model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_numbers_and_names_out_of_range(repo, model, tmp_path):
    for wrong in ({"batch_size": 0}, {"shard_size": 0}, {"engine": "spark"}, {"backend": "tf"}, {"dtype": "float16"}):
        with pytest.raises(EmohubError, match=next(iter(wrong))):
            embed_dataset(repo, model, tmp_path / "out", config="binary", **wrong)


@pytest.fixture
def copied(model, tmp_path) -> Path:
    shutil.copytree(model, tmp_path / "copy")
    return tmp_path / "copy"


def test_code_of_others_does_not_run(copied, repo, tmp_path):
    code = copied / "modeling_empathic_insight_face.py"
    code.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{code.read_text()}")
    with pytest.raises(ModelError, match="--trust-remote-code"):
        embed_dataset(repo, copied, tmp_path / "out", config="binary", backend="torch")
    assert not (tmp_path / "ran").exists()
    embed_dataset(repo, copied, tmp_path / "out", config="binary", device="cpu")
    assert not (tmp_path / "ran").exists()


def test_code_from_elsewhere_does_not_run(copied):
    config = json.loads((copied / "config.json").read_text())
    config["auto_map"]["AutoModelForImageClassification"] = "someone/else--modeling.Model"
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="someone/else"):
        open_repo(copied)


@pytest.mark.parametrize(
    ("name", "content", "backend"),
    [
        ("model.safetensors", b"\x80\x04nonsense", "torch"),
        ("onnx/model.onnx", b"\x08\x07nonsense", "onnx"),
        ("config.json", b"{", "torch"),
        ("config.json", b"[]", "onnx"),
        ("preprocessor_config.json", b'{"size": {"height": 99999, "width": 99999}}', "onnx"),
        ("preprocessor_config.json", None, "torch"),
        ("onnx/model.onnx", None, "onnx"),
    ],
)
def test_broken_models(name, content, backend, copied, repo, tmp_path):
    if content is None:
        (copied / name).unlink()
    else:
        (copied / name).write_bytes(content)
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        embed_dataset(repo, copied, tmp_path / "out", config="binary", backend=backend)


def test_a_processor_with_code_does_not_run(copied, repo, tmp_path):
    path = copied / "preprocessor_config.json"
    config = json.loads(path.read_text()) | {
        "image_processor_type": "Evil",
        "auto_map": {"AutoImageProcessor": "evil.Evil"},
    }
    path.write_text(json.dumps(config))
    (copied / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError):
        embed_dataset(repo, copied, tmp_path / "out", config="binary")
    assert not (tmp_path / "ran").exists()


def test_exif_turns_the_image():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.linear_gradient("L").convert("RGB").crop((0, 0, 100, 60))
    data = jpeg(image, exif=exif)
    assert decode(data).size == (60, 100)


def test_at_most_ahead_plus_two_groups_are_alive():
    """However fast the reader is: memory is bounded by the queue, not by luck."""
    alive, most, lock = 0, 0, threading.Lock()

    def groups():
        nonlocal alive, most
        for group in range(30):
            with lock:
                alive += 1
                most = max(most, alive)
            yield [(group, group)]

    for batch in overlapped(groups(), lambda x: np.full(1, x), lambda n: np.empty((n, 1)), workers=2, ahead=2):
        time.sleep(0.005)
        assert batch.pixels[0, 0] == batch.keys[0]
        with lock:
            alive -= 1
    assert 3 <= most <= 4
    assert decoding.AHEAD == 2


def test_errors_of_the_reader_and_the_decoder_arrive():
    def groups():
        yield [(0, 0)]
        raise SourceError("the disk is gone")

    def load(_):
        raise ZeroDivisionError

    room = np.empty
    with pytest.raises(SourceError, match="disk"):
        list(overlapped(groups(), lambda _: np.zeros(1), lambda n: room((n, 1))))
    with pytest.raises(ZeroDivisionError):
        list(overlapped([[(0, 0)]], load, lambda n: room((n, 1))))


def test_threads_end_with_the_consumer():
    before = set(threading.enumerate())
    batches = overlapped(([(n, n)] for n in range(1000)), lambda _: np.zeros(1), lambda n: np.empty((n, 1)))
    next(batches)
    batches.close()
    assert set(threading.enumerate()) <= before


def test_shards_cover_every_row_once(tmp_path):
    repo = write_repo(tmp_path / "repo", [(str(row), b"x") for row in range(23)], group=4)
    images = find_rows(repo)
    for size in (1, 3, 4, 7, 100):
        shards = cut(images, size)
        assert [row for shard in shards for row, _ in read_rows(shard.pieces)] == [str(row) for row in range(23)]
        assert all(shard.rows <= size for shard in shards) and len({shard.name for shard in shards}) == len(shards)


FROM_HUB = """
import json, sys
from pathlib import Path
from emohub.errors import EmohubError
from emohub.model.infer.embed import embed_dataset
manifest = embed_dataset("org/faces", "org/model", Path(sys.argv[1]), batch_size=3, device="cpu")
try:
    embed_dataset("org/nothing", "org/model", Path(sys.argv[1]))
except EmohubError as error:
    print(json.dumps([manifest, str(error)]))
"""


def test_dataset_and_model_from_the_hub(model, tmp_path):
    rows = [(f"face-{number}", jpeg(face(number))) for number in range(5)]
    repo = write_repo(tmp_path / "faces", rows, group=2)
    embed_dataset(repo, model, tmp_path / "local", batch_size=3, backend="onnx")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    with serve({"org/faces": repo, "models/org/model": model}) as url:
        hub = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        command = [sys.executable, "-c", FROM_HUB, str(tmp_path / "out")]
        done = subprocess.run(command, env={**clean, **hub}, capture_output=True, text=True, timeout=patience.PROCESS)
    assert done.returncode == 0, done.stderr
    manifest, error = json.loads(done.stdout.splitlines()[-1])
    assert table(tmp_path / "out") == table(tmp_path / "local")
    assert manifest["dataset"]["source"] == "org/faces" and len(manifest["dataset"]["revision"]) == 40
    assert manifest["model"]["source"] == "org/model" and len(manifest["model"]["revision"]) == 40
    assert "org/nothing" in error
    fetched = {path.name for path in (tmp_path / "hf").rglob("*") if path.is_symlink() or path.is_file()}
    assert "model.onnx" in fetched and "model.safetensors" not in fetched and "model_int8.onnx" not in fetched


def test_command(repo, model, tmp_path):
    given = ["embed", str(repo), "--model", str(model), "--config", "binary", "--split", "validation"]
    done = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out"), "--backend", "onnx"])
    rows = json.loads((tmp_path / "out" / "manifest.json").read_text())["rows"]
    assert done.exit_code == 0 and done.stdout.splitlines() == [f"validation\t{rows['validation']}"]
    assert "image/s" in done.stderr or "s/image" in done.stderr
    failed = CliRunner().invoke(app, [*given, "--out", str(repo)])
    assert "not made by `emohub embed`" in message_for(failed.exception)
