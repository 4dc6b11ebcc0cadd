"""`emohub build release` from the command line, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emohub.release.record import open_release

MANIFEST = """
[release]
title = "Two"
version = "1.0.0"
namespace = "org"
[metrics.weighted_kappa]
[metrics.spread_ratio]
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "release.toml"
    file.write_text(MANIFEST)
    return file


def emohub(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emohub.cli", *map(str, words)]
    wide = {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=wide)


def test_it_says_what_was_built_and_what_was_not(manifest: Path, tmp_path: Path) -> None:
    done = emohub("build", "release", "release.toml", "--out", "out", "--namespace", "lab", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("built") == 2 and "metrics/spread_ratio" in done.stdout
    assert "1 of 2: metrics/weighted_kappa" in done.stderr and "2 of 2: metrics/spread_ratio" in done.stderr
    assert open_release(tmp_path / "out").namespace == "lab"
    again = emohub("build", "release", "release.toml", "--out", "out", "--namespace", "lab", cwd=tmp_path)
    assert again.stdout.count("unchanged") == 2 and "of 2" not in again.stderr


def test_only_one_leaves_the_release_unfinished_and_says_so(manifest: Path, tmp_path: Path) -> None:
    words = ("build", "release", "release.toml", "--out", "out", "--only", "metrics/spread_ratio")
    done = emohub(*words, cwd=tmp_path)
    assert done.returncode == 0
    assert "Not finished: metrics/weighted_kappa changed and were not asked for." in done.stdout
    assert not (tmp_path / "out" / "release.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("release.toml", "--out", "out", "--only", "metrics/kappa"), "valid: metrics/weighted_kappa, metrics/spread"),
        (("bad.toml", "--out", "out"), "release.version: "),
        (("release.toml", "--out", "taken"), "was not made by `emohub build release`"),
    ],
)
def test_an_error_is_one_message_and_nothing_is_written(
    manifest: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "bad.toml").write_text(MANIFEST.replace("1.0.0", "one"))
    (tmp_path / "taken" / "metrics" / "spread_ratio").mkdir(parents=True)
    (tmp_path / "taken" / "metrics" / "spread_ratio" / "mine.py").write_text("")
    done = emohub("build", "release", *words, cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/*/*")) and not (tmp_path / "taken" / "release.json").exists()
