"""The files of one repo as they are to stand on the Hub, and whether one there is the same."""

import hashlib
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from emohub.errors import PublishError
from emohub.release.record import Release, Repo

CARD = "README.md"
LARGE = 10_000_000  # from here on the Hub keeps a file in its large storage, known by its SHA-256
TEXT = 64_000_000  # a larger file is not looked through for ids


@dataclass(frozen=True)
class LocalFile:
    """One file of a release.

    Attributes:
        path: In the repo.
        source: On disk.
        data: What is sent instead of the source's bytes, or None.
    """

    path: str
    source: Path
    data: bytes | None = None

    @cached_property
    def size(self) -> int:
        """Bytes that are sent."""
        return self.source.stat().st_size if self.data is None else len(self.data)

    @property
    def digests(self) -> tuple[str, ...]:
        """What the Hub may call it: SHA-256 in its large storage, git's SHA-1 outside of it."""
        if (
            "hashed" not in self.__dict__
        ):  # no `cached_property`: on Python 3.11 its lock lets one thread hash at a time
            self.__dict__["hashed"] = self._hash()
        hashed: tuple[str, ...] = self.__dict__["hashed"]
        return hashed

    def _hash(self) -> tuple[str, ...]:
        if self.size >= LARGE and self.data is None:
            return (_sha256(self.source),)
        data = self.content
        return (hashlib.sha256(data).hexdigest(), git_hash(data))

    @property
    def content(self) -> bytes:
        """The bytes that are sent."""
        return self.source.read_bytes() if self.data is None else self.data

    def same(self, there: RepoFile | None) -> bool:
        """Whether the Hub's file has the same bytes; a file of another size is not read."""
        return there is not None and there.size == self.size and digest(there) in self.digests


def digest(there: RepoFile) -> str:
    """By what the Hub knows a file's bytes."""
    return there.lfs.sha256 if there.lfs else there.blob_id


def _sha256(source: Path) -> str:
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_all(files: Iterable[LocalFile]) -> None:
    """Compute the digests side by side: hashing leaves Python's lock."""
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda file: file.digests, files))


def repo_files(release: Release, repo: Repo, namespace: str) -> dict[str, LocalFile]:
    """Every file of a repo by its path, ids in texts rewritten where it goes to another namespace.

    Raises:
        PublishError: a link, or no card.
    """
    folder = release.folder_of(repo)
    sources = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    if links := [path for path in sources if path.is_symlink()]:
        raise PublishError(f"{links[0]} is a link, which the Hub does not take. Put the file itself there.")
    if not (folder / CARD).is_file():
        raise PublishError(f"{folder} has no {CARD}. Build the release again.")
    rename = _renamer(release, namespace)
    files = (LocalFile(path.relative_to(folder).as_posix(), path, rename(path)) for path in sources)
    return {file.path: file for file in files}


class _renamer:
    """Rewrites `NAMESPACE/NAME` of the release's own repos to another namespace."""

    def __init__(self, release: Release, namespace: str) -> None:
        self.same = namespace == release.namespace
        names = "|".join(sorted((re.escape(repo.name) for repo in release.repos), key=len, reverse=True))
        # An id ends where its name does: `org/faces` is not in `org/faces-small`, `org/faces.v2` or `my-org/faces`.
        self.ids = re.compile(rf"(?<![\w.-]){re.escape(release.namespace)}/({names})(?![\w-]|\.\w)".encode())
        self.to = rf"{namespace}/\1".encode()

    def __call__(self, path: Path) -> bytes | None:
        if self.same or path.stat().st_size > TEXT:
            return None
        data = path.read_bytes()
        if b"\0" in data[:8000] or not self.ids.search(data):
            return None
        return self.ids.sub(self.to, data)
