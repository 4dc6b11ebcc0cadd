"""Some kills at random moments; `make test-kills` does 40 of each command."""

import time
from pathlib import Path

import pytest

from tests.kills.stories import STORIES, World, differences, kill_and_rerun, moments, run, tree


@pytest.mark.parametrize(("name", "count"), [("build dataset", 1), ("embed", 1)])
def test_a_rerun_equals_an_undisturbed_run(
    name: str, count: int, raw_demo: Path, demo_release: Path, tmp_path: Path
) -> None:
    arguments = STORIES[name](World(raw_demo, demo_release, tmp_path))
    start = time.monotonic()
    run(arguments, tmp_path / "undisturbed" / "out")
    seconds = time.monotonic() - start
    wanted = tree(tmp_path / "undisturbed")
    assert wanted
    for number, at in enumerate(moments(seed=7, count=count, seconds=seconds)):
        outcome = kill_and_rerun(arguments, tmp_path / str(number) / "out", at, wanted)
        assert outcome.wrong == ()


def test_differences_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"seconds": 1, "rows": [2]}')
    (tmp_path / "b").write_bytes(b"x")
    before = tree(tmp_path)
    (tmp_path / "a.json").write_text('{"seconds": 9, "rows": [2]}')
    assert list(differences(tree(tmp_path), before)) == []
    (tmp_path / "a.json").write_text('{"seconds": 9, "rows": [3]}')
    (tmp_path / "b").rename(tmp_path / ".c")
    assert [*differences(tree(tmp_path), before)] == [
        (".c", "was left behind"),
        ("a.json", "differs"),
        ("b", "is missing"),
    ]
