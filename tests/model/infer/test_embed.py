"""Embeddings equal what the pipeline and the model say; runs resume, refuse and stay bounded."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import load_dataset
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.images import decode
from emohub.data.runs import run_folder
from emohub.errors import BuildError, EmohubError, MediaError, ModelError, SourceError, message_for
from emohub.model.infer import decode as decoding
from emohub.model.infer import store
from emohub.model.infer.decode import overlapped
from emohub.model.infer.embed import embed_dataset
from emohub.model.infer.shards import cut, find_images, read_rows
from emohub.model.repo import open_repo
from tests.hub_server import serve
from tests.inference_inputs import build_faces, face, jpeg, write_repo

ROWS = 22


@pytest.fixture(scope="session")
def repo(tmp_path_factory) -> Path:
    return build_faces(tmp_path_factory.mktemp("faces"), ROWS)


@pytest.fixture(scope="session")
def model(converted) -> Path:
    return converted[0]


@pytest.fixture(scope="session")
def embedded(repo, model, tmp_path_factory):
    """One run with shards and batches that do not divide the rows: the folder and its manifest."""
    out = tmp_path_factory.mktemp("embedded") / "out"
    return out, embed_dataset(repo, model, out, config="binary", batch_size=3, shard_size=8)


def table(out: Path):
    parts = [pq.read_table(path) for path in sorted(out.glob("*.parquet"))]
    rows = {name: [row for part in parts for row in part[name].to_pylist()] for name in parts[0].column_names}
    return rows


def images_of(repo: Path) -> dict[str, Image.Image]:
    rows = {item: data for split in cut(find_images(repo, "binary"), 100) for item, data in read_rows(split.pieces)}
    return {item: decode(data) for item, data in rows.items()}


def test_rows_are_the_dataset_in_order(embedded, repo):
    found = table(embedded[0])
    wanted = [row["item"] for split in ("train", "validation") for row in load_dataset(str(repo), "binary")[split]]
    assert found["item"] == wanted and len(wanted) == ROWS
    assert set(found) == {"item", "split", "embedding", "scores", "dimensions"}
    assert {len(row) for row in found["scores"]} == {40} and {len(row) for row in found["embedding"]} == {32}


def test_scores_are_the_pipelines(embedded, repo, model):
    found = table(embedded[0])
    classify = pipeline("image-classification", model=str(model), trust_remote_code=True, top_k=40, device="cpu")
    labels = embedded[1]["labels"]
    images = images_of(repo)
    for item, scores in list(zip(found["item"], found["scores"], strict=True))[:5]:
        wanted = {one["label"]: one["score"] for one in classify(images[item])}
        assert scores == pytest.approx([wanted[label] for label in labels], abs=1e-5)


def test_embeddings_and_dimensions_are_the_models(embedded, repo, model):
    found = table(embedded[0])
    loaded = AutoModelForImageClassification.from_pretrained(model, trust_remote_code=True).eval()
    images = images_of(repo)
    pixels = AutoImageProcessor.from_pretrained(model)(
        images=[images[item] for item in found["item"]], return_tensors="pt"
    )
    with torch.no_grad():
        wanted = loaded(**pixels)
    np.testing.assert_allclose(found["embedding"], wanted.image_embeds, atol=1e-5)
    np.testing.assert_allclose(found["dimensions"], wanted.dimensions, atol=1e-5)


def test_manifest(embedded, repo, model):
    out, manifest = embedded
    assert json.loads((out / "manifest.json").read_text()) == manifest
    assert manifest["rows"] == manifest["dataset"]["splits"] and sum(manifest["rows"].values()) == ROWS
    assert manifest["dataset"]["config"] == "binary" and manifest["left_out"] == []
    assert set(manifest["model"]["sha256"]) >= {"config.json", "onnx/model.onnx", "preprocessor_config.json"}
    assert {path.name for path in out.iterdir()} == {"manifest.json", *manifest["shards"]}
    assert str(repo.parent) not in json.dumps(manifest) and str(model.parent) not in json.dumps(manifest)


def test_datasets_reads_the_folder(embedded, tmp_path):
    found = load_dataset(str(embedded[0]), cache_dir=str(tmp_path))
    assert found.num_rows == embedded[1]["rows"]
    assert found["train"].features["embedding"].length == 32


def test_onnx_equals_torch(embedded, repo, model, tmp_path):
    assert embedded[1]["backend"] == "onnx"
    embed_dataset(repo, model, tmp_path / "torch", config="binary", backend="torch", batch_size=4)
    wanted, found = table(tmp_path / "torch"), table(embedded[0])
    assert found["item"] == wanted["item"]
    for column in ("embedding", "scores", "dimensions"):
        np.testing.assert_allclose(found[column], wanted[column], atol=1e-4)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_bfloat16_is_lossless_and_small(backend, embedded, repo, model, tmp_path):
    out = tmp_path / "out"
    embed_dataset(repo, model, out, config="binary", backend=backend, dtype="bfloat16")
    found = torch.tensor(table(out)["embedding"])
    assert torch.equal(found, found.bfloat16().float())
    assert (found - torch.tensor(table(embedded[0])["embedding"])).abs().max() < 0.05
    column = pq.read_metadata(next(out.glob("train*"))).row_group(0).column(2)
    assert "BYTE_STREAM_SPLIT" in column.encodings
    if backend == "torch":
        assert "model.bf16.safetensors" in json.loads((out / "manifest.json").read_text())["model"]["sha256"]


def test_bfloat16_takes_half_the_room(model, tmp_path):
    """At the real width: the empty half of the numbers costs nothing."""
    from dataclasses import replace

    from emohub.model.infer.backends import Scored
    from emohub.model.infer.engine import Part
    from emohub.model.infer.shards import Shard

    repo = replace(open_repo(model), width=1152, dimensions=())
    embeds = torch.randn(100, 1152, generator=torch.Generator().manual_seed(0))
    sizes = []
    for number, values in enumerate((embeds, embeds.bfloat16().float())):
        scored = Scored(values.numpy(), np.zeros((100, 40), "float32"), np.zeros((100, 0), "float32"))
        part = Part("x", list(range(100)), [str(row) for row in range(100)], scored, [], frozenset())
        store.write_shard(tmp_path, Shard(f"{number}.parquet", "train", 100, ()), [part], repo)
        sizes.append((tmp_path / f"{number}.parquet").stat().st_size)
    assert sizes[1] < 0.5 * sizes[0]


def test_splits(repo, model, tmp_path):
    manifest = embed_dataset(repo, model, tmp_path / "out", config="binary", splits=["train"])
    assert set(manifest["rows"]) == {"train"}
    with pytest.raises(SourceError, match="no splits .*valid: train, validation"):
        embed_dataset(repo, model, tmp_path / "other", config="binary", splits=["test"])


# ---- resuming

RUN = """
import sys, time
from pathlib import Path
from emohub.model.infer import store
from emohub.model.infer.embed import embed_dataset
write = store.write_shard
def slow(out, shard, *rest):
    write(out, shard, *rest)
    print(shard.name, flush=True)
    if len(list(out.glob("*.parquet"))) == 2:
        (out / ".half.parquet.writing").write_bytes(b"half a shard")
        time.sleep(60)
store.write_shard = slow
embed_dataset(sys.argv[1], sys.argv[2], Path(sys.argv[3]), config="binary", batch_size=3, shard_size=8)
"""


def test_goes_on_after_kill_9(embedded, repo, model, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(repo), str(model), str(out)], stdout=subprocess.PIPE, text=True
    )
    done = [process.stdout.readline().strip() for _ in range(2)]
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (out / "manifest.json").exists()
    before = {name: (out / name).stat().st_mtime_ns for name in done}
    manifest = embed_dataset(repo, model, out, config="binary", batch_size=3, shard_size=8)
    assert manifest["run"]["images"] == ROWS - sum(manifest["shards"][name] for name in done)
    assert {name: (out / name).stat().st_mtime_ns for name in done} == before
    for path in embedded[0].glob("*.parquet"):
        assert pq.read_table(out / path.name).equals(pq.read_table(path)), path.name
    assert {path.name for path in out.iterdir()} == {path.name for path in embedded[0].iterdir()}


def test_a_finished_run_is_not_done_again(embedded, repo, model, monkeypatch):
    monkeypatch.setattr("emohub.model.infer.engine.load_backend", None)
    assert embed_dataset(repo, model, embedded[0], config="binary", batch_size=5, shard_size=8) == embedded[1]


def test_a_lost_shard_is_done_again(embedded, repo, model, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(embedded[0], out)
    name = next(iter(embedded[1]["shards"]))
    (out / name).unlink()
    manifest = embed_dataset(repo, model, out, config="binary", batch_size=3, shard_size=8)
    assert manifest["run"]["images"] == 8
    assert pq.read_table(out / name).equals(pq.read_table(embedded[0] / name))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dtype": "bfloat16"}, "dtype: was float32, is bfloat16"),
        ({"backend": "torch"}, "backend: was onnx, is torch"),
        ({"shard_size": 9}, "shards"),
        ({"splits": ["train"]}, "dataset.splits.validation"),
    ],
)
def test_refuses_to_go_on_with_other_settings(changed, said, embedded, repo, model):
    given = {"config": "binary", "batch_size": 3, "shard_size": 8, **changed}
    with pytest.raises(BuildError, match="`emohub embed` with other settings") as error:
        embed_dataset(repo, model, embedded[0], **given)
    assert said in str(error.value)


def test_refuses_other_images_and_another_model(embedded, repo, model, tmp_path):
    other = build_faces(tmp_path, ROWS - 1)
    with pytest.raises(BuildError, match="dataset.fingerprint"):
        embed_dataset(other, model, embedded[0], config="binary", batch_size=3, shard_size=8)
    changed = tmp_path / "model"
    shutil.copytree(model, changed)
    config = json.loads((changed / "config.json").read_text())
    (changed / "config.json").write_text(json.dumps(config | {"normalize_embedding": True}))
    with pytest.raises(BuildError, match=r"model.sha256.config.json"):
        embed_dataset(repo, changed, embedded[0], config="binary", batch_size=3, shard_size=8)


def test_refuses_a_folder_of_something_else(repo, model, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(BuildError, match="not made by `emohub embed`"):
        embed_dataset(repo, model, tmp_path, config="binary")


def test_one_run_at_a_time(repo, model, tmp_path):
    out = tmp_path / "out"
    with run_folder(out, {}, "emohub embed"), pytest.raises(BuildError, match="Another `emohub embed` is writing"):
        embed_dataset(repo, model, out, config="binary")


# ---- bad input


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


# ---- models that cannot be run


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


# ---- decoding


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


# ---- shards


def test_shards_cover_every_row_once(tmp_path):
    repo = write_repo(tmp_path / "repo", [(str(row), b"x") for row in range(23)], group=4)
    images = find_images(repo)
    for size in (1, 3, 4, 7, 100):
        shards = cut(images, size)
        assert [row for shard in shards for row, _ in read_rows(shard.pieces)] == [str(row) for row in range(23)]
        assert all(shard.rows <= size for shard in shards) and len({shard.name for shard in shards}) == len(shards)


# ---- from the Hub

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
        done = subprocess.run(command, env={**clean, **hub}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    manifest, error = json.loads(done.stdout.splitlines()[-1])
    assert table(tmp_path / "out") == table(tmp_path / "local")
    assert manifest["dataset"]["source"] == "org/faces" and len(manifest["dataset"]["revision"]) == 40
    assert manifest["model"]["source"] == "org/model" and len(manifest["model"]["revision"]) == 40
    assert "org/nothing" in error
    fetched = {path.name for path in (tmp_path / "hf").rglob("*") if path.is_symlink() or path.is_file()}
    assert "model.onnx" in fetched and "model.safetensors" not in fetched and "model_int8.onnx" not in fetched


# ---- command


def test_command(repo, model, tmp_path):
    given = ["embed", str(repo), "--model", str(model), "--config", "binary", "--split", "validation"]
    done = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out"), "--backend", "onnx"])
    rows = json.loads((tmp_path / "out" / "manifest.json").read_text())["rows"]
    assert done.exit_code == 0 and done.stdout.splitlines() == [f"validation\t{rows['validation']}"]
    assert "image/s" in done.stderr or "s/image" in done.stderr
    failed = CliRunner().invoke(app, [*given, "--out", str(repo)])
    assert "not made by `emohub embed`" in message_for(failed.exception)
