"""JSON and YAML of others: whatever is wrong is one kind of error."""

import ast
from pathlib import Path

import pytest

from emohub.errors import BuildError, EmohubError
from emohub.hub.card import read_card
from emohub.hub.json_files import parse_json, read_json
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


ROOT = Path(__file__).parents[2]
# What starts without the kit reads JSON that the kit itself wrote.
ALONE = {"emohub/hub/guard.py", "emohub/check/scripts/load_dataset.py"}


def test_every_json_is_read_by_the_one_rule() -> None:
    found = set()
    for path in [*(ROOT / "emohub").rglob("*.py"), *(ROOT / "dataset_scripts").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("load", "loads")
                and ast.unparse(node.value) == "json"
            ):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == {*ALONE, "emohub/hub/json_files.py"}


def test_a_file_is_named(tmp_path: Path) -> None:
    for content in (DEEP.encode(), b"{", b"\xff\xfe\x00"):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(EmohubError, match=r"a\.json is not valid JSON: .*\. Correct it"):
            read_json(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "missing.json")
    (tmp_path / "a.json").write_text('{"faces": 10}')
    assert read_json(tmp_path / "a.json") == {"faces": 10}


def test_manifests_and_settings_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emohub.model.train.data import read_manifests
    from emohub.space import _toy_settings

    (tmp_path / "manifest.json").write_text(DEEP)
    with pytest.raises(EmohubError, match="manifest.json is not valid JSON: it is nested too deeply"):
        read_manifests([tmp_path])
    for given in (DEEP, "{", "3"):
        monkeypatch.setenv("SPACE_SETTINGS", given)
        with pytest.raises(EmohubError, match="SPACE_SETTINGS is .*; must be a JSON object"):
            _toy_settings()
