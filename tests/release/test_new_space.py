"""A new Space is one new folder: without a model, it is built, checked, started and planned for publishing."""

import json
import os
from pathlib import Path

import pytest

from emohub.check.run import check_path
from emohub.errors import BuildError
from emohub.hub import folders
from emohub.publish.publish import Options, plan_publish
from emohub.release.build import build_release
from emohub.release.record import open_release
from tests.hub_server import Hub, running

ROOT = Path(__file__).parents[2]
APP = """\
import json
from pathlib import Path

import gradio as gr

GREETING = json.loads(Path("settings.json").read_text(encoding="utf-8"))["greeting"]


def greet(name: str) -> str:
    return f"{GREETING}, {name}"


gr.Interface(greet, "text", "text", api_name="greet").launch()
"""
CARD = """\
---
title: Greeting
emoji: 🙂
colorFrom: blue
colorTo: green
sdk: gradio
sdk_version: 6.31.0
app_file: app.py
license: apache-2.0
---

# Greeting

It serves no model.
"""
MANIFEST = """
[release]
title = "Greetings"
version = "1.0.0"
namespace = "lab"
[spaces.greeting]
folder = "hello"
"""


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the kit's folders, made of links, with one new folder: `spaces/hello`."""
    root = tmp_path / "kit"
    space = root / "spaces" / "hello"
    space.mkdir(parents=True)
    os.symlink(ROOT / "model_cards", root / "model_cards")
    for name, text in {"app.py": APP, "README.md": CARD, "requirements.txt": "gradio>=6\n"}.items():
        (space / name).write_text(text, encoding="utf-8")
    (space / "settings.json").write_text('{"greeting": "Hello", "times": 1}', encoding="utf-8")
    monkeypatch.setattr(folders, "_PACKAGE", root / "emohub")
    return root


def manifest(kit: Path, more: str = "") -> Path:
    (kit / "release.toml").write_text(MANIFEST + more, encoding="utf-8")
    return kit / "release.toml"


def test_it_is_built_checked_and_planned(kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "release"
    build_release(manifest(kit, 'settings = { greeting = "Salaam" }\n'), out)
    assert json.loads((out / "spaces/greeting/settings.json").read_text()) == {"greeting": "Salaam", "times": 1}
    report = check_path(out)  # with every process that it starts
    assert report.ok and not report.left_out, report.failures
    assert "space.starts" in {result.check.id for result in report.results}
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with running(Hub(tmp_path / "objects", tokens={})) as url:
        (planned,) = plan_publish(out, Options(endpoint=url)).repos
    assert (planned.action, planned.target.id) == ("create", "lab/greeting")
    assert {file.path for file in planned.add} == {
        "app.py",
        "LICENSE",
        "README.md",
        "settings.json",
        "requirements.txt",
    }
    assert build_release(kit / "release.toml", out) == {"spaces/greeting": "unchanged"}
    assert build_release(manifest(kit), out) == {"spaces/greeting": "card"}
    assert json.loads((out / "spaces/greeting/settings.json").read_text())["greeting"] == "Hello"


def test_the_name_of_its_secret_is_recorded(kit: Path, tmp_path: Path) -> None:
    build_release(manifest(kit), tmp_path / "release")
    assert [repo.secret for repo in open_release(tmp_path / "release").repos] == [None]
    build_release(manifest(kit, "secret = 'HF_TOKEN'\n"), tmp_path / "release")
    assert [repo.secret for repo in open_release(tmp_path / "release").repos] == ["HF_TOKEN"]


def test_unknown_settings_are_refused_with_the_valid_ones(kit: Path, tmp_path: Path) -> None:
    with pytest.raises(
        BuildError, match="lab/greeting: settings in the manifest names 'greetings'; valid: greeting, ti"
    ):
        build_release(manifest(kit, "settings = { greetings = 'Hi' }\n"), tmp_path / "release")
    assert not (tmp_path / "release" / "spaces" / "greeting").exists()
    (kit / "spaces" / "hello" / "settings.json").unlink()
    with pytest.raises(BuildError, match=r"the Space has no settings.json"):
        build_release(manifest(kit, "settings = { greeting = 'Hi' }\n"), tmp_path / "release")


def test_the_model_in_settings_is_one_that_the_space_links(kit: Path, tmp_path: Path) -> None:
    (kit / "spaces" / "hello" / "settings.json").write_text('{"greeting": "Hello", "model": "ORG/to-fill-in"}')
    build_release(manifest(kit), tmp_path / "release")
    ids = {"links.settings", "cards.placeholders"}
    assert {failure.where for failure in check_path(tmp_path / "release", ids=ids).failures} == {
        "spaces/greeting/settings.json",
        "spaces/greeting/README.md",
    }
    build_release(manifest(kit, "settings = { model = 'other/model' }\n"), tmp_path / "release")
    (failure,) = check_path(tmp_path / "release", ids=ids).failures
    assert "`models` does not name other/model" in failure.found
    card = kit / "spaces" / "hello" / "README.md"
    card.write_text(CARD.replace("license:", "models: [other/model]\nlicense:"), encoding="utf-8")
    build_release(manifest(kit, "settings = { model = 'other/model' }\n"), tmp_path / "release")
    assert check_path(tmp_path / "release", ids=ids).ok
