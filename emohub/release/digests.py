"""What a repo is made from, in one number each: the same number needs no build."""

import hashlib
import json
from pathlib import Path
from typing import Any

import emohub
from emohub.hubfolders import hub_folder
from emohub.release.manifest import Kind

PACKAGE = Path(emohub.__file__).parent
# The code that makes what a repo holds, and the code that writes its card; a change there is a reason to build again.
CONTENT_CODE: dict[Kind, tuple[str, ...]] = {
    "dataset": ("errors.py", "data/*.py", "release/build.py"),
    "metric": (),
    "model": ("data/taxonomy.py", "model/*.py", "model/convert/*.py", "model/infer/*.py", "release/measure.py"),
    "space": (),
}
CARD_CODE = ("templates.py", "model/convert/card.py", "release/*.py")


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


def code_of(kind: Kind) -> list[str]:
    """Digests of the kit's code that makes the content of such a repo."""
    return contents(PACKAGE, *CONTENT_CODE[kind])


def code_of_cards() -> list[str]:
    """Digests of the templates, published results and code that make the cards."""
    return [*contents(PACKAGE, *CARD_CODE), *contents(hub_folder("model_cards"))]


def shipped(folder: Path, *patterns: str) -> list[Path]:
    """The files of a folder that goes to the Hub, without what Python leaves there."""
    found = {path for pattern in patterns or ("**/*",) for path in folder.glob(pattern)}
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def contents(folder: Path, *patterns: str) -> list[str]:
    """A digest a file, over its path in the folder and its bytes."""
    return [
        hashlib.sha256(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes()).hexdigest()
        for path in shipped(folder, *patterns)
    ]
