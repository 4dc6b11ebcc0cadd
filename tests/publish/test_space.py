"""Spaces after a publish: their secret is set, their app runs here, and the report has what it answered."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emohub.errors import PublishError
from emohub.publish import space
from emohub.publish.publish import targets_of
from emohub.publish.space import SpaceError, call, wait_until_running
from emohub.publish.verify import Check, Verifier
from emohub.release.record import Repo, open_release
from tests.faults import tiny
from tests.faults.scenario import Sandbox
from tests.faults.tiny import ORG
from tests.hub_server import Hub, running_apps
from tests.hub_server.spaces import App
from tests.publish.conftest import Publish
from tests.serving import listening

SECRET, VALUE = "MODEL_TOKEN", "hf_of_the_space_0123456789"
# Reads a gated model with its secret, and prints that secret, as careless apps do.
START = f"""
import os
from huggingface_hub import hf_hub_download
token = os.environ.get("{SECRET}", False)
print("token:", token, flush=True)
text = open(hf_hub_download("{ORG}/net", "sub/data.txt", token=token)).read()
"""
GRADIO = """
import gradio as gr
from PIL import Image
def predict(image: str, scale: int = 2) -> dict:
    if scale == 3:
        raise gr.Error("the model is broken")
    return {"model": text, "width": Image.open(image).width * scale}
with gr.Blocks() as app:
    image, scale, answer = gr.Image(type="filepath"), gr.Number(DEFAULT), gr.JSON()
    gr.Button().click(predict, [image, scale], answer, api_name="predict")
app.launch()
"""


def write(folder: Path, app: str, secret: str | None = SECRET) -> Path:
    """A gated model and a public Space that needs it."""
    page = Repo("space", "page", False, None, "0", secret)
    release = tiny.write_tiny(folder, repos=(replace(tiny.repo("model", "net"), gated="auto"), page))
    (release / page.path / "app.py").write_text(app)
    return release


@pytest.fixture(autouse=True)
def apps(sandbox: Sandbox, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    hub.tokens[VALUE] = "space-bot"
    hub.members[ORG] = {"owner", "space-bot"}
    monkeypatch.setenv(SECRET, VALUE)
    monkeypatch.setattr(space, "POLL", 0.2)
    (tmp_path / "apps").mkdir()
    with running_apps(hub, sandbox.url, tmp_path / "apps"):
        yield


@pytest.fixture
def look(sandbox: Sandbox) -> Callable[[Path], list[Check]]:
    """What the verification finds about the Spaces of a published release."""

    def checks(release: Path) -> list[Check]:
        targets = targets_of(open_release(release), ORG, sandbox.url)
        return list(Verifier(sandbox.url, download=False).spaces(targets, lambda line: None))

    return checks


def test_a_space_runs_with_its_secret_and_answers(
    run: Publish, look: Callable[[Path], list[Check]], hub: Hub, sandbox: Sandbox, tmp_path: Path
) -> None:
    release = write(tmp_path / "release", START + GRADIO.replace("DEFAULT", "2"))
    report, plan = run(release)
    assert report.ok and [one.secret for one in plan.repos] == [None, SECRET]
    assert hub.repos[f"spaces/{ORG}/page"].secrets == {SECRET: VALUE}
    order = [path for method, path, _ in sandbox.faults.log if method == "POST" and f"spaces/{ORG}/page" in path]
    assert [path.rsplit("/", 2)[1] for path in order if "secrets" in path or "commit" in path] == ["page", "commit"]
    runs, answers = look(release)
    assert runs.ok and runs.what == "runs" and runs.detail.startswith("RUNNING after"), runs
    assert answers == Check(f"{ORG}/page", "answers", True, "/predict returned dict with model, width", "anonymous")
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.is_relative_to(release.parent)]
    kept = [path for path in written if VALUE.encode() in path.read_bytes() and "apps" not in path.parts]
    assert not kept  # neither the journal nor the release has the value
    again, plan = run(release)
    assert again.ok and plan.up_to_date and plan.repos[1].secret is None


def test_an_error_of_predict_is_reported(run: Publish, look: Callable[[Path], list[Check]], tmp_path: Path) -> None:
    release = write(tmp_path / "release", START + GRADIO.replace("DEFAULT", "3"))
    assert run(release)[0].ok
    runs, answers = look(release)
    assert runs.ok and not answers.ok and answers.user == "anonymous"
    assert "/predict failed" in answers.detail


def test_an_app_that_does_not_answer_is_reported(
    run: Publish, look: Callable[[Path], list[Check]], hub: Hub, tmp_path: Path
) -> None:
    release = write(tmp_path / "release", "raise SystemExit(1)")
    assert run(release)[0].ok and hub.runner is not None
    hub.runner.stop(f"{ORG}/page")
    hub.runner.apps[f"{ORG}/page"] = App("http://127.0.0.1:9")  # no process: its stage is RUNNING
    runs, answers = look(release)
    assert runs.ok and not answers.ok and "gave no answer" in answers.detail


@pytest.mark.parametrize("secret", [None, SECRET])
def test_a_space_that_exits_is_reported_with_its_log(
    secret: str | None, run: Publish, look: Callable[[Path], list[Check]], tmp_path: Path
) -> None:
    release = write(tmp_path / "release", f"{START}raise SystemExit('\\x1b[2Jno model')", secret)
    assert run(release)[0].ok
    (runs,) = look(release)
    assert not runs.ok and "stage RUNTIME_ERROR" in runs.detail
    assert ("GatedRepoError" if secret is None else "no model") in runs.detail
    assert VALUE not in runs.detail and "\x1b" not in runs.detail
    assert secret is None or "token: ***" in runs.detail


def test_a_secret_without_a_value_stops_the_publish(
    run: Publish, sent: Callable[[], list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET)
    with pytest.raises(PublishError, match=f"{ORG}/page needs the secret {SECRET}, .* is not set"):
        run(write(tmp_path / "release", START))
    assert sent() == []


def test_the_wait_is_limited(
    run: Publish, look: Callable[[Path], list[Check]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOHUB_SPACE_TIMEOUT", "0.001")
    release = write(tmp_path / "release", "import time; time.sleep(600)")
    assert run(release)[0].ok
    (runs,) = look(release)
    assert not runs.ok and "EMOHUB_SPACE_TIMEOUT" in runs.detail


class GradioApp:
    """An ASGI application with one endpoint, that streams these events as the result."""

    def __init__(self, parameters: list[dict[str, Any]], events: Callable[[], Iterator[str]], name: str = "predict"):
        self.parameters, self.events, self.name = parameters, events, name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix("/gradio_api/")
        bodies = {"info": {"named_endpoints": {f"/{self.name}": {"parameters": self.parameters}}}}
        bodies |= {"call/predict": {"event_id": "1"}}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for text in [json.dumps(bodies[path])] if path in bodies else self.events():
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


NUMBER = {"parameter_name": "n", "parameter_has_default": True, "parameter_default": 1, "component": "Number"}
HEARTBEAT = "event: heartbeat\ndata: null\n\n"


@pytest.mark.parametrize(
    ("parameters", "events", "error"),
    [
        ([NUMBER], lambda: itertools.repeat(HEARTBEAT, 100_000), "no result after 0 s"),
        ([NUMBER], lambda: [HEARTBEAT], "the answer is not complete"),
        ([NUMBER], lambda: ["event: error\ndata: out \x1b[2Jof memory\n\n"], r"out \[2Jof memory"),
        ([NUMBER | {"parameter_has_default": False}], lambda: [], r"/predict needs n \(Number\)"),
    ],
    ids=["endless", "cut", "error", "argument"],
)
def test_a_call_that_fails(
    parameters: list[dict[str, Any]],
    events: Callable[[], Iterator[str]],
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(space, "CALL_TIMEOUT", 0.1)
    with (
        listening(GradioApp(parameters, events)) as host,
        pytest.raises(SpaceError, match=f"/predict failed: .*{error}"),
    ):
        call(host, {}, None)


def test_a_call_that_succeeds() -> None:
    answer = 'event: complete\ndata: [{"scores": []}]\n\n'
    with listening(GradioApp([NUMBER], lambda: iter([HEARTBEAT, answer]))) as host:
        assert call(host, {}, None) == "/predict returned dict with scores"
    with listening(GradioApp([NUMBER], lambda: iter([]), "other")) as host:
        assert call(host, {}, None) == "the page answers; it has no endpoint /predict"


def fake(*runtimes: tuple[str, str]) -> Any:
    """A client whose Space goes through stages: (stage, commit)."""
    left = [SimpleNamespace(stage=stage, raw={"sha": sha}) for stage, sha in runtimes]
    return SimpleNamespace(get_space_runtime=lambda id: left.pop(0), fetch_space_logs=lambda id, build: ["a\n", "b\n"])


def test_the_new_commit_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "POLL", 0)
    stages: list[str] = []
    api = fake(("BUILD_ERROR", "old"), ("RUNNING", "old"), ("RUNNING_BUILDING", "old"), ("RUNNING", "new"))
    wait_until_running(api, "org/x", "new", stages.append)
    assert stages == [f"org/x: {stage} (0 s)" for stage in ("BUILD_ERROR", "RUNNING", "RUNNING_BUILDING")]


@pytest.mark.parametrize("stage", ["NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "PAUSED", "STOPPED"])
def test_failure_stages(stage: str) -> None:
    with pytest.raises(SpaceError, match=f"stage {stage}\n *a\n *b"):
        wait_until_running(fake((stage, "new")), "org/x", "new", lambda line: None)
