"""Metrics and Spaces: a folder of the kit, copied; its card is completed."""

import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emohub.data.source import sha256_of
from emohub.errors import BuildError
from emohub.hub.folders import hub_folder
from emohub.release.digests import contents, shipped
from emohub.results.entry import RATINGS
from emohub.results.reading import entry_files

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
    """The files of the folder, of a study and of results."""
    own = contents(folder_of(name, spec))
    return own + [f"{name} {sha256_of(path)}" for name, path in _more(spec, base).items()]


def make(work: Path, name: str, spec: "Metric | Space", base: Path, release: Path) -> None:
    """Copy the folder, a study and results."""
    folder = folder_of(name, spec)
    files = {path.relative_to(folder).as_posix(): path for path in shipped(folder)}
    for name_in_repo, path in {**files, **_more(spec, base)}.items():
        target = work / name_in_repo
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _more(spec: "Metric | Space", base: Path) -> dict[str, Path]:
    """Path in the repo → file, of what the manifest adds to a folder of the kit.

    Raises:
        BuildError: it is not there.
    """
    study, results = getattr(spec, "study", None), getattr(spec, "results", None)
    return (_study(base / study) if study else {}) | (_results(base / results) if results else {})


def _results(folder: Path) -> dict[str, Path]:
    """The entries of a results dataset, and their ratings."""
    if not folder.is_dir():
        raise BuildError(f"{folder} is no folder of results: `emohub report … --submit {folder}` makes it.")
    paths = [*entry_files(folder), *sorted((folder / RATINGS).rglob("*.parquet"))]
    return {f"results/{path.relative_to(folder).as_posix()}": path for path in paths}


def _study(file: Path) -> dict[str, Path]:
    """A study's `study.toml` and its items; no answers."""
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
