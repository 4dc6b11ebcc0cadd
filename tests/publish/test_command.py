"""`emohub publish` as a user types it, against the local Hub: the demo release, kills, secrets."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import fresh, patience
from tests.faults import tiny
from tests.faults.invariants import Expected, differences, violations
from tests.hub_server import Fault, Faults, Hub, running_apps

SPACE = "demo-org/empathic-insight-face"
WHAT = ("files at v0.1.0", "loads", "runs", "answers")
USE = """
from datasets import load_dataset
from transformers import pipeline
import evaluate, PIL.Image
rows = list(load_dataset("demo-org/emonet-face", "hq", streaming=True)["test"].take(2))
faces = pipeline("image-classification", model="demo-org/empathic-insight-face-small", trust_remote_code=True)
alpha = evaluate.load("demo-org/krippendorff_alpha")
result = ["image" in rows[0], len(rows), len(faces(rows[0]["image"])), alpha.name]
"""


def publish(release: Path, endpoint: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    home = release.parent / "home"
    settings = {"HF_ENDPOINT": endpoint, "HF_TOKEN": tiny.OWNER, "EMOHUB_HUB_WAIT": "0.05", **extra}
    return fresh.emohub("publish", release, *arguments, cwd=release.parent, home=home, **settings)


def test_the_demo_release_goes_to_the_hub_and_loads(
    demo_release: Path, hub: Hub, endpoint: str, tmp_path: Path, faults: Faults
) -> None:
    """Datasets, metrics, model and Space in one command; then they load as in their cards, anonymously over HTTP."""
    release = tmp_path / "release"
    shutil.copytree(demo_release, release)
    (tmp_path / "apps").mkdir()
    with running_apps(hub, endpoint, tmp_path / "apps", {SPACE}):
        first = publish(release, endpoint, "--yes", "--json", "--verify", "files")
        assert first.returncode == 0, first.stderr
        done = publish(release, endpoint, "--yes", "--json", "--no-check")  # a process for each half of the work
    assert done.returncode == 0, done.stderr
    names = {repo["id"]: repo["kind"] for repo in json.loads(first.stdout)["plan"]["repos"]}
    assert done.stderr.count("up to date") == len(names)
    report = json.loads(done.stdout)["report"]
    assert report["ok"] and all(check["ok"] for check in report["checks"])
    assert {check["user"] for check in report["checks"] if check["what"] != "runs"} == {"anonymous"}
    verified = {what: {check["id"] for check in report["checks"] if check["what"] == what} for what in WHAT}
    assert verified["files at v0.1.0"] == {*names}
    assert verified["loads"] == {id for id, kind in names.items() if kind != "space"}
    assert verified["runs"] == verified["answers"] == {id for id, k in names.items() if k in ("space", "metric")}
    (answer,) = [check["detail"] for check in report["checks"] if (check["id"], check["what"]) == (SPACE, "answers")]
    assert answer.startswith("/predict returned dict with model") and "faces" in answer
    assert "one row each of" in done.stdout and "hq/test" in done.stdout
    faults.log.clear()
    anonymous = fresh.python(USE, cwd=tmp_path, home=tmp_path / "anonymous", HF_ENDPOINT=endpoint)
    assert anonymous == [True, 2, 5, "krippendorff_alpha"]
    assert {user for _, _, user in faults.log} == {None}


def test_without_yes_there_is_only_a_plan(hub: Hub, endpoint: str, tmp_path: Path, faults: Faults) -> None:
    release = tiny.write_tiny(tmp_path / "release")
    done = publish(release, endpoint)
    assert done.returncode == 0, done.stderr
    assert "demo-org/faces" in done.stdout and "create" in done.stdout and "gated: auto" in done.stdout
    assert "gate: Be kind to faces." in done.stdout and "I agree (checkbox)" in done.stdout
    assert "add --yes to publish" in done.stderr
    assert {method for method, _, _ in faults.log} == {"GET"} and not hub.repos


def test_the_token_does_not_leak(hub: Hub, endpoint: str, tmp_path: Path, faults: Faults) -> None:
    """Not into any output or file, whether the publish succeeds, is refused or is interrupted."""
    release = tiny.write_tiny(tmp_path / "work" / "release")
    outputs = []
    for fault in (
        None,
        Fault("500", 20, times=1000),
        Fault("disconnect", 12, times=1000),
        Fault("no_space", 1, times=1000),
    ):
        faults.arm(fault)
        done = publish(
            release, endpoint, "--yes", "--no-check", "--verify", "bytes", EMOHUB_HUB_TRIES="2", HF_DEBUG="1"
        )
        outputs.append(done.stdout + done.stderr)
        assert (done.returncode == 0) is (fault is None)
        hub.repos.clear()
    written = [path.read_bytes().decode("latin-1") for path in (tmp_path / "work").rglob("*") if path.is_file()]
    assert written
    for text in (*outputs, *written):
        assert tiny.OWNER not in text
    for text in outputs[1:]:
        assert "Traceback" not in text and "emohub: " in text and "run the same command again" in text


@pytest.mark.parametrize("seed", range(3))
def test_a_rerun_resumes_after_kill(seed: int, hub: Hub, endpoint: str, tmp_path: Path, faults: Faults) -> None:
    """kill -9 of the real command at a random request, then the same command again."""
    release = tiny.write_tiny(tmp_path / "work" / "release")
    expected, rng = Expected({"v0.1.0": tiny.files_of(release)}), random.Random(seed)
    command = [
        Path(sys.executable).with_name("emohub"),
        "publish",
        release,
        "--yes",
        "--no-check",
        "--verify",
        "files",
    ]
    settings = {"HF_ENDPOINT": endpoint, "HF_TOKEN": tiny.OWNER}
    environment = fresh.environment(tmp_path / "home", **settings)
    fault = Fault("kill", rng.randint(8, 60), after=rng.random() < 0.5)
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=-3, stderr=-3, stdin=-3) as process:
        faults.arm(fault, process.pid)
        process.wait(patience.PROCESS)
    assert process.returncode == -signal.SIGKILL and violations(hub, expected) == []
    faults.arm(None)
    done = publish(release, endpoint, "--yes", "--no-check", "--verify", "bytes")
    assert done.returncode == 0, done.stderr
    assert violations(hub, expected) == [] and differences(hub, expected, "v0.1.0") == []


def test_changed_bytes_on_the_hub_are_an_error(hub: Hub, endpoint: str, tmp_path: Path) -> None:
    release = tiny.write_tiny(tmp_path / "release")
    assert publish(release, endpoint, "--yes", "--no-check", "--verify", "none").returncode == 0
    source = hub.repos["models/demo-org/net"].head.files["hq/model0.safetensors"].source
    assert isinstance(source, Path)
    source.write_bytes(os.urandom(source.stat().st_size))
    done = publish(release, endpoint, "--yes", "--no-check", "--verify", "bytes")
    assert done.returncode == 1
    assert "FAILED" in done.stdout and "the verification failed" in done.stderr


def test_no_release_and_no_hub(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    done = publish(tmp_path / "release", "http://127.0.0.1:9")
    assert done.returncode == 1 and "is not a complete release" in done.stderr
    release = tiny.write_tiny(tmp_path / "release")
    done = publish(release, "http://127.0.0.1:9", EMOHUB_HUB_TRIES="2")
    assert done.returncode == 1 and "The Hub gave no answer (ConnectError" in done.stderr
    assert "run the same command again" in done.stderr and "Traceback" not in done.stderr
