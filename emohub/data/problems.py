"""All problems of raw input, collected across worker processes before the build decides what to do."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from emohub.hub.json_files import parse_json


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        where: the file, row or item, as a user can find it.
        what: the value received and what would be valid.
        item: the item that is left out because of it, if it is one item.
    """

    where: str
    what: str
    item: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class ProblemLog:
    """A folder of JSON lines, one file per process, so that workers need no lock.

    It pickles as a path: a builder carries it into its workers.
    """

    folder: Path

    def add(self, where: object, what: object, item: str | None = None) -> None:
        """Record one problem; the caller leaves the item out and continues."""
        line = json.dumps(asdict(Problem(_printable(where), _printable(what), item)))
        with open(self.folder / f"{os.getpid()}.jsonl", "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def __iter__(self) -> Iterator[Problem]:
        seen = set()
        for path in sorted(self.folder.glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line not in seen:
                    seen.add(line)
                    yield Problem(**parse_json(line))


def _printable(text: object) -> str:
    """One line of printable characters; others, from file names or cells, are escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text))
