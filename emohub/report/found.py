"""The items of a report: every file in `items/` and in a folder `report_items/` of `EMOHUB_PATH` declares one."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from emohub.errors import EmohubError
from emohub.hub.folders import hub_roots, import_file
from emohub.report.item import Item

_HERE = Path(__file__).parent / "items"
OWN = "report_items"


def items() -> list[Item]:
    """All items, in the order in which a report shows them.

    Raises:
        EmohubError: a file declares none, or two declare the same.
    """
    found: dict[str, Item] = {}
    for path in _files():
        item = getattr(_module(path), "ITEM", None)
        if not isinstance(item, Item):
            raise EmohubError(f"{path} must define ITEM, an emohub.report.item.Item.")
        if item.id in found:
            raise EmohubError(f"{path} declares the item {item.id!r}, which another file declares. Rename one.")
        found[item.id] = item
    return sorted(found.values(), key=lambda item: (item.place, item.id))


def _files() -> Iterator[Path]:
    for folder in (_HERE, *(root / OWN for root in hub_roots())):
        yield from (path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_"))


def _module(path: Path) -> ModuleType:
    if path.parent == _HERE:
        return importlib.import_module(f"emohub.report.items.{path.stem}")
    return import_file(f"emohub_{OWN}_{path.stem}", path)
