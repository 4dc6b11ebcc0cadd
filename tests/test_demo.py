"""What `make demo` prints as the next thing to type is what it ran."""

from pathlib import Path

from emohub.data.taxonomy import NAMES
from emohub.demo import LOAD_DATASETS, LOAD_METRIC, LOAD_MODEL, run


def test_the_printed_lines_run_beside_the_repos_offline(release: Path, capfd) -> None:
    run(LOAD_DATASETS, release)
    face, votes, shares = capfd.readouterr().out.splitlines()
    assert "JpegImageFile" in face and "three experts" in votes and shares.startswith("{")
    assert all(name in LOAD_DATASETS for name in ("emonet-face", "chehre"))


def test_the_printed_lines_run_beside_the_model_offline(raw_demo: Path, demo_release: Path, capfd) -> None:
    run(LOAD_MODEL.replace("IMAGE", str(raw_demo / "model/neutral/0.png")), demo_release / "models")
    lines = capfd.readouterr().out.splitlines()[-5:]
    assert all(any(repr(name) in line for name in NAMES) for line in lines)


def test_the_printed_lines_run_beside_the_metrics_offline(demo_release: Path, capfd) -> None:
    run(LOAD_METRIC, demo_release / "metrics")
    assert 0 < float(capfd.readouterr().out.splitlines()[-1]) < 1
