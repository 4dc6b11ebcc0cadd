"""Paths of the folders that go to the Hub: beside the package in a checkout, inside it in a wheel.

Folders of your own are found too: `EMOHUB_PATH` names one or more folders, separated as in `PATH`, each laid out as
the checkout is (`dataset_scripts/`, `metrics/`, `spaces/`, …). The kit's own folders come first. Code in them is run.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

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


def load_shared(kind: str, folder: str, name: str) -> ModuleType:
    """Import the self-contained file `kind/folder/name.py` under a unique name."""
    return import_file(f"emohub_{kind}_{folder.strip('_')}_{name}", hub_folder(kind, folder) / f"{name}.py")


def import_file(name: str, path: Path) -> ModuleType:
    """Import a file under a module name of its own, once; an `__init__.py` as a package.

    A file that fails to load leaves no module behind.
    """
    if name not in sys.modules:
        inside = [str(path.parent)] if path.name == "__init__.py" else None
        spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=inside)
        assert spec and spec.loader, path
        sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]
