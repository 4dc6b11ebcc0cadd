"""Embeddings equal what the pipeline and the model say; runs resume, refuse and stay bounded."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import load_dataset
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline

from emohub.data.images import decode
from emohub.data.parquet import find_rows, read_rows
from emohub.data.runs import run_folder
from emohub.data.shards import cut
from emohub.errors import BuildError, SourceError
from emohub.model.infer import store
from emohub.model.infer.embed import embed_dataset
from emohub.model.repo import open_repo
from tests.inference_inputs import build_faces
from tests.model.infer.embed.inputs import ROWS, table


@pytest.fixture(scope="session")
def embedded(repo, model, tmp_path_factory):
    """One run with shards and batches that do not divide the rows: the folder and its manifest."""
    out = tmp_path_factory.mktemp("embedded") / "out"
    return out, embed_dataset(repo, model, out, config="binary", batch_size=3, shard_size=8)


def images_of(repo: Path) -> dict[str, Image.Image]:
    rows = {item: data for split in cut(find_rows(repo, "binary"), 100) for item, data in read_rows(split.pieces)}
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

    from emohub.data.shards import Shard
    from emohub.model.infer.backends import Scored
    from emohub.model.infer.engine import Part

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
