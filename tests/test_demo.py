"""What `make demo` prints as the next thing to type is what it ran."""

from pathlib import Path

from emohub.data.sample.heads import write_model_sample
from emohub.data.taxonomy import NAMES
from emohub.demo import LOAD_DATASETS, LOAD_MODEL, MODEL, run
from emohub.model.convert.convert import convert_model


def test_the_printed_lines_run_beside_the_repos_offline(release: Path, capfd) -> None:
    run(LOAD_DATASETS, release)
    face, votes, shares = capfd.readouterr().out.splitlines()
    assert "JpegImageFile" in face and "three experts" in votes and shares.startswith("{")
    assert all(name in LOAD_DATASETS for name in ("emonet-face", "chehre"))


def test_the_printed_lines_run_beside_the_model_offline(tmp_path: Path, capfd) -> None:
    raw = write_model_sample(tmp_path / "raw")
    convert_model(raw / "heads", str(raw / "backbone"), tmp_path / MODEL, "small", neutral=raw / "neutral")
    run(LOAD_MODEL.replace("IMAGE", "raw/neutral/0.png"), tmp_path)
    lines = capfd.readouterr().out.splitlines()[-5:]
    assert all(any(repr(name) in line for name in NAMES) for line in lines)
