"""JSON and YAML of others: whatever is wrong is one kind of error."""

from pathlib import Path

import pytest

from emohub.errors import BuildError, EmohubError
from emohub.hub.card import read_card
from emohub.hub.json_files import parse_json
from emohub.model.convert.outputs import read_outputs
from emohub.release.record import open_release

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000 + "1" + "}" * 100_000, "{", "", b"\xff", "nul"])
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="."):
        parse_json(text)


def test_files_that_are_nested_too_deeply_are_named(tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text(DEEP)
    with pytest.raises(EmohubError, match="nested too deeply"):
        open_release(tmp_path)
    (tmp_path / "outputs.jsonl").write_text(DEEP)
    with pytest.raises(BuildError, match="nested too deeply"):
        read_outputs(tmp_path / "outputs.jsonl")
    (tmp_path / "README.md").write_text(f"---\na: {DEEP}\n---\n")
    assert "nested too deeply" in read_card(tmp_path / "README.md").error
