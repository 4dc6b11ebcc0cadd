"""The command `emohub rate`, as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emohub.cli import app
from tests.rate.behaviours import named
from tests.rate.chat_server import serving


def emohub(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, without a terminal."""
    command = [sys.executable, "-m", "emohub.cli", "rate", *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def hq(release: Path) -> Path:
    return release / "emonet-face"


def test_a_served_model_to_a_table(hq: Path, tmp_path: Path) -> None:
    with serving(named("plain")) as (url, server):
        asked = ["--rater", "openai:demo", "--url", url, "--protocol", "zero-shot", "--out", tmp_path / "out"]
        done = emohub(hq, "--config", "hq", *asked, "--limit", 3, "--price", "1:2", "--yes", HF_HUB_OFFLINE="1")
        assert done.returncode == 0, done.stderr
        for text in ("asked", "answered", "parsed", "120", "0.0025"):
            assert text in done.stdout
        for text in ("Plan", "about 1,068", "at most 6,000", "at most 0.01"):
            assert text in done.stderr
        again = emohub(hq, "--config", "hq", *asked, "--limit", 3, "--price", "1:2", HF_HUB_OFFLINE="1")
        assert again.returncode == 0 and again.stdout == done.stdout and len(server.asked) == 6
    assert json.loads((tmp_path / "out/run.json").read_text())["counts"]["ratings"] == 120


def test_nothing_is_asked_before_somebody_agrees(hq: Path, tmp_path: Path) -> None:
    with serving(named("plain")) as (url, server):
        asked = ["--rater", "openai:demo", "--url", url, "--protocol", "zero-shot", "--out", tmp_path / "out"]
        done = emohub(hq, *asked)
        assert done.returncode == 1 and "add --yes" in done.stderr and "Stopped before the first" in done.stderr
        assert len(server.asked) == 3


def test_failures_are_shown_by_class(hq: Path, tmp_path: Path) -> None:
    with serving(named("prose")) as (url, _):
        asked = ["--rater", "openai:demo", "--url", url, "--protocol", "zero-shot", "--out", tmp_path / "out"]
        done = emohub(hq, *asked, "--limit", 2, "--yes")
    assert done.returncode == 0 and "not JSON" in done.stdout
    assert "2 questions gave no rating, each listed in" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--rater", "nobody"],
            "There is no rater 'nobody'; valid: constant, hub, model, openai, prior",
        ),
        (["--rater", "hub:m"], "The rater 'hub' answers questions: give a --protocol: emoji-match"),
        (["--rater", "openai:m", "--protocol", "verify"], "needs the name of the model and a --url"),
        (["--rater", "openai:m", "--url", "ftp://x", "--protocol", "verify"], "--url is 'ftp://x'; must be like"),
        (
            ["--rater", "openai:m", "--url", "http://a:k@b/v1", "--protocol", "verify"],
            "keys come from the environment",
        ),
        (["--rater", "random", "--protocol", "verify"], "answers no questions, so it takes no --protocol"),
        (["--rater", "random", "--url", "http://x"], "Nothing here takes --url. What is taken by the rater 'random'"),
        (["--rater", "random", "--set", "x"], "--set is 'x'; must be NAME=VALUE"),
        (["--rater", "random", "--price", "1"], "--price is '1'; must be IN:OUT"),
        (["--rater", "random", "--split", "train"], "has no splits ['train']; valid: test"),
        (["--rater", "random", "--config", "emotions"], "Choose a --config with images"),
        (["--rater", "random", "--ratings", "big"], "has no ratings 'big'; valid: hq_ratings"),
    ],
)
def test_an_error_says_what_to_do(
    arguments: list[str], message: str, hq: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = CliRunner().invoke(app, ["rate", str(hq), *arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 1 and message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_ids_from_a_file(hq: Path, tmp_path: Path) -> None:
    ids, out = tmp_path / "ids", tmp_path / "out"
    arguments = ["rate", str(hq), "--rater", "random", "--items", str(ids), "--out", str(out)]
    ids.write_text("nobody\n")
    bad = str(CliRunner().invoke(app, arguments).exception)
    assert "1 of 1 ids are not items of" in bad and "Its ids are like" in bad
    ids.write_text(json.dumps([bad.rsplit("like ", 1)[1].strip("'.")]))
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert json.loads((out / "run.json").read_text())["selection"]["items"] == 1


def test_help_lists_every_rater_and_protocol() -> None:
    shown = CliRunner().invoke(app, ["rate", "-h"], env={"COLUMNS": "200"}).output
    for word in ("openai", "persona", "zero-shot", "--budget", "Raters that score"):
        assert word in shown
