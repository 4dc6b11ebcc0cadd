""""""

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emohub.data.taxonomy import NAMES
from emohub.drawing import draw_face
from emohub.drawing.expressions import EXPRESSIONS
from emohub.errors import EmohubError
from emohub.sample import chehre as sample_chehre
from emohub.sample import emonet_face as sample_emonet
from emohub.sample import write_sample


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=float)


def test_layout_and_size(sample: Path) -> None:
    assert {path.name for path in sample.iterdir()} == {"emonet-face", "chehre", "model", "results", "release.toml"}
    parts = [f"part-{part:02d}" for part in range(10)]
    assert {path.name for path in (sample / "emonet-face").iterdir()} == {
        "hq.csv",
        "hq",
        "binary.csv",
        "big",
        "splits.csv",
        *parts,
    }
    assert {path.name for path in (sample / "chehre").iterdir()} == {"labels.csv", "emojis.csv", "videos"}
    assert sum(path.stat().st_size for path in sample.rglob("*") if path.is_file()) < 12e6
    assert [path.name for path in sample.parent.iterdir()] == [sample.name], "nothing is left next to it"


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("HQ", 4), ("BINARY", 10), ("NEW_BIG", 4)):
        monkeypatch.setattr(sample_emonet, name, few)
    monkeypatch.setattr(sample_chehre, "VIDEOS", 1)
    files = []
    for run, seed in enumerate((0, 0, 1)):
        out = tmp_path / str(run)
        write_sample(out, seed=seed)
        files.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()})
    first, again, other = files
    assert first == again
    same_for_all = (".toml", ".json", ".pth", ".safetensors")  # the model is trained once
    same = [path for path in first if first[path] == other.get(path) and path.suffix not in same_for_all]
    assert [path.name for path in same] == ["splits.csv"]  # BINARY's ids follow from the layout, not from the seed


def test_refuses_to_overwrite(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(EmohubError, match="is not empty.*Choose another folder"):
        write_sample(tmp_path)
    with pytest.raises(EmohubError, match="is a file"):
        write_sample(tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_stop_leaves_nothing_and_an_empty_folder_is_filled(tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "new" / "raw"
    out.mkdir(parents=True)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for module in (sample_emonet, sample_chehre):
        monkeypatch.setattr(module, "write", lambda folder, *_: folder.mkdir(parents=True))
    with monkeypatch.context() as stopped:
        stopped.setattr(sample_chehre, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            write_sample(out)
    assert list(out.parent.iterdir()) == [out] and not list(out.iterdir())
    write_sample(out)
    assert {path.name for path in out.iterdir()} == {"emonet-face", "chehre", "model", "results", "release.toml"}


WHO = {"age": 30, "ethnicity": "Southeast Asian", "gender": "woman", "seed": 3}


def test_every_emotion_is_drawn_and_looks_different() -> None:
    assert set(EXPRESSIONS) == set(NAMES)
    faces = {name: draw_face(name, intensity=1, size=64, **WHO) for name in NAMES}
    assert all(face.size == (64, 64) and face.mode == "RGB" for face in faces.values())
    for (one, a), (two, b) in itertools.combinations(faces.items(), 2):
        assert np.abs(pixels(a) - pixels(b)).mean() > 1, (one, two)


def test_intensity_moves_away_from_a_shared_neutral_face() -> None:
    def face(emotion: str, intensity: float) -> np.ndarray:
        return pixels(draw_face(emotion, intensity=intensity, size=128, **WHO))

    neutral = face("Elation", 0)
    assert (neutral == face("Anger", 0)).all()
    distances = [np.abs(face("Elation", i) - neutral).mean() for i in (0.3, 0.6, 1)]
    assert distances == sorted(distances) and distances[0] > 0.5


def test_demographics_change_the_person() -> None:
    def face(**changes: object) -> np.ndarray:
        return pixels(draw_face("Pride", intensity=0.8, size=64, **{**WHO, **changes}))

    others = [{"age": 80}, {"gender": "man"}, {"ethnicity": "White"}, {"seed": 4}]
    assert all(np.abs(face() - face(**other)).mean() > 2 for other in others)
    with pytest.raises(KeyError):
        face(ethnicity="Martian")
