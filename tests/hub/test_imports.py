"""Imports are found wherever they stand, relative ones too, and a circle does not hang."""

from pathlib import Path

import pytest

from emohub.hub.imports import closure, imported_files

MODULES = {
    "__init__.py": "",
    "a.py": "import os\n\ndef f():\n    from kit.b import g\n",
    "b.py": "from . import c\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import kit.types_only\n",
    "c.py": "from kit.sub.deep import thing\nimport kit.a\n",
    "sub/__init__.py": "",
    "sub/deep.py": "from .. import top\nfrom ..late import name\n",
    "top.py": "",
    "late.py": "",
    "types_only.py": "",
    "unused.py": "",
}


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    for name, text in MODULES.items():
        path = tmp_path / "kit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "kit"


def names(kit: Path, *roots: Path, without: tuple[Path, ...] = ()) -> set[str]:
    return {path.relative_to(kit).as_posix() for path in closure(roots, without=without, package=kit)}


def test_everything_that_a_module_leads_to(kit: Path) -> None:
    assert names(kit, kit / "a.py") == {*MODULES} - {"types_only.py", "unused.py"}


def test_what_is_left_out_is_not_followed(kit: Path) -> None:
    assert names(kit, kit / "a.py", without=(kit / "c.py",)) == {"__init__.py", "a.py", "b.py"}


def test_roots_outside_the_package_lead_into_it(kit: Path, tmp_path: Path) -> None:
    (script := tmp_path / "script.py").write_text("from kit.late import name\n")
    assert names(kit, script) == {"__init__.py", "late.py"}


def test_the_imports_of_one_function(kit: Path) -> None:
    (kit / "b.py").write_text(
        "from kit import c\n\ndef f():\n    if c:\n        import kit.late\n\ndef g():\n    import kit.top\n"
    )
    assert imported_files(kit / "b.py", kit, within="f") == [kit / "late.py"]
    assert {*imported_files(kit / "b.py", kit)} == {kit / "__init__.py", kit / "c.py", kit / "late.py", kit / "top.py"}
