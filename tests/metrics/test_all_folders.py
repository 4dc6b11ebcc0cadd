"""Every metric folder as a user has it: loaded in a fresh offline process, in place and copied elsewhere."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from evaluate.loading import get_imports

from tests import patience

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.name for path in (ROOT / "metrics").iterdir() if path.is_dir() and path.name[0] not in "_.")

# Runs in a fresh process: loads a folder as a user would, runs the doctests of its code and of its card.
VISIT = """
import doctest, importlib, json, os, sys
from pathlib import Path
import evaluate

base, names = Path(sys.argv[1]), sys.argv[2:]
metrics = {name: evaluate.load(str(base / name)) for name in names}
os.chdir(base)  # the cards load their folder by its name
seen = {}
for name, metric in metrics.items():
    module = importlib.import_module(type(metric).__module__)
    package = type(metric).__module__.rpartition(".")[0]
    siblings = [sys.modules[key] for key in sorted(sys.modules) if key.startswith(package + ".")]
    runs = [doctest.testmod(sibling) for sibling in [module, *siblings]]
    card = doctest.testfile(f"{name}/README.md", module_relative=False, encoding="utf-8")
    seen[name] = {
        "class": type(metric).__name__,
        "file": module.__file__,
        "failed": sum(run.failed for run in [*runs, card]),
        "attempted": [runs[0].attempted, sum(run.attempted for run in runs), card.attempted],
        "texts": [len(metric.description), len(metric.citation), len(metric.inputs_description)],
        "features": sorted(metric.features),
        "heavy": sorted({"krippendorff", "gradio", "matplotlib", "emohub"} & set(sys.modules)),
    }
print("SEEN" + json.dumps(seen))
"""


def visit(base: Path, home: Path, cwd: Path) -> dict:
    """What a fresh process without network and without this checkout sees of the folders in `base`."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "HF_MODULES_CACHE")}
    env |= {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", VISIT, str(base), *NAMES],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=patience.PROCESS,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.rpartition("SEEN")[2]) | {"": run.stdout}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> dict:
    base = tmp_path_factory.mktemp("elsewhere")
    for name in NAMES:
        shutil.copytree(ROOT / "metrics" / name, base / name, ignore=shutil.ignore_patterns("__pycache__"))
    return visit(base, tmp_path_factory.mktemp("home"), base)


@pytest.fixture(scope="module")
def in_place(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return visit(Path("metrics"), tmp_path_factory.mktemp("home"), ROOT)  # evaluate.load("metrics/weighted_kappa")


def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def top_names(path: Path) -> set[str]:
    """Packages that a file imports; siblings are left out."""
    found = set()
    for node in imports(path):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        if not getattr(node, "level", 0):
            found |= {name.partition(".")[0] for name in names}
    return found - sys.stdlib_module_names - {sibling.stem for sibling in path.parent.glob("*.py")}


def dotted(path: Path) -> set[str]:
    """Siblings that a file imports with a dot."""
    return {str(node.module) for node in imports(path) if isinstance(node, ast.ImportFrom) and node.level}


def bare_names(path: Path) -> set[str]:
    """Modules that a file imports without a dot."""
    return {
        str(getattr(node, "module", None) or node.names[0].name) for node in imports(path) if dotless(node)
    } | lazy(path)


def dotless(node: ast.Import | ast.ImportFrom) -> bool:
    return not getattr(node, "level", 0)


def lazy(path: Path) -> set[str]:
    """Modules that a file imports by a call."""
    return set(re.findall(r'import_module\("(\w+)[".]', path.read_text("utf-8")))


def test_the_folders_are_those_of_the_design() -> None:
    assert NAMES == [
        "dominant_expression",
        "krippendorff_alpha",
        "rating_correlation",
        "spread_ratio",
        "weighted_kappa",
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["copied", "in_place"])
def test_loads_in_a_fresh_offline_process_and_its_examples_run(name: str, where: str, request) -> None:
    every = request.getfixturevalue(where)
    seen = every[name]
    assert seen["failed"] == 0, every[""]
    assert all(seen["attempted"]), seen["attempted"]
    assert seen["class"].lower() == name.replace("_", "")
    assert all(seen["texts"])
    assert seen["heavy"] == [], "imported although nobody asked for it"


@pytest.mark.parametrize("name", NAMES)
def test_folder_is_flat_complete_and_its_own(name: str) -> None:
    folder = ROOT / "metrics" / name
    files = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    assert {f"{name}.py", "app.py", "README.md", "requirements.txt"} <= files
    assert {Path(file).suffix for file in files} == {".py", ".md", ".txt"}, "no folder, nothing else"
    for path in folder.glob("*.py"):
        for node in imports(path):
            assert len(node.names) == 1 or isinstance(node, ast.ImportFrom), f"{path}:{node.lineno}: one import a line"
        assert "emohub" not in top_names(path), path
        assert len(path.read_text("utf-8").splitlines()) <= 350, path


@pytest.mark.parametrize("name", NAMES)
def test_the_main_file_imports_every_sibling_that_it_needs(name: str) -> None:
    """evaluate copies what the main file names, and does not look into those files. A page imports by bare names."""
    folder = ROOT / "metrics" / name
    siblings = {path.stem for path in folder.glob("*.py")}
    needs = {path.stem: dotted(path) for path in folder.glob("*.py")}
    reached, todo = set(), {name}
    while todo:
        found = todo.pop()
        reached.add(found)
        todo |= needs[found] - reached
    assert needs[name] == reached - {name}
    of_page = {"app"}
    while more := {bare for stem in of_page for bare in bare_names(folder / f"{stem}.py") & siblings} - of_page:
        of_page |= more
    assert reached | of_page == siblings, "no file without a use"
    assert not reached & of_page, "a file is imported with a dot or by its bare name, not both"


@pytest.mark.parametrize("name", NAMES)
def test_the_import_parser_of_evaluate_sees_every_import(name: str) -> None:
    """It is a regular expression; what it misses is not copied, or not asked for."""
    path = ROOT / "metrics" / name / f"{name}.py"
    seen = {found for _, found, *_ in get_imports(str(path))}
    modules = {(getattr(node, "module", None) or node.names[0].name).partition(".")[0] for node in imports(path)}
    assert modules == seen
    assert {found for kind, found, *_ in get_imports(str(path)) if kind == "internal"} == dotted(path)


@pytest.mark.parametrize("name", NAMES)
def test_requirements_are_what_is_imported(name: str) -> None:
    folder = ROOT / "metrics" / name
    lines = [line for line in (folder / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    required = {re.split(r"[<>=!~\[]", line)[0] for line in lines}
    used = set().union(*(top_names(path) for path in folder.glob("*.py"))) - {"datasets"}  # evaluate brings it
    called = set().union(*map(lazy, folder.glob("*.py"))) - {path.stem for path in folder.glob("*.py")}
    assert required == used | called


def test_the_licence_of_the_other_engine_stands_at_its_line() -> None:
    lines = (ROOT / "metrics/krippendorff_alpha/requirements.txt").read_text().splitlines()
    (note,) = (number for number, line in enumerate(lines) if "GPL-3.0" in line)
    assert lines[note + 1].startswith("krippendorff>=")


@pytest.mark.parametrize("name", NAMES)
def test_card_is_that_of_a_gradio_space(name: str) -> None:
    text = (ROOT / "metrics" / name / "README.md").read_text("utf-8")
    _, front, body = text.split("---\n", 2)
    meta = yaml.safe_load(front)
    assert {"title", "emoji", "colorFrom", "colorTo", "sdk_version", "description"} <= set(meta)
    assert (meta["sdk"], meta["app_file"], meta["pinned"], meta["license"]) == (
        "gradio",
        "app.py",
        False,
        "apache-2.0",
    )
    assert meta["tags"][:2] == ["evaluate", "metric"] and len(meta["tags"]) > 2
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {meta["colorFrom"], meta["colorTo"]} <= colours
    for heading in ("## How to use", "## Options", "## Limits", "## Citation"):
        assert heading in body
    assert "**Range:**" in body
    if name == "krippendorff_alpha":
        assert "GPL-3.0" in body


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_in_the_card(name: str) -> None:
    source = ast.parse((ROOT / "metrics" / name / f"{name}.py").read_text("utf-8"))
    (analyse,) = (node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "analyse")
    card = (ROOT / "metrics" / name / "README.md").read_text("utf-8")
    options = card[card.index("## Options") : card.index("**Result:**")]
    for argument in analyse.args.kwonlyargs:
        assert f"`{argument.arg}`" in options, argument.arg


@pytest.mark.parametrize("name", NAMES)
def test_page_listens_on_this_machine_only(name: str) -> None:
    assert 'os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")' in (ROOT / "metrics" / name / "page.py").read_text(
        "utf-8"
    )
