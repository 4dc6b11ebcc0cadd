"""What a release folder was built from so far: kept after every repo, so that a build that was stopped goes on."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emohub.data.runs import write_json
from emohub.hub.kinds import FOLDERS

STATE = ".built.json"
_REPO = re.compile(rf"(?:{'|'.join(FOLDERS.values())})/[\w-][\w.-]*")  # nothing else is ever removed


@dataclass(frozen=True, slots=True)
class Digests:
    """What one repo was built from.

    Attributes:
        content: Inputs and code of everything but the card; "" where it is not known.
        card: The same of the card.
    """

    content: str = ""
    card: str = ""


class State:
    """Repo folder, relative to the release → its digests. A folder that is named here was made by this kit."""

    def __init__(self, release: Path) -> None:
        self.file = release / STATE
        try:
            found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
            self.repos = {path: Digests(**digests) for path, digests in found.items() if _REPO.fullmatch(path)}
        except (OSError, ValueError, TypeError, AttributeError):
            self.repos = {}

    def set(self, path: str, digests: Digests) -> None:
        """Note what a repo is built from."""
        self.repos[path] = digests
        self._write()

    def drop(self, path: str) -> None:
        """Forget a repo."""
        self.repos.pop(path, None)
        self._write()

    def _write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.file, {path: {"content": one.content, "card": one.card} for path, one in self.repos.items()})
