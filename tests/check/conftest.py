"""A release that is good, and copies of it to plant defects in."""

import json
from pathlib import Path

import pytest

from tests.check.planting import Copy

PAGE = """\
import json
from pathlib import Path

import gradio as gr

MODEL = json.loads(Path("settings.json").read_text())["model"]


def greet(name: str) -> str:
    return f"{name} looks at {MODEL}"


gr.Interface(greet, "text", "text", api_name="greet").launch()
"""
CARD = """\
---
title: A small page
emoji: 🙂
colorFrom: blue
colorTo: green
sdk: gradio
sdk_version: 6.31.0
app_file: app.py
license: apache-2.0
models:
- demo-org/empathic-insight-face-small
datasets:
- demo-org/emonet-face
---

# A small page

It names a model.
"""


@pytest.fixture(scope="session")
def good(demo_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo release with a gated dataset and a small Space besides: read only."""
    copy = Copy(tmp_path_factory.mktemp("good") / "release", demo_release)
    with copy.meta("datasets/chehre/README.md") as meta:
        meta["extra_gated_prompt"] = "Be kind to the people in the videos."
        meta["extra_gated_fields"] = {"Affiliation": "text", "I agree": "checkbox"}
    for name, text in {"app.py": PAGE, "README.md": CARD, "requirements.txt": "gradio>=6\n"}.items():
        copy.write(f"spaces/small_page/{name}", text)
    copy.write("spaces/small_page/settings.json", json.dumps({"model": "demo-org/empathic-insight-face-small"}))
    with copy.json("release.json") as record:
        next(repo for repo in record["repos"] if repo["name"] == "chehre")["gated"] = "auto"
        page = {"kind": "space", "name": "small_page", "private": False, "gated": None, "digest": "0" * 64}
        record["repos"].append(page)
    return copy.folder


@pytest.fixture
def copied(good: Path, tmp_path: Path) -> Copy:
    """A copy of the good release that may be changed through its methods."""
    return Copy(tmp_path / "release", good)
