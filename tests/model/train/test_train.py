"""`emohub train` as a whole: it learns, it survives a kill, and what it writes is a model repo."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.runs import STARTED, run_folder
from emohub.data.taxonomy import NAMES
from emohub.errors import BuildError, EmohubError, message_for
from emohub.model.hubcode import config_class
from emohub.model.train.checkpoint import FILE, read_checkpoint, save_checkpoint
from emohub.model.train.data import TrainingData
from emohub.model.train.log import CSV_FILE
from emohub.model.train.loop import Settings
from emohub.model.train.recipes import RECIPES, plan_stages
from emohub.model.train.repo import neutral_rows, spearman
from emohub.model.train.report import FEW
from emohub.model.train.train import TrainOptions, device_of, train_heads, train_model
from tests.model.conftest import CONVERSION

WIDTH, IMAGES, VALIDATION = 32, 160, 30


def made_up(seed=0, images=IMAGES, width=WIDTH):
    """Embeddings, BIG intensities and BINARY labels that follow from them; the last images are held out."""
    rng = np.random.default_rng(seed)
    embeds = rng.normal(size=(images, width)).astype(np.float32)
    ratings = np.clip(np.round(3 * (embeds @ rng.normal(size=(width, 40))) / width**0.5), 0, 7).astype(np.float32)
    ratings[-6:] = 0  # without any emotion, and held out: neutral
    labels = np.where(rng.random((images, 40)) < 0.6, np.minimum(ratings, 1), np.nan).astype(np.float32)
    return embeds, ratings, labels


def as_data(embeds, ratings, labels, held_out=VALIDATION):
    last = np.arange(len(embeds))[:, None] >= len(embeds) - held_out
    tables = {"big": ratings, "binary": labels}
    both = {
        (config, split): np.where(last == (split == "validation"), table, np.nan).astype(np.float32)
        for config, table in tables.items()
        for split in ("train", "validation")
    }
    return TrainingData([str(i) for i in range(len(embeds))], embeds, both, {"embeddings": {"sha256": "e"}})


QUICK = TrainOptions(Settings(seed=1, lr=1e-3, batch_size=16), (4, 30), "cpu", checkpoint_seconds=0)
LARGE = ((24, 16, 8), 0.2)


def weights(bank):
    return [parameter.detach() for parameter in bank.parameters()]


# -- killed and resumed ------------------------------------------------------------------------------

# The same run in a process of its own; "die" makes it die of SIGKILL in the middle of its n-th checkpoint.
VICTIM = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("victim_tests", sys.argv[1])
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
calls, rename = 0, os.replace
def killing(*args):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*args)
os.replace = killing
tests.train_heads(tests.as_data(*tests.made_up()), "large", *tests.LARGE, Path(sys.argv[2]), tests.QUICK)
"""


def start_victim(folder, die=0):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", VICTIM, __file__, str(folder), str(die)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_resumed_after_kills_is_bit_equal(tmp_path, caplog):
    data = as_data(*made_up())
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    bank, stages = train_heads(data, "large", *LARGE, whole, QUICK)
    # First while the third checkpoint is being written ...
    assert start_victim(killed, 3).wait(120) == -signal.SIGKILL
    state, about = read_checkpoint(killed)
    assert (about["stage"], len(state["curves.0.train"])) == (0, 2)
    # ... then from outside, at any moment of the second stage.
    victim = start_victim(killed)
    try:
        while read_checkpoint(killed)[1]["stage"] == 0 and victim.poll() is None:
            time.sleep(0.01)
    finally:
        victim.kill()
        victim.wait()
    assert read_checkpoint(killed)[1]["stage"] == 1
    resumed, again = train_heads(data, "large", *LARGE, killed, QUICK)
    assert "of stage 2, from" in caplog.text
    for mine, other in zip(weights(resumed), weights(bank), strict=True):
        assert torch.equal(mine, other)
    for mine, other in zip(again, stages, strict=True):
        assert all(np.array_equal(mine.curves[name], other.curves[name], equal_nan=True) for name in other.curves)
    assert (killed / "log.csv").read_bytes() == (whole / "log.csv").read_bytes()
    first, second = read_checkpoint(whole)[0], read_checkpoint(killed)[0]
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_finished_run_trains_no_more(tmp_path, monkeypatch):
    data = as_data(*made_up())
    bank, _ = train_heads(data, "large", *LARGE, tmp_path, QUICK)
    monkeypatch.setattr("emohub.model.train.loop.StageRun.epoch", lambda self: pytest.fail("trained again"))
    again, _ = train_heads(data, "large", *LARGE, tmp_path, QUICK)
    assert all(torch.equal(mine, other) for mine, other in zip(weights(again), weights(bank), strict=True))


def test_seed_decides(tmp_path):
    data, found = as_data(*made_up()), []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        options = TrainOptions(Settings(seed=seed, batch_size=16), (1, 1), "cpu")
        found.append(weights(train_heads(data, "large", *LARGE, folder, options)[0]))
    assert all(torch.equal(a, b) for a, b in zip(found[0], found[1], strict=True))
    assert not torch.equal(found[0][0], found[2][0])


def test_a_damaged_checkpoint_is_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(BuildError, match="is not a checkpoint of `emohub train`.*Remove"):
        train_heads(as_data(*made_up()), "large", *LARGE, tmp_path, QUICK)


def test_checkpoint_keeps_the_old_one_until_the_new_is_whole(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, {"a": torch.arange(3)}, {"epoch": 1})
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        save_checkpoint(tmp_path, {"a": torch.zeros(3)}, {"epoch": 2})
    state, about = read_checkpoint(tmp_path)
    assert state["a"].tolist() == [0, 1, 2] and about == {"epoch": 1}


# -- what is trained on ------------------------------------------------------------------------------


def test_later_stages_hold_out_from_earlier_ones():
    data = as_data(*made_up())
    big, binary = plan_stages("large", data.labels, range(40), seed=0)
    for first, second in zip(big.samples, binary.samples, strict=True):
        assert not set(second.validation) & {*first.train, *first.validation}
    for stage in (big, binary):
        rows = np.concatenate([[*sample.train, *sample.validation] for sample in stage.samples])
        assert rows.max() < IMAGES - VALIDATION, "an image of the validation split"
        assert set(stage.targets[~stage.targets.isnan()].tolist()) == {0, 1}
    for sample in big.samples:
        assert sample.counts[2][0] == sample.counts[2][1] or sample.counts[0][0] < sample.counts[0][1]


def test_emotions_without_images(tmp_path, caplog):
    embeds, ratings, labels = made_up()
    labels[:, 4] = np.nan
    _, stages = train_heads(as_data(embeds, ratings, labels), "large", *LARGE, tmp_path, QUICK)
    assert f"Stage binary has no images for {NAMES[4]}" in caplog.text
    assert stages[1].best_epoch[4] == 0 and stages[0].best_epoch[4] > 0
    ratings[:, 4] = 0
    (tmp_path / "other").mkdir()
    with pytest.raises(EmohubError, match=rf"1 emotion\(s\) have no images.*\n  - {NAMES[4]}\n"):
        train_heads(as_data(embeds, ratings, labels), "large", *LARGE, tmp_path / "other", QUICK)


# -- learning ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def faces():
    """300 drawn faces through a tiny random tower, rated by how near their expression is to each emotion's."""
    import dataclasses

    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    from emohub.sample.face import draw_face
    from emohub.sample.face.expressions import EXPRESSIONS

    rng = np.random.default_rng(0)
    shown, strength = np.arange(300) % 40, rng.uniform(0, 1, 300)
    looks = {"age": 30, "ethnicity": "White", "gender": "man", "seed": 0, "size": 64}
    images = [draw_face(NAMES[e], intensity=i, **looks) for e, i in zip(shown, strength, strict=True)]
    moves = np.array([dataclasses.astuple(EXPRESSIONS[name]) for name in NAMES], dtype=float)
    moves /= np.linalg.norm(moves, axis=1, keepdims=True)
    ratings = np.floor(7 * strength[:, None] * np.maximum(0, (moves @ moves.T)[shown]) + 0.5).astype(np.float32)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 4}
    torch.manual_seed(0)
    tower = SiglipVisionModel(SiglipVisionConfig(**shape, image_size=64, patch_size=16)).eval()
    processor = SiglipImageProcessor(size={"height": 64, "width": 64})
    with torch.no_grad():
        embeds = tower(**processor(images=images, return_tensors="pt")).pooler_output.numpy()
    return embeds, ratings


def test_it_learns_from_drawn_faces(faces, tmp_path):
    embeds, ratings = faces
    held_out, rng = 60, np.random.default_rng(1)
    shuffled = ratings.copy()
    shuffled[:-held_out] = rng.permutation(ratings[:-held_out])
    options = TrainOptions(Settings(lr=1e-2, batch_size=16), (40,), "cpu", checkpoint_seconds=1e9)
    means = []
    for name, labels in (("real", ratings), ("shuffled", shuffled)):
        (tmp_path / name).mkdir()
        data = as_data(embeds, labels, labels, held_out)
        bank, _ = train_heads(data, "small", (128, 32), 0.1, tmp_path / name, options)
        with torch.no_grad():
            scores = bank.eval().raw(torch.from_numpy(embeds[-held_out:])).numpy()
        found = [spearman(scores[:, i], ratings[-held_out:, i]) for i in range(40)]
        means.append(np.mean([rho for rho in found if rho is not None]))
    assert means[0] > 0.3 and abs(means[1]) < 0.15, means


def test_spearman_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=50), rng.integers(0, 4, 50).astype(float)
    assert spearman(scores, labels) == pytest.approx(stats.spearmanr(scores, labels).statistic, abs=1e-11)
    assert spearman(scores, np.zeros(50)) is None and spearman(scores[:1], labels[:1]) is None


# -- the command and its repo ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """An embeddings folder and a dataset repo, as the other commands write them."""
    folder = tmp_path_factory.mktemp("sources")
    embeds, ratings, labels = made_up()
    items = [f"i{n:03}" for n in range(IMAGES)]
    (folder / "embeddings").mkdir()
    table = pa.table({"item": items, "split": ["train"] * IMAGES, "embedding": list(embeds)})
    pq.write_table(table, folder / "embeddings" / "big-00000.parquet")
    (folder / "embeddings" / "manifest.json").write_text("{}")
    nullable = [[None if np.isnan(x) else int(x) for x in row] for row in labels]
    columns = {"big": ("intensities", ratings.tolist()), "binary": ("labels", nullable)}
    for config, (column, rows) in columns.items():
        (folder / "emonet-face" / config).mkdir(parents=True)
        for split, part in (("train", slice(0, -VALIDATION)), ("validation", slice(-VALIDATION, None))):
            path = folder / "emonet-face" / config / f"{split}-00000-of-00001.parquet"
            pq.write_table(pa.table({"item": items[part], column: rows[part]}), path)
    return folder


def command(sources, backbone, out, size="small", *more):
    return [
        *("train", "--embeddings", str(sources / "embeddings"), "--dataset", str(sources / "emonet-face")),
        *("--size", size, "--out", str(out), "--backbone", str(backbone), "--lr", "1e-3", *more),
    ]


@pytest.fixture(scope="module")
def trained(sources, siglip, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "model"
    result = CliRunner().invoke(app, command(sources, siglip, out, "small", "--epochs", "3"))
    assert result.exit_code == 0, result.exception
    return out, result.output


def test_the_repo_is_that_of_a_conversion(trained):
    folder, output = trained
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    extra = {f"training/{name}" for name in ("curves-big.png", "log.csv", "report.md", "training.json")}
    assert files == CONVERSION | extra
    assert [path.name for path in folder.parent.iterdir()] == ["model"], "the run's folder should be gone"
    assert "mean Spearman" in output


def test_the_repo_loads_with_pipeline(trained):
    from PIL import Image
    from transformers import pipeline

    scores = pipeline("image-classification", model=str(trained[0]), trust_remote_code=True, top_k=40)(
        Image.new("RGB", (50, 40), "teal")
    )
    assert {score["label"] for score in scores} == set(NAMES)
    values = [score["score"] for score in scores]
    assert values == sorted(values, reverse=True) and np.isfinite(values).all()


def test_scores_are_neutral_subtracted(trained):
    from transformers import AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(trained[0], trust_remote_code=True)
    embeds, _, _ = made_up()
    with torch.no_grad():
        neutral = model.score(torch.from_numpy(embeds[-6:]))[0].double().mean(0)
    assert neutral.abs().max() < 1e-6
    record = json.loads((trained[0] / "training/training.json").read_text())
    assert record["neutral"]["images"] == 6 and record["neutral"]["kind"] == "embeddings"


def test_report(trained):
    folder, _ = trained
    record = json.loads((folder / "training/training.json").read_text())
    assert record["settings"] == {
        **{"seed": 0, "lr": 1e-3, "factor": 0.2, "patience": 10, "batch_size": 64},
        "device": device_of("auto"),
    }
    assert record["scale"] == [0, 7] and {"torch", "emohub"} <= record["versions"].keys()
    assert len(record["dataset"]["sha256"]) == len(record["embeddings"]["sha256"]) == 64
    assert record["held_out"]["big"]["images"] == VALIDATION
    assert [stage["epochs"] for stage in record["stages"]] == [3]
    rows = list(csv.DictReader((folder / "training/log.csv").open()))
    assert len(rows) == 3 * 40 and {row["emotion"] for row in rows} == set(NAMES)
    awe = record["stages"][0]["emotions"]["Awe"]
    curve = {int(row["epoch"]): float(row["validation_loss"]) for row in rows if row["emotion"] == "Awe"}
    assert awe["validation_loss"] == pytest.approx(min(curve.values()), rel=1e-8)
    assert curve[awe["best_epoch"]] == min(curve.values())
    report = (folder / "training/report.md").read_text()
    assert "| Awe |" in report and "curves-big.png" in report and "seed | 0" in report
    assert (folder / "training/curves-big.png").read_bytes().startswith(b"\x89PNG")
    card = (folder / "README.md").read_text()
    assert "they are not upstream's" in card and "Spearman's ρ" in card and "Upstream released" not in card
    everything = "".join(p.read_text(errors="ignore") for p in folder.rglob("*") if p.suffix in {".json", ".md"})
    assert str(folder.parent.parent) not in everything, "a local path must not be published"


def test_neutral_faces_are_held_out(trained):
    embeds, ratings, labels = made_up()
    assert neutral_rows(as_data(embeds, ratings, labels)).tolist() == list(range(IMAGES - 6, IMAGES))
    ratings[-6:], ratings[:6] = 1, 0  # neutral ones that are trained on do not count
    with pytest.raises(BuildError, match="no image with all 40 intensities 0.*--neutral"):
        neutral_rows(as_data(embeds, ratings, labels))
    record = json.loads((trained[0] / "training/training.json").read_text())
    assert record["neutral"]["source"].startswith("held-out images")


def test_a_training_without_neutral_faces_does_not_start(sources, siglip, tmp_path, monkeypatch):
    monkeypatch.setattr("emohub.model.train.train.train_heads", lambda *args: pytest.fail("trained"))
    shutil.copytree(sources, tmp_path / "sources")
    path = tmp_path / "sources/emonet-face/big/validation-00000-of-00001.parquet"
    table = pq.read_table(path)
    ones = pa.array([[1.0] * 40] * len(table))
    pq.write_table(pa.table({"item": table["item"], "intensities": ones}), path)
    inputs = ([tmp_path / "sources/embeddings"], str(tmp_path / "sources/emonet-face"))
    with pytest.raises(BuildError, match="--neutral"):
        train_model(*inputs, tmp_path / "out", "small", str(siglip))
    assert [path.name for path in tmp_path.iterdir()] == ["sources"]


def test_the_report_names_heads_with_few_positives(trained):
    stage = json.loads((trained[0] / "training/training.json").read_text())["stages"][0]["emotions"]
    positives = {name: sum(head["buckets"]["held_out"][1:]) for name, head in stage.items()}
    report = (trained[0] / "training/report.md").read_text()
    assert positives and max(positives.values()) < FEW, "the test's data are small"
    assert f"Fewer than {FEW} held-out images show the emotion for 40 of 40 heads" in report
    assert all(f"{name} ({count})" in report for name, count in positives.items())
    assert "positive labels of binary" not in report


def test_large_over_a_repo_of_the_kit(sources, trained, siglip, tmp_path, monkeypatch):
    def narrow(size, base):  # the published widths would take a minute
        return config_class()(head_hidden_sizes=LARGE[0], head_dropout=0.2, vision_config=base.vision_config())

    monkeypatch.setattr("emohub.model.train.train.config_of_size", narrow)
    monkeypatch.setattr("emohub.model.convert.convert.write_onnx", lambda *args: {})
    monkeypatch.setattr("emohub.model.convert.convert.reload_in_fresh_process", lambda *args: {"bit_equal": True})
    options = TrainOptions(Settings(batch_size=32), (1, 1))
    neutral = sources / "embeddings"
    shutil.copytree(sources / "emonet-face", tmp_path / "emonet-face")
    built = {"configs": {"binary": {"positives": "consensus"}, "big": {}}}
    (tmp_path / "emonet-face" / "build.json").write_text(json.dumps(built))
    inputs = ([sources / "embeddings"], str(tmp_path / "emonet-face"))
    record = train_model(*inputs, tmp_path / "out", "large", str(trained[0]), neutral, options)
    assert record["dataset"]["positives"] == {"binary": "consensus"}
    assert "| positive labels of binary | consensus |" in (tmp_path / "out/training/report.md").read_text()
    assert [stage["name"] for stage in record["stages"]] == [step.name for step in RECIPES["large"]]
    assert record["scale"] == (0, 1) and record["held_out"].keys() == {"big", "binary"}
    assert record["neutral"]["images"] == IMAGES
    about = json.loads((tmp_path / "out/conversion.json").read_text())
    assert about["backbone"]["source"] == siglip.name and about["head_hidden_sizes"] == [24, 16, 8]
    assert "about 0 (not there) to 1 (there)" in (tmp_path / "out/README.md").read_text()


def test_failure_while_writing_keeps_the_training(sources, siglip, tmp_path, monkeypatch):
    def fail(*args):
        raise BuildError("stop here")

    monkeypatch.setattr("emohub.model.convert.convert.reload_in_fresh_process", fail)
    inputs = ([sources / "embeddings"], str(sources / "emonet-face"))
    with pytest.raises(BuildError, match="stop here"):
        train_model(*inputs, tmp_path / "out", "small", str(siglip), None, TrainOptions(epochs=(1,)))
    assert [path.name for path in tmp_path.iterdir()] == ["out.training"]
    assert {path.name for path in (tmp_path / "out.training").iterdir()} == {STARTED, FILE, CSV_FILE}
    with pytest.raises(BuildError, match=r"`emohub train` with other settings:(?s:.)*epochs: was \[1\], is \[2\]"):
        train_model(*inputs, tmp_path / "out", "small", str(siglip), None, TrainOptions(epochs=(2,)))
    monkeypatch.setattr("emohub.model.train.loop.StageRun.epoch", lambda self: pytest.fail("trained again"))
    with pytest.raises(BuildError, match="stop here"):
        train_model(*inputs, tmp_path / "out", "small", str(siglip), None, TrainOptions(epochs=(1,)))


def test_one_training_at_a_time(sources, siglip, tmp_path):
    inputs = ([sources / "embeddings"], str(sources / "emonet-face"))
    with run_folder(tmp_path / "out.training", {}, "emohub train"):
        with pytest.raises(BuildError, match="Another `emohub train` is writing .*out.training"):
            train_model(*inputs, tmp_path / "out", "small", str(siglip), None, TrainOptions(epochs=(1,)))
    assert not list(tmp_path.iterdir())


# -- what is wrong is said ---------------------------------------------------------------------------

WRONG = [
    ({"size": "medium"}, "--size is 'medium'; valid: small, large"),
    ({"backbone": None}, "an unnamed model, which is not a Hub id. Give its folder as --backbone"),
    ({"options": TrainOptions(epochs=(1, 2))}, r"--epochs is \[1, 2\]; --size small has the stages big: give 1"),
    ({"options": TrainOptions(epochs=(0,))}, "of at least 1"),
    ({"options": TrainOptions(log="excel")}, "--log is 'excel'; valid: csv, tensorboard"),
    ({"options": TrainOptions(device="tpu")}, "--device is 'tpu'; valid: auto, cpu, cuda"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=lambda value: None)
def test_wrong_options(sources, siglip, tmp_path, change, message):
    arguments = {"size": "small", "backbone": str(siglip), **change}
    with pytest.raises(EmohubError, match=message):
        train_model([sources / "embeddings"], str(sources / "emonet-face"), tmp_path / "out", **arguments)
    assert not list(tmp_path.iterdir())


def test_no_gpu_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of("auto") == "cpu"
    with pytest.raises(EmohubError, match="PyTorch finds no GPU"):
        device_of("cuda")


def test_embeddings_of_another_tower(sources, siglip, tmp_path):
    (tmp_path / "other").mkdir()
    table = pq.read_table(sources / "embeddings" / "big-00000.parquet")
    wide = np.concatenate([np.stack(table["embedding"].to_numpy())] * 2, axis=1)
    pq.write_table(pa.table({"item": table["item"], "embedding": list(wide)}), tmp_path / "other" / "x.parquet")
    with pytest.raises(BuildError, match="The embeddings have 64 numbers, those of siglip 32"):
        train_model([tmp_path / "other"], str(sources / "emonet-face"), tmp_path / "out", "small", str(siglip))


def test_out_in_the_way_is_seen_first(sources, siglip, tmp_path):
    (tmp_path / "file").write_text("mine")
    result = CliRunner().invoke(app, command(sources, siglip, tmp_path))
    assert "exists and is not an empty folder" in message_for(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_tensorboard_is_an_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(EmohubError, match=r"pip install 'emohub\[tensorboard\]'`, or use --log csv"):
        train_model([tmp_path], "x", tmp_path / "out", "small", "y", None, TrainOptions(log="tensorboard"))
    assert not list(tmp_path.iterdir())


def test_tensorboard_scalars(tmp_path, monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            Path(folder).mkdir(exist_ok=True)

        def add_scalar(self, *entry):
            written.append(entry)

        def flush(self):
            pass

        close = flush

    fake = type(sys)("torch.utils.tensorboard")
    fake.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    options = TrainOptions(Settings(batch_size=16), (2, 1), "cpu", "tensorboard")
    _, stages = train_heads(as_data(*made_up()), "large", *LARGE, tmp_path, options, heads=[3])
    name = NAMES[3].replace("/", " or ")
    curve = [float(value) for stage in stages for value in stage.curves["validation"][:, 0]]
    assert [entry for entry in written if entry[0] == f"loss/validation/{name}"] == [
        (f"loss/validation/{name}", value, step) for step, value in enumerate(curve, 1)
    ]
