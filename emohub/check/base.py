"""What every check is made of: what it looks at, what it says, and how it stands in a table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from emohub.hub.card import Card, read_card
from emohub.hub.kinds import Kind
from emohub.release.record import Release, Repo

Scope = Literal["release", "dataset", "model", "metric", "space"]
REPOS: tuple[Scope, ...] = ("dataset", "model", "metric", "space")
TEXTS = (".md", ".txt", ".json", ".jsonl", ".py", ".yaml", ".yml", ".toml", ".csv", ".html", ".css", ".js", ".cfg")


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is wrong.

    Attributes:
        where: File or folder, relative to the release.
        found: What was found there.
        do: What to do about it.
    """

    where: str
    found: str
    do: str


@dataclass(frozen=True)
class Subject:
    """What is checked: one repo, or the release that holds them.

    Attributes:
        kind: "release" for the whole.
        name: Name of the repo.
        folder: Where it is.
        path: The same relative to the release; empty for the whole.
        release: The release that it is part of, None for a folder that stands alone.
    """

    kind: Scope
    name: str
    folder: Path
    path: str
    release: Release | None
    _made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def failure(self, file: str, found: str, do: str) -> Failure:
        """A failure in a file of this repo; an empty `file` is the repo as a whole."""
        return Failure("/".join(part for part in (self.path, file) if part) or ".", found, do)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Every file below the folder, sorted, relative to it; a link is a file, wherever it leads."""
        found = []
        for path in self.folder.rglob("*"):
            if path.is_symlink() or not path.is_dir():
                found.append(path.relative_to(self.folder).as_posix())
        return tuple(sorted(found))

    def having(self, *suffixes: str) -> tuple[str, ...]:
        """Files with one of these suffixes."""
        return tuple(name for name in self.files if name.lower().endswith(suffixes))

    def text(self, name: str) -> str:
        """A file as text; bytes that are not UTF-8 are replaced."""
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")

    @cached_property
    def card(self) -> Card:
        """`README.md`; empty where there is none."""
        return read_card(self.folder / "README.md")

    @property
    def meta(self) -> dict[str, Any]:
        """The card's metadata; empty where they do not parse, which is a check of its own."""
        return self.card.meta

    @property
    def repo(self) -> Repo | None:
        """Its entry in `release.json`."""
        known = self.release.repos if self.release else ()
        return next((repo for repo in known if (repo.kind, repo.name) == (self.kind, self.name)), None)

    def others(self, kind: Kind | None = None) -> tuple[Repo, ...]:
        """Repos of the release, of one kind or all."""
        known = self.release.repos if self.release else ()
        return tuple(repo for repo in known if kind is None or repo.kind == kind)

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made on the first call only: several checks look at one process's answers."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


@dataclass(frozen=True, slots=True)
class Check:
    """A row of the table of checks.

    Attributes:
        id: Subject of the check, a dot, what of it.
        kinds: What it looks at.
        what: What holds where it passes, in a few words.
        find: Yields what is wrong.
        starts: Whether it starts processes, and so runs code of the release.
    """

    id: str
    kinds: tuple[Scope, ...]
    what: str
    find: Callable[[Subject], Iterator[Failure]]
    starts: bool = False


def shown(value: object, limit: int = 120) -> str:
    """A value from a file as it may be printed: one line, no control characters, not too long."""
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def as_list(value: Any) -> list[Any]:
    """A value that may be one, several or none, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def some(values: Any, limit: int = 3) -> str:
    """The first few values, and how many more there are.

    >>> some(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    listed = [shown(value) for value in values]
    more = f" and {len(listed) - limit:,} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
