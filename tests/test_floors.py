"""Imports run one way: no module of the kit imports from a floor above its own, and none imports a Hub folder."""

from collections.abc import Iterator
from pathlib import Path

from emohub.hub.imports import imported

ROOT = Path(__file__).parents[1]
# From the ground up; what shares a line shares a floor.
FLOORS = (
    ("errors",),
    ("hub",),
    ("data",),
    ("dataset", "dataset_scripts", "model", "sample", "space"),
    ("release",),
    ("check",),
    ("publish",),
    ("commands", "demo"),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: number for number, names in enumerate(FLOORS) for name in names}
HUB_FOLDERS = {"hub_models", "metrics", "spaces", "dataset_scripts"}


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
        if parts[:1] == ("emohub",)
        and len(parts) > 1
        and LEVEL.get(parts[1], -1) > LEVEL.get(floor, -1)
        and floor != "__init__"
    ]
    assert upward == []


def test_every_module_has_a_floor() -> None:
    assert {floor for floor, _ in modules()} - {"__init__"} == {*LEVEL}


def test_the_kit_imports_no_hub_folder() -> None:
    found = {parts[0] for floor, path in modules() for parts in imported(path) if parts}
    assert not found & HUB_FOLDERS


def test_what_goes_to_the_hub_stands_alone() -> None:
    alone = [path for kind in ("hub_models", "metrics", "spaces") for path in (ROOT / kind).rglob("*.py")]
    assert alone and not [path for path in alone for parts in imported(path) if parts[:1] == ("emohub",)]
