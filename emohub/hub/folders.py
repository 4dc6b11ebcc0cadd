"""Where the folders that go to the Hub are: beside the package in a checkout, inside it in a wheel."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_PACKAGE = Path(__file__).parents[1]


def hub_folder(kind: str, name: str = "") -> Path:
    """The folder `kind/name`, for example `hub_folder("dataset_scripts", "emonet_face")`.

    Raises:
        FileNotFoundError: neither the checkout nor the installed package holds it.
    """
    for root in (_PACKAGE / "_hub", _PACKAGE.parent):
        if (folder := root / kind / name).is_dir():
            return folder
    raise FileNotFoundError(2, "no such Hub folder", f"{kind}/{name}")


def load_builder_module(dataset: str) -> ModuleType:
    """Import `dataset_scripts/<dataset>/<dataset>.py` under a name of its own, wherever the folder is."""
    package = f"emohub_dataset_scripts_{dataset}"
    if package not in sys.modules:
        folder = hub_folder("dataset_scripts", dataset)
        spec = importlib.util.spec_from_file_location(
            package, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec and spec.loader, folder
        module = importlib.util.module_from_spec(spec)
        sys.modules[package] = module
        spec.loader.exec_module(module)
    return importlib.import_module(f"{package}.{dataset}")


def load_shared(kind: str, folder: str, name: str) -> ModuleType:
    """Import the one file `kind/folder/name.py`, which stands alone, under a name of its own."""
    module_name = f"emohub_{kind}_{folder.strip('_')}_{name}"
    if module_name not in sys.modules:
        path = hub_folder(kind, folder) / f"{name}.py"
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec and spec.loader, path
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    return sys.modules[module_name]
