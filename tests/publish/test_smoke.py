"""The smoke test runs without emohub, without a cache, and without a token unless it is given."""

import os
from pathlib import Path

import pytest

from emohub.publish import smoke
from emohub.publish.smoke import load_repos

SCRIPT = """
import os, importlib
def load(id, expected):
    if expected == ["fail"]:
        raise ValueError("expected")
    try:
        importlib.import_module("emohub")
        installed = "emohub"
    except ImportError:
        installed = "no emohub"
    return [id, installed, os.environ.get("HF_TOKEN"), os.environ["HF_ENDPOINT"], os.listdir("."), os.getcwd()]
"""


def test_the_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(smoke.SCRIPTS, "metric", SCRIPT)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    results = load_repos("metric", {"org/a": [], "org/b": ["fail"]}, "http://hub", None)
    assert results["org/a"].ok and results["org/a"].lines[:5] == ("org/a", "no emohub", None, "http://hub", [])
    assert not Path(results["org/a"].lines[5]).exists() and results["org/a"].lines[5] != os.getcwd()
    assert not results["org/b"].ok and results["org/b"].lines == ("ValueError: expected",)
    assert load_repos("metric", {"org/a": []}, "http://hub", "hf_given")["org/a"].lines[2] == "hf_given"


@pytest.mark.parametrize(
    ("code", "reason"), [("import absent_of_all", "absent_of_all"), ("raise SystemExit(3)", "status 3")]
)
def test_a_process_that_fails(code: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(smoke.SCRIPTS, "metric", code)
    (result,) = load_repos("metric", {"org/a": []}, "http://hub", None).values()
    assert not result.ok and reason in " ".join(result.lines)


def test_a_process_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(smoke.SCRIPTS, "metric", "import time; time.sleep(60)")
    monkeypatch.setattr(smoke, "SECONDS", 0.5)
    (result,) = load_repos("metric", {"org/a": []}, "http://hub", None).values()
    assert not result.ok and result.lines == ("timeout after 0.5 s",)
