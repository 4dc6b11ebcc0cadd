"""Starting the Space: in one command from the kit, and as a folder of its own without it."""

import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from emohub.errors import EmohubError
from emohub.space import SAMPLE, environment, start_space
from tests import fresh
from tests.spaces.conftest import ROOT, SPACE, start
from tests import patience
from emohub.hub.process import free_port

PRINTS = "import json, os; print(json.dumps({**os.environ, 'cwd': os.getcwd()}))"
# Run first by every Python of the copy: the kit is not installed there, and the network is this machine.
ALONE = """\
import pathlib, socket, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "emohub":
            raise ImportError(f"{name} is not here")

def watched(connect):
    def checked(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            with pathlib.Path(__file__).with_name("strangers").open("a") as file:
                print(address, file=file)
            raise OSError(101, "Network is unreachable")
        return connect(self, address)
    return checked

sys.meta_path.insert(0, Blocker())
socket.socket.connect = watched(socket.socket.connect)
socket.socket.connect_ex = watched(socket.socket.connect_ex)
"""


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Run `emohub space` in an empty folder on a Space that prints its environment."""
    (tmp_path / "cwd").mkdir()
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "app.py").write_text(PRINTS)
    (tmp_path / "toy" / "settings.json").write_text('{"model": "ORG/some"}')

    def run(*arguments: str, fails: bool = False, **extra: str):
        line = [sys.executable, "-m", "emohub.cli", "space", str(tmp_path / "toy"), *arguments]
        done = fresh.run(*line, cwd=tmp_path / "cwd", home=tmp_path / "home", PYTHONPATH=str(ROOT), **extra)
        assert done.returncode == int(fails), done.stderr
        return done.stderr if fails else json.loads(done.stdout)

    return run


def test_a_studys_database_is_for_the_space_of_studies_alone(command, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "study.toml").touch()
    model, store = ("--model", str(tiny_model)), {"STUDY_STORE": "postgresql://ada:password@host/study"}
    assert "STUDY_STORE" not in command(*model, **store)
    with_study = command(*model, "--study", "study.toml", **store)
    assert with_study["STUDY_STORE"] == store["STUDY_STORE"]
    assert with_study["STUDY"] == str(tmp_path / "cwd" / "study.toml")


def test_the_space_gets_this_machine_only_no_analytics_and_the_model(command, tiny_model: Path, tmp_path) -> None:
    seen = command("--model", os.path.relpath(tiny_model, tmp_path / "cwd"), "--port", str(free := free_port()))
    assert (seen["GRADIO_SERVER_NAME"], seen["GRADIO_SERVER_PORT"]) == ("127.0.0.1", str(free))
    assert (seen["GRADIO_ANALYTICS_ENABLED"], seen["HF_HUB_OFFLINE"]) == ("False", "1")
    assert seen["cwd"] == str(tmp_path / "toy")
    assert Path(seen["MODEL_ID"]).is_relative_to(tmp_path / "home")
    for name in ("config.json", "model.safetensors", "modeling_empathic_insight_face.py"):
        assert (Path(seen["MODEL_ID"]) / name).read_bytes() == (tiny_model / name).read_bytes()
    assert "SPACE_SETTINGS" not in seen  # no record says that its weights are those of the demo
    again = command("--model", str(tiny_model))
    assert again["MODEL_ID"] == seen["MODEL_ID"] and len([*Path(seen["MODEL_ID"]).parent.iterdir()]) == 1


def test_the_model_of_make_demo_is_the_default_and_its_notice_says_for_show(
    command, tiny_model, tmp_path: Path
) -> None:
    model = tmp_path / "cwd" / SAMPLE
    shutil.copytree(tiny_model, model)
    (model / "conversion.json").write_text('{"parameters": {"tower": 50784}}')
    seen = command(SPACE_SETTINGS='{"faces": 2}')
    settings = json.loads(seen["SPACE_SETTINGS"])
    assert (Path(seen["MODEL_ID"]) / "model.safetensors").resolve() == (model / "model.safetensors").resolve()
    assert "for show only" in settings["notice"] and settings["faces"] == 2


def test_a_hub_id_is_downloaded_before_the_space_starts(command, tiny_model: Path, tmp_path: Path) -> None:
    """So the Space needs neither a network nor a token."""
    cached = tmp_path / "home" / "hub" / "models--some--model"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0" * 40)
    shutil.copytree(tiny_model, cached / "snapshots" / ("0" * 40))
    seen = command("--model", "some/model", HF_HUB_OFFLINE="1", HF_TOKEN="hf_planted")
    assert (Path(seen["MODEL_ID"]) / "config.json").read_bytes() == (tiny_model / "config.json").read_bytes()
    assert seen["HF_HUB_OFFLINE"] == "1" and "HF_TOKEN" not in seen
    assert "not found on the Hub" in command("--model", "some/other", HF_HUB_OFFLINE="1", fails=True)


# -- trust -------------------------------------------------------------------------------------------

EXPLOIT = """
import json, os
with open({seen!r}, "w") as file:
    json.dump(dict(os.environ), file)
"""
LOADS = "import os, transformers\ntransformers.pipeline('image-classification', os.environ['MODEL_ID'], "
LOADS += "trust_remote_code=True)\nprint('{}')\n"
SECRETS = {
    "HF_TOKEN": "hf_planted",
    "OPENAI_API_KEY": "planted",
    "AWS_SECRET_ACCESS_KEY": "planted",
    "MY_PASSWORD": "x",
}


@pytest.fixture
def foreign(tiny_model: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A model repo whose code writes down the environment that it runs in, and the file that it writes."""
    shutil.copytree(tiny_model, tmp_path / "foreign")
    code = tmp_path / "foreign" / "modeling_empathic_insight_face.py"
    code.write_text(code.read_text() + EXPLOIT.format(seen=str(tmp_path / "seen.json")))
    return tmp_path / "foreign", tmp_path / "seen.json"


def test_code_of_another_model_runs_only_if_trusted_and_sees_no_secret(command, foreign, tmp_path: Path) -> None:
    model, ran = foreign
    (tmp_path / "toy" / "app.py").write_text(LOADS)
    message = command("--model", str(model), fails=True, **SECRETS)
    assert "--trust-remote-code" in message and "modeling_empathic_insight_face.py differs" in message
    assert "--trust-remote-code" in command(fails=True, MODEL_ID=str(model), **SECRETS)
    assert not ran.exists()
    command("--model", str(model), "--trust-remote-code", **SECRETS)
    seen = json.loads(ran.read_text())  # the exploit does run where it is allowed to
    assert not {*SECRETS} & {*seen} and "planted" not in ran.read_text()


def test_a_model_that_is_replaced_after_the_start_changes_nothing(command, tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, model := tmp_path / "model")
    copy = Path(command("--model", str(model))["MODEL_ID"])
    for path in [*model.glob("*.py"), model / "config.json"]:
        path.write_text("raise SystemExit('planted later')")
    assert not any(b"planted later" in path.read_bytes() for path in copy.iterdir())
    (copy / "config.json").write_text("{}")  # a copy that somebody changed is made again
    shutil.copytree(tiny_model, model, dirs_exist_ok=True)
    assert Path(command("--model", str(model))["MODEL_ID"]) == copy
    assert (copy / "config.json").read_bytes() == (tiny_model / "config.json").read_bytes()


# -- what is missing ---------------------------------------------------------------------------------


def test_without_a_model_the_command_says_how_to_get_one(command) -> None:
    said = command(fails=True)
    assert "make demo" in said and "--model" in said and str(SAMPLE) in said
    assert "not a folder" in command("--model", "./absent", fails=True)


def test_a_port_that_is_taken_is_named(command, tiny_model: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"Port {port} on 127.0.0.1 is not available" in command(
            "--model", str(tiny_model), "--port", port, fails=True
        )
        assert "--port" in command("--model", str(tiny_model), fails=True, GRADIO_SERVER_PORT=port)


def test_a_metric_and_a_space_without_a_model_need_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    assert "MODEL_ID" not in environment(ROOT / "metrics" / "weighted_kappa")
    (tmp_path / "settings.json").write_text('{"greeting": "Hello"}')
    assert "MODEL_ID" not in environment(tmp_path)


def test_without_gradio_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("emohub.space.find_spec", lambda name: None)
    with pytest.raises(EmohubError, match=r'pip install "emohub\[space\]"'):
        start_space(SPACE)
    with pytest.raises(EmohubError, match="it has no app.py"):
        start_space(tmp_path)


def test_a_copy_elsewhere_runs_without_the_kit_and_the_network_and_keeps_limits(
    tiny_model: Path, tmp_path: Path, connect
) -> None:
    copy = tmp_path / "elsewhere" / "space"
    shutil.copytree(SPACE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "sitecustomize.py").write_text(ALONE)
    places = {"PYTHONPATH": str(tmp_path / "alone"), "MODEL_ID": str(tiny_model)}
    limits = json.dumps({"requests_per_minute": 2, "faces": 2})
    running, process = start([sys.executable, "app.py"], copy, tmp_path / "run", SPACE_SETTINGS=limits, **places)
    try:
        listening = [c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"]
        assert set(listening) == {"127.0.0.1"}
        client = connect(running.url)
        answer = client.predict(handle_file(copy / "examples" / "group.jpg"), api_name="/predict")
        assert len(answer["faces"]) == 2 and answer["notes"] == ["3 faces were found; the 2 largest are scored."]
        client.predict(handle_file(copy / "examples" / "anger.jpg"), api_name="/predict")
        with pytest.raises(AppError, match="2 pictures and videos a minute"):
            client.predict(handle_file(copy / "examples" / "anger.jpg"), api_name="/predict")
        assert running.uploads() == []
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=patience.ANSWER) == 0
    assert not (tmp_path / "alone" / "strangers").exists()  # whom it tried to reach outside this machine
    assert [path.name for path in (running.folder / "temp").iterdir()] == []  # its temporary folder went with it
    assert sorted(path.name for path in copy.iterdir()) == sorted(
        path.name for path in SPACE.iterdir() if path.name != "__pycache__"
    )
