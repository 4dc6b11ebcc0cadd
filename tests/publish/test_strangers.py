"""Strangers have nothing of ours: no kit, no cache, no token unless it is given."""

import os
from pathlib import Path

import pytest

from emohub.publish import strangers
from emohub.publish.strangers import visit

LOOK = """
import os, importlib
def visit(id, wanted):
    if wanted == ["fail"]:
        raise ValueError("as it should")
    try:
        importlib.import_module("emohub")
        kit = "kit"
    except ImportError:
        kit = "no kit"
    return [id, kit, os.environ.get("HF_TOKEN"), os.environ["HF_ENDPOINT"], os.listdir("."), os.getcwd()]
"""


def test_what_a_stranger_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(strangers.VISITS, "metric", LOOK)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    seen = visit("metric", {"org/a": [], "org/b": ["fail"]}, "http://hub", None)
    assert seen["org/a"].ok and seen["org/a"].lines[:5] == ("org/a", "no kit", None, "http://hub", [])
    assert not Path(seen["org/a"].lines[5]).exists() and seen["org/a"].lines[5] != os.getcwd()
    assert not seen["org/b"].ok and seen["org/b"].lines == ("ValueError: as it should",)
    assert visit("metric", {"org/a": []}, "http://hub", "hf_given")["org/a"].lines[2] == "hf_given"


@pytest.mark.parametrize(
    ("code", "said"), [("import absent_of_all", "absent_of_all"), ("raise SystemExit(3)", "status 3")]
)
def test_a_stranger_that_does_not_come_far(code: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(strangers.VISITS, "metric", code)
    (seen,) = visit("metric", {"org/a": []}, "http://hub", None).values()
    assert not seen.ok and said in " ".join(seen.lines)


def test_one_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(strangers.VISITS, "metric", "import time; time.sleep(60)")
    monkeypatch.setattr(strangers, "SECONDS", 0.5)
    (seen,) = visit("metric", {"org/a": []}, "http://hub", None).values()
    assert not seen.ok and seen.lines == ("no end after 0.5 s",)
