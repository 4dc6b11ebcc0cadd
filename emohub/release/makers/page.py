"""Metrics and Spaces: a folder of the kit, copied; its card is completed."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """The files of the folder."""
    return contents(folder_of(name, spec))


def make(work: Path, name: str, spec: "Metric | Space", base: Path, release: Path) -> None:
    """Copy the folder."""
    folder = folder_of(name, spec)
    for path in shipped(folder):
        target = work / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def write_card(work: Path, spec: "Metric | Space", context: "ReleaseContext", metadata: dict[str, Any]) -> None:
    """Complete the hand-written card and `settings.json`."""
    from emohub.release.page_card import write_page_card

    write_page_card(work, spec, context)
