"""What decides a rebuild follows from the makers' imports; the modules that a process loads are the oracle."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emohub.hub.folders import hub_folder
from emohub.hub.imports import PACKAGE, imported_files
from emohub.hub.kinds import FOLDERS
from emohub.release.digests import card_code, card_modules, content_code, shipped
from emohub.release.makers.registry import MAKERS

LOADED = """
import importlib, json, sys
steps = []
for names in json.loads(sys.argv[1]):
    for name in names:
        importlib.import_module(name)
    steps.append([module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "emohub"])
print(json.dumps(steps))
"""


def loaded(*steps: list[Path]) -> list[set[Path]]:
    """Files of the kit that a fresh process has loaded after it imported some of its files, then some more."""
    names = [
        [f"emohub.{file.relative_to(PACKAGE).with_suffix('').as_posix().replace('/', '.')}" for file in files]
        for files in steps
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(names)], capture_output=True, text=True, check=True
    )
    return [{Path(file) for file in files} for files in json.loads(done.stdout)]


def below(*files: Path) -> set[str]:
    return {file.relative_to(PACKAGE).as_posix() for file in files}


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_module_that_makes_the_content_or_the_card_counts(kind: str) -> None:
    maker = MAKERS[kind].FILE
    cards = card_modules(maker)
    content = [file for file in imported_files(maker) if file not in cards]
    for_cards, for_all = loaded([*cards], [maker, *content])
    assert cards and for_cards <= {*card_code(maker)}
    assert for_all - {*content_code(maker)} - {*card_code(maker)} == set()


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_card_or_the_manifest_is_no_reason_to_build_content_again(kind: str) -> None:
    maker = MAKERS[kind].FILE
    content = below(*content_code(maker))
    assert not content & below(*card_modules(maker))
    assert not content & {"release/manifest.py", "release/build.py", "release/makers/registry.py", "hub/words.py"}


def test_the_code_of_each_kind() -> None:
    assert below(*card_modules(MAKERS["dataset"].FILE)) == {
        "dataset/card.py",
        "hub/card.py",
        "release/benchmark.py",
    }
    assert {"data/media.py", "model/convert/convert.py", "release/measure.py"} <= below(
        *content_code(MAKERS["model"].FILE)
    )
    assert {"dataset/build.py", "data/media.py"} <= below(*content_code(MAKERS["dataset"].FILE))
    assert not [one for one in content_code(MAKERS["dataset"].FILE) if "model" in one.parts]


def test_a_dataset_depends_on_its_scripts() -> None:
    maker, scripts = MAKERS["dataset"].FILE, shipped(hub_folder("dataset_scripts", "chehre"), "*.py")
    more = {*content_code(maker, *scripts)} - {*content_code(maker)}
    assert PACKAGE / "data" / "emojis.py" in more
    assert not more & {*scripts}  # the kit's files only; a builder's own are digested beside them
