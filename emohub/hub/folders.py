"""Paths of the folders that go to the Hub: beside the package in a checkout, inside it in a wheel.

Folders of your own are found too: `EMOHUB_PATH` names one or more folders, separated as in `PATH`, each laid out as
the checkout is (`dataset_scripts/`, `metrics/`, `spaces/`, …). The kit's own folders come first. Code in them is run.
"""

import os
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = "dataset_scripts"
EXTRA = "EMOHUB_PATH"
_PACKAGE = Path(__file__).parents[1]


def hub_roots() -> Iterator[Path]:
    """Every folder that may hold the folders that go to the Hub: the kit's own, then those of `EMOHUB_PATH`."""
    yield from (_PACKAGE / "_hub", _PACKAGE.parent)
    yield from (Path(root).absolute() for root in os.environ.get(EXTRA, "").split(os.pathsep) if root)


def hub_folder(kind: str, name: str = "") -> Path:
    """The folder `kind/name`, for example `hub_folder("dataset_scripts", "emonet_face")`.

    Raises:
        FileNotFoundError: neither the checkout, nor the installed package, nor `EMOHUB_PATH` has it.
    """
    for root in hub_roots():
        if (folder := root / kind / name).is_dir():
            return folder
    raise FileNotFoundError(2, "no such Hub folder", f"{kind}/{name}")


def script_folder(dataset: str) -> Path:
    """The folder that declares a dataset, for example `dataset_scripts/emonet_face` for "emonet-face".

    Raises:
        FileNotFoundError: there is none.
    """
    return hub_folder(SCRIPTS, dataset.replace("-", "_"))
