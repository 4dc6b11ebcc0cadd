"""The files of one repo as they are uploaded, and their comparison with files on the Hub."""

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
LARGE = 10_000_000  # bytes; from this size on the Hub stores a file in LFS, identified by its SHA-256
TEXT = 64_000_000  # bytes; a larger file is not searched for repo ids


@dataclass(frozen=True)
class LocalFile:
    """One file of a release.

    Attributes:
        path: Relative to the repo.
        source: The file on disk.
        data: Bytes to upload instead of the source's, or None.
    """

    path: str
    source: Path
    data: bytes | None = None

    @cached_property
    def size(self) -> int:
        """Number of bytes to upload."""
        return self.source.stat().st_size if self.data is None else len(self.data)

    @property
    def digests(self) -> tuple[str, ...]:
        """Digests by which the Hub may list it: SHA-256 if it is in LFS, else the SHA-1 of git."""
        if "hashed" not in self.__dict__:  # not `cached_property`, whose lock in Python 3.11 would serialize threads
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
        """The bytes to upload."""
        return self.source.read_bytes() if self.data is None else self.data

    @property
    def text(self) -> str:
        """The bytes to upload, as UTF-8 text."""
        return self.content.decode()

    def matches(self, remote: RepoFile | None) -> bool:
        """Whether the Hub's file has the same bytes; a file of another size is not hashed."""
        return remote is not None and remote.size == self.size and remote_digest(remote) in self.digests


def remote_digest(remote: RepoFile) -> str:
    """The digest by which the Hub identifies the content of a file."""
    return remote.lfs.sha256 if remote.lfs else remote.blob_id


def _sha256(source: Path) -> str:
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_all(files: Iterable[LocalFile]) -> None:
    """Compute the digests in threads: hashing releases the GIL."""
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda file: file.digests, files))


def repo_files(release: Release, repo: Repo, namespace: str) -> dict[str, LocalFile]:
    """Every file of a repo by its path, ids in texts rewritten if it is published to another namespace.

    Raises:
        PublishError: there is a link, or no card.
    """
    folder = release.folder_of(repo)
    sources = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    if links := [path for path in sources if path.is_symlink()]:
        raise PublishError(f"{links[0]} is a symbolic link, which the Hub does not support. Replace it with the file.")
    if not (folder / CARD).is_file():
        raise PublishError(f"{folder} has no {CARD}. Build the release again.")
    rewrite = _NamespaceRewriter(release, namespace)
    files = (LocalFile(path.relative_to(folder).as_posix(), path, rewrite(path)) for path in sources)
    return {file.path: file for file in files}


class _NamespaceRewriter:
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
