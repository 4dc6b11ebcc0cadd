"""The summary of a loop is checked before a card tells from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from emohub.data.generation import RECORD, is_generated, read_generation
from emohub.errors import SourceError

GOOD: dict[str, Any] = {
    "stopped": "target",
    "target": 5,
    "rounds": 2,
    "rejected": 0,
    "given_up": ["Awe"],
    "generator": {"model": "m"},
    "annotation": {"rater": "openai:x", "hint_below": 0.5},
}


def write(folder: Path, **changes: Any) -> Path:
    (folder / RECORD).write_text(json.dumps({**GOOD, **changes}))
    return folder


def test_it_is_read(tmp_path: Path) -> None:
    assert not is_generated(tmp_path) and read_generation(tmp_path) == {}
    assert read_generation(write(tmp_path)) == GOOD and is_generated(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stopped", "because"),
        ("rounds", -1),
        ("rounds", True),
        ("target", "many"),
        ("given_up", ["<script>"]),
        ("given_up", "Awe"),
        ("generator", {}),
        ("annotation", {"rater": "x"}),
    ],
)
def test_what_no_loop_writes_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    with pytest.raises(SourceError, match=f"{key} is .*generate loop"):
        read_generation(write(tmp_path, **{key: value}))


def test_what_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text("[1]")
    with pytest.raises(SourceError, match="Run `emohub generate loop` again"):
        read_generation(tmp_path)
