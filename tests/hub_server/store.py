"""The state of a Hub: repos with commits, branches, tags and pull requests; permissions; collections."""

import hashlib
import os
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.hub_server.spaces import Runner

DATE = "2025-01-01T00:00:00.000Z"
TITLE = "initial commit"
# What the Hub writes into a new repo: which files go to LFS, and for a Space an initial card.
LFS_SUFFIXES = (".parquet", ".safetensors", ".onnx", ".bin", ".mp4", ".png", ".jpg", ".npz", ".zip")
ATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES).encode()
SPACE_CARD = "---\ntitle: {name}\nsdk: {sdk}\n---\nCheck out the configuration reference.\n"
REGULAR = 10 * 1024 * 1024  # from this size on, everything is LFS


@dataclass(frozen=True)
class File:
    """One file: a git blob, or an LFS object identified by its sha256."""

    source: Path | bytes
    size: int
    oid: str
    sha256: str | None = None

    @classmethod
    def blob(cls, data: bytes) -> "File":
        return cls(data, len(data), git_sha(data))

    @classmethod
    def lfs(cls, source: Path, sha256: str, size: int) -> "File":
        return cls(source, size, git_sha(pointer(sha256, size)), sha256)

    @classmethod
    def read(cls, source: Path) -> "File":
        """A local file, in LFS if git considers it binary."""
        data = source.read_bytes()
        return cls.lfs(source, hashlib.sha256(data).hexdigest(), len(data)) if b"\0" in data[:8000] else cls.blob(data)

    @property
    def etag(self) -> str:
        return self.sha256 or self.oid

    @property
    def data(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    def pointer(self) -> dict[str, Any] | None:
        size = len(pointer(self.sha256, self.size)) if self.sha256 else 0
        return {"oid": self.sha256, "sha256": self.sha256, "size": self.size, "pointerSize": size} if size else None


def git_sha(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


@dataclass(frozen=True)
class Commit:
    """All files at one commit; its sha depends on them, the parent and the message, as in git.

    `open_to` is who could read the repo at the time of the commit: "all", "gated" or "members".
    """

    files: Mapping[str, File]
    parent: str | None = None
    title: str = TITLE
    author: str = "hub"
    open_to: str = "all"

    @cached_property
    def sha(self) -> str:
        return hashlib.sha1(f"{self.tree_oid('')}{self.parent}{self.title}{self.author}".encode()).hexdigest()

    @cached_property
    def folders(self) -> set[str]:
        return {parent.as_posix() for path in self.files for parent in Path(path).parents} - {"."}

    def below(self, folder: str) -> list[str]:
        """Files and folders at any depth; "" is the root."""
        return sorted(p for p in {*self.files, *self.folders} if not folder or p.startswith(f"{folder}/"))

    def oid(self, path: str) -> str | None:
        """Of a file or folder; None if it does not exist."""
        return file.oid if (file := self.files.get(path)) else self.tree_oid(path) if path in self.folders else None

    def tree_oid(self, folder: str) -> str:
        rows = "".join(f"{p}\0{self.files[p].oid}\n" for p in self.below(folder) if p in self.files)
        return hashlib.sha1(rows.encode()).hexdigest()


@dataclass
class Repo:
    """One repo; `refs` maps `refs/heads/main`, `refs/tags/v1`, `refs/pr/1` to a commit's sha."""

    kind: str
    id: str
    private: bool = False
    gated: str | bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    discussions: list[dict[str, Any]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.id.split("/")[0]

    @property
    def head(self) -> Commit:
        return self.commits[self.refs["refs/heads/main"]]

    @property
    def open_to(self) -> str:
        return "members" if self.private else "gated" if self.gated else "all"

    def find(self, revision: str) -> Commit | None:
        names = (revision, f"refs/heads/{revision}", f"refs/tags/{revision}")
        sha = next((self.refs[name] for name in names if name in self.refs), revision)
        return self.commits.get(sha)

    def commit(self, files: Mapping[str, File], title: str, author: str, ref: str = "refs/heads/main") -> Commit:
        made = Commit(dict(files), self.refs.get(ref), title, author, self.open_to)
        self.commits[made.sha] = made
        self.refs[ref] = made.sha
        return made

    def last_change(self, commit: Commit, path: str) -> Commit:
        """The commit that last changed a file or folder."""
        oid = commit.oid(path)
        while commit.parent and self.commits[commit.parent].oid(path) == oid:
            commit = self.commits[commit.parent]
        return commit

    def entry(self, commit: Commit, path: str, expand: bool) -> dict[str, Any]:
        """One row of `tree` and `paths-info`."""
        last = self.last_change(commit, path) if expand else None
        last_commit = {"id": last.sha, "title": last.title, "date": DATE} if last else None
        if file := commit.files.get(path):
            row = {"type": "file", "oid": file.oid, "size": file.size, "lfs": file.pointer()}
        else:
            row = {"type": "directory", "oid": commit.tree_oid(path), "size": 0}
        return {**row, "path": path, "lastCommit": last_commit}

    def history(self, ref: str = "refs/heads/main") -> list[Commit]:
        """Newest first."""
        found, sha = [], self.refs.get(ref)
        while sha:
            found.append(self.commits[sha])
            sha = found[-1].parent
        return found


@dataclass
class Hub:
    """All state; `tokens` maps a token to its user, `members` an organisation to those who may write."""

    objects: Path
    repos: dict[str, Repo] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_size: int = 1000
    part_size: int | None = None  # LFS objects above it are sent in parts
    runner: "Runner | None" = None  # runs the apps of Spaces

    def may_write(self, user: str | None, namespace: str) -> bool:
        return user is not None and (user == namespace or user in self.members.get(namespace, ()))

    def may_read(self, user: str | None, repo: Repo) -> bool:
        return not (repo.private or repo.gated) or user in repo.accepted or self.may_write(user, repo.owner)

    def create(self, kind: str, id: str, sdk: str = "gradio", private: bool = False) -> Repo:
        repo = self.repos[f"{kind}/{id}"] = Repo(kind, id, private)
        files = {".gitattributes": File.blob(ATTRIBUTES)}
        if kind == "spaces":
            files["README.md"] = File.blob(SPACE_CARD.format(name=repo.id, sdk=sdk).encode())
        repo.commit(files, TITLE, "hub")
        return repo

    def object(self, sha256: str) -> Path:
        return self.objects / sha256

    def push(self, key: str, changes: Mapping[str, bytes | None], author: str, title: str = "Edit") -> Commit:
        """Commit to main as a user; None removes a file."""
        repo = self.repos[key]
        files = {**repo.head.files, **{path: File.blob(data) for path, data in changes.items() if data is not None}}
        removed = {path for path, data in changes.items() if data is None}
        return repo.commit({path: file for path, file in files.items() if path not in removed}, title, author)

    def collection(self, namespace: str, title: str, description: str, private: bool) -> dict[str, Any]:
        slug = f"{namespace}/{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}-{random.randbytes(12).hex()}"
        self.collections[slug] = {
            "slug": slug,
            "title": title,
            "description": description,
            "owner": {"name": namespace},
            "items": [],
            "lastUpdated": DATE,
            "position": len(self.collections),
            "private": private,
            "theme": "green",
            "upvotes": 0,
        }
        return self.collections[slug]


def folder(root: Path) -> dict[str, File]:
    """The files of a local folder."""
    root = root.resolve(strict=True)
    sources = sorted(path for path in root.rglob("*") if path.is_file())
    if outside := [path for path in sources if not path.resolve().is_relative_to(root)]:
        raise ValueError(f"{outside[0]} links to a file outside {root}; copy the file into the folder")
    return {path.relative_to(root).as_posix(): File.read(path) for path in sources}


def store_object(objects: Path, data: bytes) -> str:
    """Store an LFS object atomically."""
    sha256 = hashlib.sha256(data).hexdigest()
    half = objects / f".{sha256}.{os.urandom(4).hex()}"
    half.write_bytes(data)
    half.replace(objects / sha256)
    return sha256
