"""The inputs of the repos that are built so far: written after every repo, so that an interrupted build resumes."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emohub.data.runs import write_json
from emohub.hub.json_files import parse_json
from emohub.hub.kinds import FOLDERS

STATE = ".built.json"
_REPO = re.compile(rf"(?:{'|'.join(FOLDERS.values())})/[\w-][\w.-]*")  # nothing else is ever removed


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests of the inputs of one repo.

    Attributes:
        content: Inputs and code of everything but the card; "" if unknown.
        card: The same for the card.
    """

    content: str = ""
    card: str = ""


class State:
    """Repo folder, relative to the release → its digests. A folder that is listed here was made by this kit."""

    def __init__(self, release: Path) -> None:
        self.file = release / STATE
        try:
            found: dict[str, Any] = parse_json(self.file.read_text(encoding="utf-8"))
            self.repos = {path: Digests(**digests) for path, digests in found.items() if _REPO.fullmatch(path)}
        except (OSError, ValueError, TypeError, AttributeError):
            self.repos = {}

    def set(self, path: str, digests: Digests) -> None:
        """Record the inputs of a repo."""
        self.repos[path] = digests
        self._write()

    def drop(self, path: str) -> None:
        """Remove a repo."""
        self.repos.pop(path, None)
        self._write()

    def _write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.file, {path: {"content": one.content, "card": one.card} for path, one in self.repos.items()})
