"""The command emohub train: the repo that it writes, and its errors."""

import csv
import json
import shutil
import sys
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
from emohub.model.train.checkpoint import FILE
from emohub.model.train.log import CSV_FILE
from emohub.model.train.loop import Settings
from emohub.model.train.recipes import RECIPES
from emohub.model.train.repo import neutral_rows
from emohub.model.train.report import FEW
from emohub.model.train.train import TrainOptions, device_of, train_heads, train_model
from tests.model.conftest import CONVERSION
from tests.model.train.train.inputs import IMAGES, LARGE, VALIDATION, as_data, command, made_up


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


def test_killed_after_the_repo_was_written(sources, siglip, tmp_path, monkeypatch):
    inputs = ([sources / "embeddings"], str(sources / "emonet-face"))
    with monkeypatch.context() as killed:  # before the checkpoint is removed
        killed.setattr("emohub.model.train.train.FILE", "other")
        first = train_model(*inputs, tmp_path / "out", "small", str(siglip), None, TrainOptions(epochs=(1,)))
    assert (tmp_path / "out.training" / FILE).is_file()
    monkeypatch.setattr("emohub.model.train.loop.StageRun.epoch", lambda self: pytest.fail("trained again"))
    assert train_model(*inputs, tmp_path / "out", "small", str(siglip), None, TrainOptions(epochs=(1,))) == {
        **first,
        "scale": [*first["scale"]],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "neutral").mkdir()
    for neutral, epochs in ((None, 2), (tmp_path / "neutral", 1), (sources / "embeddings", 1)):
        if neutral and not any(neutral.iterdir()):
            (neutral / "face.jpg").write_bytes(b"another face")
        with pytest.raises(BuildError, match="exists and is not an empty folder"):
            train_model(*inputs, tmp_path / "out", "small", str(siglip), neutral, TrainOptions(epochs=(epochs,)))


def test_one_training_at_a_time(sources, siglip, tmp_path):
    inputs = ([sources / "embeddings"], str(sources / "emonet-face"))
    with run_folder(tmp_path / "out.training", {}, "emohub train"):
        with pytest.raises(BuildError, match="Another `emohub train` is writing .*out.training"):
            train_model(*inputs, tmp_path / "out", "small", str(siglip), None, TrainOptions(epochs=(1,)))
    assert not list(tmp_path.iterdir())


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
