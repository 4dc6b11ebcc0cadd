"""Imports run one way: no module imports from a floor above its own, none imports a Hub folder, and no circle."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from emohub.hub.imports import imported

ROOT = Path(__file__).parents[1]
# From the ground up; what shares a line shares a floor.
FLOORS = (
    ("errors",),
    ("hub",),
    ("data",),
    ("dataset", "dataset_scripts", "drawing", "model", "space"),
    ("rate",),
    ("report",),
    ("results", "study", "generate"),
    ("harness", "sample"),
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


def circle(package: Path) -> list[str]:
    """Modules of a package that each import the next, ending with the first one again; empty without a circle.

    Imports inside functions count, imports under `if TYPE_CHECKING:` do not. Nor does it count that a module in a
    package imports its sibling from the package (`from package import sibling`).
    """
    files = {path: path.relative_to(package.parent).with_suffix("").parts for path in package.rglob("*.py")}
    modules = {parts[:-1] if parts[-1] == "__init__" else parts: path for path, parts in files.items()}

    def imports(name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for other in imported(modules[name], package):
            if other in modules and name[: len(other)] != other:
                yield other
            elif other not in modules and other[:-1] in modules:  # a name that the module defines
                yield other[:-1]

    try:
        TopologicalSorter({name: {*imports(name)} for name in modules}).prepare()
    except CycleError as error:
        return [".".join(name) for name in error.args[1]]
    return []


@pytest.mark.parametrize("package", ["emohub", "dataset_scripts"])
def test_no_circle(package: str) -> None:
    assert circle(ROOT / package) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("from kit.sub import other", "import kit.sub.one", True),
        ("from . import other", "from .one import name", True),
        ("def use():\n    from kit.sub.other import name", "from kit.sub.one import name", True),
        ("if True:\n    import kit.sub.other", "import kit.sub.one", True),
        ("if TYPE_CHECKING:\n    from kit.sub.other import Name", "from kit.sub.one import name", False),
        ("import json", "from kit.sub.one import name", False),
        ("import kit.sub", "from kit.sub import one", False),
    ],
)
def test_a_circle_inside_a_package_is_found(tmp_path: Path, one: str, other: str, found: bool) -> None:
    files = {"__init__": "", "sub/__init__": '"""Nothing."""', "sub/one": one, "sub/other": other}
    for name, text in files.items():
        path = tmp_path / "kit" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert {*circle(tmp_path / "kit")} == ({"kit.sub.one", "kit.sub.other"} if found else set())
