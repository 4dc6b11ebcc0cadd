"""What only a fresh process can tell, and the good release as a whole; these take seconds each."""

import json
import time
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file, save_file

from emohub.check import spaces
from emohub.check.base import Subject
from emohub.check.isolated import local_repos
from emohub.check.run import CHECKS, check_path
from emohub.hub import fresh
from emohub.release.record import open_release
from tests.check.planting import Copy

MODEL = "models/empathic-insight-face-small"


def found(copy: Copy, repo: str, *ids: str) -> dict[str, list[str]]:
    """Check id → what it found."""
    report = check_path(copy / repo, ids=ids)
    return {
        result.check.id: [f"{failure.where}: {failure.found}" for failure in result.failures]
        for result in report.results
    }


def test_the_good_release_passes(good: Path) -> None:
    """Every check of every repo: datasets, model and metrics loaded, every page started."""
    before = sorted(path for path in good.rglob("*"))
    report = check_path(good)
    assert report.ok, [f"{one.where}: {one.found}" for one in report.failures]
    assert {result.check.id for result in report.results} == {check.id for check in CHECKS}
    assert report.left_out == ()
    assert sorted(path for path in good.rglob("*")) == before, "checking left something behind"


def test_a_model_that_gives_other_scores(copied: Copy) -> None:
    path = copied / f"{MODEL}/model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    tensors["heads.neutral_mean"][3] += 0.01
    path.unlink()
    save_file(tensors, path, metadata={"format": "pt"})
    copied.write(f"{MODEL}/onnx/model_int8.onnx", b"no model")
    seen = found(copied, MODEL, "model.loads", "model.outputs", "model.kit")
    assert len(seen["model.loads"]) == 1 and "onnx/model_int8.onnx: does not load" in seen["model.loads"][0]
    off = [line for line in seen["model.outputs"] if "model.safetensors" in line]
    assert len(off) == 2 and all("0.01 off; 0.0001 is allowed" in line for line in off)
    assert len(seen["model.outputs"]) == 2, "bf16 and ONNX files still give what was recorded"
    assert len(seen["model.kit"]) == 1 and "emohub gives scores that are 0.01 off" in seen["model.kit"][0]


def test_a_model_that_needs_the_kit(copied: Copy) -> None:
    """With emohub installed here, transformers would load it; where it is missing, as at a user's, it must not."""
    copied.append(f"{MODEL}/configuration_empathic_insight_face.py", "\nimport emohub.errors  # noqa\n")
    seen = found(copied, MODEL, "model.loads")
    assert any("emohub" in line and "does not load without emohub" in line for line in seen["model.loads"])


def test_a_dataset_that_does_not_load(copied: Copy) -> None:
    """The card's type of one column is one that the file's text cannot become."""
    with copied.meta("datasets/chehre/README.md") as meta:
        wrong = next(one for one in meta["dataset_info"] if one["config_name"] == "label_ratings")
        next(one for one in wrong["features"] if one["name"] == "item")["dtype"] = "int64"
    seen = found(copied, "datasets/chehre", "dataset.loads")["dataset.loads"]
    assert sorted(line.partition(" fails")[0] for line in seen) == [
        "datasets/chehre/label_ratings: load_dataset (plain)",
        "datasets/chehre/label_ratings: load_dataset (streaming)",
    ]
    assert all(str(copied.folder) not in line for line in seen)


def test_a_metric_whose_example_is_wrong(copied: Copy) -> None:
    """The other examples hold, also where they load the metric by its id."""
    card = "metrics/spread_ratio/README.md"
    copied.edit(card, ">>> ", ">>> 1 + 1\n3\n>>> ")
    if 'evaluate.load("spread_ratio")' in copied.read(card):
        copied.edit(card, 'evaluate.load("spread_ratio")', 'evaluate.load("demo-org/spread_ratio")')
    (seen,) = found(copied, "metrics/spread_ratio", "metric.examples")["metric.examples"]
    assert "README.md: 1 of" in seen and "1 + 1" in seen


@pytest.mark.parametrize(
    ("app", "says"),
    [
        ("raise RuntimeError('no weights')", "RuntimeError: no weights"),
        ("import urllib.request\nurllib.request.urlopen('http://example.com')", "without a network"),
        ("import emohub", "No module named 'emohub'"),
        ("print('done')", "ended with status 0"),
    ],
)
def test_a_page_that_does_not_start(app: str, says: str, copied: Copy) -> None:
    copied.write("spaces/small_page/app.py", app)
    (seen,) = found(copied, "spaces/small_page", "space.starts")["space.starts"]
    assert seen.startswith("spaces/small_page/app.py: GET /: ") and says in seen


def test_a_page_that_never_answers(copied: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    copied.write("spaces/small_page/app.py", "import time\ntime.sleep(600)")
    monkeypatch.setattr(spaces, "START", 1.0)
    (seen,) = found(copied, "spaces/small_page", "space.starts")["space.starts"]
    assert "no answer within 1 s" in seen


def test_a_page_is_ended_with_all_that_it_started(
    copied: Copy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    copied.write(
        "spaces/small_page/app.py",
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid)!r} + '.new', 'w').write(str(child.pid))\n"
        f"os.rename({str(pid)!r} + '.new', {str(pid)!r})\n"
        "child.wait()\n",
    )

    def wait(process: object, port: int) -> str:
        while not pid.exists():
            time.sleep(0.05)
        return "asked"

    monkeypatch.setattr(spaces, "_ask", wait)
    assert found(copied, "spaces/small_page", "space.starts")["space.starts"]
    child = int(pid.read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_ids_of_the_release_lead_to_its_folders(good: Path) -> None:
    """In a fresh process, by path and from the Hub's cache."""
    whole = Subject("release", "demo", good, "", open_release(good))
    with fresh.workspace(local_repos(whole)) as work:
        assert (work / "demo-org" / "emonet-face" / "README.md").is_file()
        cached = work.parent / "hf" / "hub" / "models--demo-org--empathic-insight-face-small"
        commit = (cached / "refs" / "main").read_text()
        assert json.loads((cached / "snapshots" / commit / "config.json").read_text())["model_type"]
        assert (work.parent / "hf" / "hub" / "spaces--demo-org--weighted_kappa").is_dir()
    assert not work.exists()
