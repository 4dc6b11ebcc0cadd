"""What every check is made of: the repo it looks at, the failures it reports, the row it has in the table."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from emohub.errors import printable
from emohub.hub.card import Card, read_card
from emohub.hub.folders import hub_roots
from emohub.hub.kinds import Kind
from emohub.hub.process import Launch
from emohub.release.record import Release, Repo

Scope = Literal["release", "dataset", "model", "metric", "space", "results"]
REPOS: tuple[Scope, ...] = ("dataset", "model", "metric", "space", "results")
SOURCES = ("metrics", "spaces", "hub_models")
TEXTS = (".md", ".txt", ".json", ".jsonl", ".py", ".yaml", ".yml", ".toml", ".csv", ".html", ".css", ".js", ".cfg")


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is wrong.

    Attributes:
        where: File or folder, relative to the release.
        found: The problem.
        do: How to correct it.
    """

    where: str
    found: str
    do: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a check could not look at; no failure, but said.

    Attributes:
        where: File or folder, relative to the release.
        why: How much, and why.
    """

    where: str
    why: str


@dataclass(frozen=True)
class Subject:
    """What is checked: one repo, or the release as a whole.

    Attributes:
        kind: Kind of the repo; "release" for the whole.
        name: Name of the repo.
        folder: Its path.
        path: The same relative to the release; empty for the whole.
        release: The release that it is part of; None for a single folder.
        datasets: Folders or Hub ids of datasets that results are computed again from, besides those of the release.
        launches: What makes processes that have a package imported already, by its name.
    """

    kind: Scope
    name: str
    folder: Path
    path: str
    release: Release | None
    datasets: tuple[str, ...] = ()
    launches: Mapping[str, Launch] = field(default_factory=dict, compare=False, repr=False)
    _made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def failure(self, file: str, found: str, do: str) -> Failure:
        """A failure in a file of this repo; an empty `file` is the repo as a whole."""
        return Failure("/".join(part for part in (self.path, file) if part) or ".", found, do)

    def left_out(self, file: str, why: str) -> LeftOut:
        """What a check could not look at, in a file of this repo."""
        return LeftOut(self.failure(file, "", "").where, why)

    @property
    def is_source(self) -> bool:
        """Whether it is a folder of the kit that a release is built from: links and the namespace ORG are in place."""
        return any(self.folder.is_relative_to(root / kind) for root in hub_roots() for kind in SOURCES)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Every file below the folder, sorted, relative to it; a symbolic link counts as a file.

        In a folder of the kit, what Python compiled there is left out, as by a build.
        """
        left_out = {"__pycache__"} if self.is_source else set()
        found = (path for path in self.folder.rglob("*") if path.is_symlink() or not path.is_dir())
        inside = (path.relative_to(self.folder) for path in found)
        return tuple(sorted(path.as_posix() for path in inside if not left_out & {*path.parts}))

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
        """The card's metadata; empty where they do not parse, which another check reports."""
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
        """The value of `make`, computed on the first call only: several checks share the result of one process."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


@dataclass(frozen=True, slots=True)
class Check:
    """A row of the table of checks.

    Attributes:
        id: `GROUP.NAME`.
        kinds: What it applies to.
        what: What is true where it passes, in a few words.
        find: Yields the failures, and what it could not look at.
        starts: Whether it starts processes, and so runs code of the release.
    """

    id: str
    kinds: tuple[Scope, ...]
    what: str
    find: Callable[[Subject], Iterator[Failure | LeftOut]]
    starts: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One check of one repo; it passed where there are no failures, as far as it could look."""

    check: Check
    kind: str
    name: str
    path: str
    failures: tuple[Failure, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All results of a run.

    Attributes:
        what: Name of the folder.
        results: One per check and repo, in the order of the table.
        left_out: Ids of the checks that were not made, because they start processes.
    """

    what: str
    results: tuple[Result, ...]
    left_out: tuple[str, ...]

    @property
    def failures(self) -> list[Failure]:
        """Those of all results."""
        return [failure for result in self.results for failure in result.failures]

    @property
    def ok(self) -> bool:
        """Whether there are no failures."""
        return not self.failures


def as_list(value: Any) -> list[Any]:
    """A value that may be one, several or none, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def truncate_list(values: Any, limit: int = 3) -> str:
    """The first few values, and how many more there are.

    >>> truncate_list(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    listed = [printable(value) for value in values]
    more = f" and {len(listed) - limit:,} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
