"""Imports run one way: no module of the kit imports from a floor above its own, and none imports a Hub folder."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# From the ground up; what shares a line shares a floor.
FLOORS = (
    ("errors",),
    ("folders", "hubfolders", "templates"),
    ("data",),
    ("dataset_scripts", "model"),
    ("release", "space"),
    ("commands", "demo"),
    ("cli",),
)
LEVEL = {name: number for number, names in enumerate(FLOORS) for name in names}
HUB_FOLDERS = {"hub_models", "metrics", "spaces", "dataset_scripts"}


def imported(path: Path) -> Iterator[list[str]]:
    """Dotted names of what a module imports, in parts; a relative import stays within its folder."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = node.module == "emohub"
            yield from ([*node.module.split("."), *([alias.name] if whole else [])] for alias in node.names)


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "emohub").rglob("*.py")):
        yield path.relative_to(ROOT / "emohub").parts[0].removesuffix(".py"), path
    for path in sorted((ROOT / "dataset_scripts").rglob("*.py")):
        yield "dataset_scripts", path


def test_no_import_runs_up() -> None:
    upward = [
        f"{path.relative_to(ROOT)} imports {'.'.join(parts)}"
        for floor, path in modules()
        for parts in imported(path)
        if parts[0] == "emohub" and len(parts) > 1 and LEVEL[parts[1]] > LEVEL.get(floor, -1) and floor != "__init__"
    ]
    assert upward == []


def test_every_module_has_a_floor() -> None:
    assert {floor for floor, _ in modules()} - {"__init__"} == {*LEVEL}


def test_the_kit_imports_no_hub_folder() -> None:
    found = {parts[0] for floor, path in modules() for parts in imported(path)}
    assert not found & HUB_FOLDERS


def test_what_goes_to_the_hub_stands_alone() -> None:
    alone = [path for kind in ("hub_models", "metrics", "spaces") for path in (ROOT / kind).rglob("*.py")]
    assert alone and not [path for path in alone for parts in imported(path) if parts[0] == "emohub"]
