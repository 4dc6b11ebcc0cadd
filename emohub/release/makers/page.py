"""Metrics and Spaces: a folder of the kit, copied; its card is completed."""

import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emohub.data.source import sha256_of
from emohub.errors import BuildError
from emohub.hub.folders import hub_folder
from emohub.release.digests import contents, shipped

if TYPE_CHECKING:
    from emohub.hub.context import ReleaseContext
    from emohub.release.digests import Made
    from emohub.release.manifest import Metric, Space

FILE = Path(__file__)
CARD_NEEDS_CONTENT = True  # the card is written by hand in the folder


def folder_of(name: str, spec: "Metric | Space") -> Path:
    """The folder of the kit that is published as this repo.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    return hub_folder(spec.parent, spec.folder or name)


def inputs(name: str, spec: "Metric | Space", base: Path, made: "Made") -> list[str]:
    """The files of the folder, and of a study."""
    own = contents(folder_of(name, spec))
    return own + [sha256_of(path) for path in _study(spec, base).values()]


def make(work: Path, name: str, spec: "Metric | Space", base: Path, release: Path) -> None:
    """Copy the folder, and a study."""
    folder = folder_of(name, spec)
    files = {path.relative_to(folder).as_posix(): path for path in shipped(folder)}
    for name_in_repo, path in {**files, **_study(spec, base)}.items():
        target = work / name_in_repo
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _study(spec: "Metric | Space", base: Path) -> dict[str, Path]:
    """Path in the repo → file, of a study's `study.toml` and its items; no answers.

    Raises:
        BuildError: there is no such study.
    """
    named = getattr(spec, "study", None)
    if named is None:
        return {}
    file = base / named
    try:
        items = tomllib.loads(file.read_text(encoding="utf-8"))["items"]
        folder = (file.parent / items).parent
        if not folder.resolve().is_relative_to(file.parent.resolve()) or folder.resolve() == file.parent.resolve():
            raise ValueError(f"items is {items!r}; must be in a folder of its own, below that of study.toml")
        paths = [file, *(path for path in sorted(folder.rglob("*")) if path.is_file())]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(f"{file} is not a study of `emohub study new`: {error}.") from error
    names = ["study.toml", *(path.relative_to(file.parent).as_posix() for path in paths[1:])]
    return {f"study/{name}": path for name, path in zip(names, paths, strict=True)}


def write_card(work: Path, spec: "Metric | Space", context: "ReleaseContext", metadata: dict[str, Any]) -> None:
    """Complete the hand-written card and `settings.json`."""
    from emohub.release.page_card import write_page_card

    write_page_card(work, spec, context)
