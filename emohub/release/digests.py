"""What a repo is made from, in one number each: the same number needs no build."""

import hashlib
import json
from pathlib import Path
from typing import Any

from emohub.dataset.registry import CARD_FILES, find, names
from emohub.hub.folders import hub_folder
from emohub.hub.imports import PACKAGE, closure
from emohub.hub.kinds import Kind

# What makes the content of a repo begins here; the imports of these modules tell which code decides what is built.
CONTENT_ROOTS: dict[Kind, tuple[str, ...]] = {
    "dataset": ("dataset/build.py",),
    "metric": (),
    "model": ("model/convert/convert.py", "release/measure.py"),
    "space": (),
}
# What writes a card is a reason to write the card again, not to build the content again.
CARD_ROOTS = ("dataset/card.py", "model/card.py", "release/pages.py", "release/results.py")


def digest(*parts: Any) -> str:
    """SHA-256 over values that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def stamp(source: str, base: Path) -> list[Any]:
    """What tells one state of a source from another: names, sizes and times of its files; a Hub source by its id.

    A Hub id names whatever the Hub holds: `--force` builds again what has changed there.
    """
    path = base / source
    if not path.exists():
        return [source]
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    found = ((one.relative_to(path).as_posix(), one.stat()) for one in files)
    return [source, [[name, state.st_size, state.st_mtime_ns] for name, state in found]]


def content_code(kind: Kind, *scripts: Path) -> list[Path]:
    """The files of the kit whose change is a reason to build the content of such a repo again.

    Args:
        kind: Of the repo.
        *scripts: Further files that make it, for example those of a dataset's folder.
    """
    roots = [*(PACKAGE / root for root in CONTENT_ROOTS[kind]), *scripts]
    return closure(roots, without=[PACKAGE / root for root in CARD_ROOTS])


def card_code() -> list[Path]:
    """The files of the kit whose change is a reason to write the cards again."""
    return closure([*(PACKAGE / root for root in CARD_ROOTS), *(find(name).folder / "card.py" for name in names())])


def code_of(kind: Kind, *scripts: Path) -> list[str]:
    """Digests of `content_code`."""
    return _digests(PACKAGE, content_code(kind, *scripts))


def code_of_dataset(name: str) -> list[str]:
    """Digests of the files that decide what a dataset holds: its own, but for those of its card, and the kit's."""
    folder = find(name).folder
    own = [path for path in shipped(folder) if path.name not in CARD_FILES]
    return [*code_of("dataset", *(path for path in own if path.suffix == ".py")), *_digests(folder, own)]


def code_of_cards() -> list[str]:
    """Digests of the templates, published results and code that make the cards."""
    folders = [find(name).folder for name in names()]
    own = [digest for folder in folders for digest in contents(folder, *CARD_FILES)]
    return [*_digests(PACKAGE, card_code()), *contents(hub_folder("model_cards")), *own]


def shipped(folder: Path, *patterns: str) -> list[Path]:
    """The files of a folder that goes to the Hub, without what Python leaves there."""
    found = {path for pattern in patterns or ("**/*",) for path in folder.glob(pattern)}
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def contents(folder: Path, *patterns: str) -> list[str]:
    """A digest a file of a folder that goes to the Hub."""
    return _digests(folder, shipped(folder, *patterns))


def _digests(folder: Path, files: list[Path]) -> list[str]:
    """A digest a file, over its path in the folder and its bytes."""
    return [
        hashlib.sha256(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes()).hexdigest()
        for path in files
    ]
