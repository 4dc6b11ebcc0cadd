"""Which datasets there are: every folder `dataset_scripts/<name>/` declares one, and no list names them.

A dataset's folder holds

| File | What |
| --- | --- |
| `__init__.py` | a line that says what it is |
| `<name>.py` | one `RawBuilder`: configs, columns, label sets, scales; raw files → rows |
| `card.py` | `METADATA`, what the Hub's filters know it by; `facts`, the tables and the picture of its card |
| `card.md.j2` | the template of its card |
| `citation.bib` | how to cite its paper |
| `LICENSE` | the license of the data, copied beside the card (optional) |
| `published.json` | what the paper reports, where the card or a model's card shows it |

The folder `emonet_face` is the dataset "emonet-face". `EMOHUB_PATH` adds folders of your own (`emohub.hub.folders`).
Nothing of a dataset is imported before it is asked for by a name that is found here.
"""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from emohub.errors import EmohubError
from emohub.hub.folders import SCRIPTS, hub_roots, import_file

if TYPE_CHECKING:
    from emohub.data.builder import RawBuilder

# What only the card is made from; every other file of the folder decides what is built.
CARD_FILES = ("card.py", "card.md.j2", "citation.bib", "published.json", "LICENSE")
_FOLDER = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class DatasetScript:
    """One dataset, as its folder declares it.

    Attributes:
        name: The dataset's id, for example "emonet-face".
        folder: The folder that declares it.
    """

    name: str
    folder: Path

    @property
    def builder(self) -> "type[RawBuilder]":
        """The class that reads its raw files.

        Raises:
            EmohubError: `<name>.py` does not define exactly one `RawBuilder`.
        """
        from emohub.data.builder import RawBuilder  # here: datasets takes seconds to load

        module = self._module(self.folder.name)
        found = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, RawBuilder) and value.__module__ == module.__name__
        ]
        if len(found) != 1:
            names = ", ".join(kind.__name__ for kind in found) or "none"
            raise EmohubError(f"{module.__file__} must define one subclass of RawBuilder; it defines {names}.")
        return found[0]

    @property
    def card(self) -> ModuleType:
        """Its `card.py`."""
        return self._module("card")

    @property
    def metadata(self) -> dict[str, Any]:
        """What the Hub's filters know it by."""
        return dict(self.card.METADATA)

    def _module(self, name: str) -> ModuleType:
        """A module of the folder, in a package of its own, wherever the folder is."""
        package = f"emohub_{SCRIPTS}_{self.folder.name}"
        import_file(package, self.folder / "__init__.py")
        return importlib.import_module(f"{package}.{name}")


def names() -> list[str]:
    """The ids of all datasets, sorted.

    Example:
        >>> names()
        ['chehre', 'emonet-face']
    """
    return sorted({script.name for script in _scan()})


def find(name: str) -> DatasetScript:
    """The dataset of an id.

    Raises:
        EmohubError: there is none, or two folders declare it.
    """
    found = [script for script in _scan() if script.name == name]
    if not found:
        raise EmohubError(f"Unknown dataset {name!r}; valid are {', '.join(names())}.")
    if len(found) > 1:
        folders = " and ".join(str(script.folder) for script in found)
        raise EmohubError(f"Dataset {name!r} is declared twice, in {folders}. Rename one of the folders.")
    return found[0]


def _scan() -> Iterator[DatasetScript]:
    for root in hub_roots():
        if (root / SCRIPTS).is_dir():
            for folder in sorted((root / SCRIPTS).iterdir()):
                if _FOLDER.fullmatch(folder.name) and (folder / f"{folder.name}.py").is_file():
                    yield DatasetScript(folder.name.replace("_", "-"), folder)
