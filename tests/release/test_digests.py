"""What decides a rebuild follows from imports; what a process really loads is the oracle."""

import subprocess
import sys
from pathlib import Path

import pytest

from emohub.hub.folders import hub_folder
from emohub.hub.imports import PACKAGE
from emohub.release.digests import CARD_ROOTS, CONTENT_ROOTS, card_code, content_code, shipped

LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*(module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "emohub"), sep="\\n")
"""


def loaded(*roots: str) -> set[Path]:
    """Files of the kit that a fresh process holds once it has imported some of its files."""
    names = [f"emohub.{root.removesuffix('.py').replace('/', '.')}" for root in roots]
    done = subprocess.run([sys.executable, "-c", LOADED, *names], capture_output=True, text=True, check=True)
    return {Path(line) for line in done.stdout.split()}


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_all_that_is_loaded_counts(kind: str) -> None:
    cards = {PACKAGE / root for root in CARD_ROOTS}
    assert loaded(*CONTENT_ROOTS[kind]) - {*content_code(kind)} - {*card_code()} == set()
    assert not cards & {*content_code(kind)}


def test_all_that_cards_load_counts() -> None:
    assert loaded(*CARD_ROOTS) <= {*card_code()}


def test_a_model_depends_on_reading_images_and_a_dataset_on_its_scripts() -> None:
    assert PACKAGE / "data" / "media.py" in content_code("model")
    scripts = shipped(hub_folder("dataset_scripts", "chehre"), "*.py")
    more = {*content_code("dataset", *scripts)} - {*content_code("dataset")}
    assert PACKAGE / "data" / "emojis.py" in more
    assert not more & {*scripts}  # the kit's files only; a builder's own are digested beside them
