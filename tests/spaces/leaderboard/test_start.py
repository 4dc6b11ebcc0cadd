"""How the Space starts: from a copied folder, from a release, from a dataset on the Hub that changes."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from benchmarks.bench_leaderboard import write_entries
from board_settings import read_settings
from emohub.check.run import check_path
from emohub.errors import BuildError
from emohub.release.build import build_release
from emohub.space import LEADERBOARD, SETTINGS, start_space
from results_source import Results, Source
from tests import patience
from tests.demo_results import Results as Demo
from tests.hub_server import Hub, running

MANIFEST = """[release]
title = "T"
version = "1.0.0"
namespace = "lab"
[datasets.emonet-face]
script = "emonet-face"
source = "raw/emonet-face"
splits = "raw/emonet-face/splits.csv"
allow_partial = true
[spaces.board]
folder = "leaderboard"
datasets = ["emonet-face"]
results = "results"
"""


def test_a_release_holds_results_and_check_computes_them_again(raw_demo: Path, results: Demo, tmp_path: Path) -> None:
    (tmp_path / "raw").symlink_to(raw_demo)
    (tmp_path / "release.toml").write_text(MANIFEST, encoding="utf-8")
    built = tmp_path / "release"
    build_release(tmp_path / "release.toml", built)
    report = check_path(built, only=["spaces/board"])
    assert report.ok, report.failures
    said = [one.why for result in report.results for one in result.left_out]
    assert len(said) == 1 and said[0].startswith("4 entries")  # Chehre is not in this release
    space = built / "spaces" / "board"
    assert len(list((space / "results" / "entries").rglob("*.json"))) == 18
    assert build_release(tmp_path / "release.toml", built)["spaces/board"] == "unchanged"
    file = next((space / "results" / "entries").rglob("a-random-rater*.json"))
    entry = json.loads(file.read_text())
    entry["scores"][0]["value"] = 0.9
    file.write_text(json.dumps(entry))
    (failure,) = check_path(built, only=["spaces/board"], ids=["results.numbers"]).failures
    assert "hq_kappa_w is 0.9" in failure.found
    next((results.folder / "entries").rglob("a-random-rater*.json")).unlink()
    assert build_release(tmp_path / "release.toml", built)["spaces/board"] == "built"
    shutil.rmtree(results.folder)
    with pytest.raises(BuildError, match="--submit"):
        build_release(tmp_path / "release.toml", built)


def test_a_dataset_on_the_hub_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_entries(tmp_path / "first", 3)
    write_entries(tmp_path / "second", 5)
    shown: list[Results] = []
    with running(Hub(tmp_path / "objects", tokens={"secret": "lab"})) as url:
        api = HfApi(url, token="secret")
        api.create_repo("lab/results", repo_type="dataset")
        api.upload_folder(repo_id="lab/results", repo_type="dataset", folder_path=tmp_path / "first")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        settings = replace(read_settings(), results="lab/results", refresh_minutes=0)
        source = Source(settings, shown.append, url)
        assert len(shown[-1].entries) == 3 and shown[-1].home.endswith("datasets/lab/results")
        api.upload_folder(repo_id="lab/results", repo_type="dataset", folder_path=tmp_path / "second")
        for _ in range(patience.ANSWER * 10):
            source.refresh()
            if len(shown) > 1:
                break
            time.sleep(0.1)
        assert len(shown[-1].entries) == 5
    with source.lock:  # the last reading has ended
        pass
    source.refresh()
    with source.lock:  # the Hub is away: what was shown stays
        assert len(shown) == 2


def test_the_command_starts_it_with_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, str]] = []
    monkeypatch.setattr("emohub.space.os.execve", lambda program, arguments, variables: started.append(variables))
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    start_space(results="mine")
    assert Path.cwd().name == LEADERBOARD
    monkeypatch.chdir(tmp_path)
    start_space(results="lab/results")
    assert [json.loads(one[SETTINGS])["results"] for one in started] == [str(tmp_path / "mine"), "lab/results"]
    assert not any("HF_TOKEN" in one for one in started)
