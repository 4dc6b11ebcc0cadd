"""What a repo is made from, in one number each: the same number needs no build."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emohub.data.source import HUB_ID
from emohub.dataset.registry import CARD_FILES, find, names
from emohub.hub.folders import hub_folder
from emohub.hub.imports import PACKAGE, closure, imported_files
from emohub.hub.kinds import Kind

Made = Mapping[tuple[Kind, str], str]
"""Kind and name of a repo → digest of its content."""


def digest(*parts: Any) -> str:
    """SHA-256 over values that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


# -- inputs ----------------------------------------------------------------------------------------


def stamp(source: str, base: Path) -> list[Any]:
    """The state of a source: names, sizes and times of its files; for a Hub source, its id alone.

    A new revision on the Hub is not noticed: build again with `--force`.
    """
    path = base / source
    if not path.exists():
        return [source]
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    found = ((one.relative_to(path).as_posix(), one.stat()) for one in files)
    return [source, [[name, state.st_size, state.st_mtime_ns] for name, state in found]]


def local_or_hub_id(source: str, base: Path) -> str:
    """A path relative to the manifest's folder, or a Hub id."""
    folder = base / source
    return str(folder) if folder.exists() or not HUB_ID.fullmatch(source) else source


# -- code ------------------------------------------------------------------------------------------


def card_modules(maker: Path) -> list[Path]:
    """The modules that a module of `makers` imports in its function `write_card`."""
    return imported_files(maker, within="write_card")


def content_code(maker: Path, *scripts: Path) -> list[Path]:
    """The files of the kit whose change is a reason to build the content of a repo again.

    Args:
        maker: Module of `makers`.
        *scripts: Further files that make it, for example those of a dataset's folder.
    """
    return closure([maker, *scripts], without=card_modules(maker))


def card_code(maker: Path) -> list[Path]:
    """The files of the kit whose change is a reason to write the card again."""
    return closure([*card_modules(maker), *(find(name).folder / "card.py" for name in names())])


def code_of(maker: Path, *scripts: Path) -> list[str]:
    """Digests of `content_code`."""
    return _digests(PACKAGE, content_code(maker, *scripts))


def code_of_card(maker: Path) -> list[str]:
    """Digests of `card_code`, of the templates, and of what the datasets' folders hold for cards."""
    own = [one for name in names() for one in contents(find(name).folder, *CARD_FILES)]
    return [*_digests(PACKAGE, card_code(maker)), *contents(hub_folder("model_cards")), *own]


def code_of_dataset(maker: Path, name: str) -> list[str]:
    """Digests of the files that decide what a dataset holds: its own, but for those of its card, and the kit's."""
    folder = find(name).folder
    own = [path for path in shipped(folder) if path.name not in CARD_FILES]
    return [*code_of(maker, *(path for path in own if path.suffix == ".py")), *_digests(folder, own)]


# -- folders that go to the Hub ----------------------------------------------------------------------


def shipped(folder: Path, *patterns: str) -> list[Path]:
    """The files of a folder that goes to the Hub, without Python's caches."""
    found = {path for pattern in patterns or ("**/*",) for path in folder.glob(pattern)}
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def contents(folder: Path, *patterns: str) -> list[str]:
    """One digest per file of a folder that goes to the Hub."""
    return _digests(folder, shipped(folder, *patterns))


def _digests(folder: Path, files: list[Path]) -> list[str]:
    """One digest per file, over its path in the folder and its bytes."""
    return [
        hashlib.sha256(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes()).hexdigest()
        for path in files
    ]
