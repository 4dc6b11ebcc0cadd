"""The state of the second Hub, and who may do what."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ATTRIBUTES = b"*.parquet filter=lfs\n*.safetensors filter=lfs\n"


@dataclass(frozen=True)
class Entry:
    """A file; `stored` is the path of its LFS object."""

    size: int
    etag: str
    inline: bytes = b""
    stored: Path | None = None

    @property
    def data(self) -> bytes:
        if self.stored is None:
            return self.inline
        return self.stored.read_bytes() if self.stored.exists() else b""

    def row(self, path: str, commit: "Snapshot | None") -> dict[str, Any]:
        lfs = {"oid": self.etag, "size": self.size, "pointerSize": 130} if self.stored else None
        oid = hashlib.sha1(self.etag.encode()).hexdigest() if self.stored else self.etag
        last = {"id": commit.sha, "title": commit.title, "date": "2026-01-01T00:00:00Z"} if commit else None
        row = {"type": "file", "path": path, "oid": oid, "size": self.size, "lastCommit": last}
        return {**row, "lfs": lfs} if lfs else row


def inline(data: bytes) -> Entry:
    return Entry(len(data), hashlib.sha1(b"blob " + str(len(data)).encode() + b"\0" + data).hexdigest(), data)


@dataclass(frozen=True)
class Snapshot:
    """A commit."""

    files: dict[str, Entry]
    title: str
    author: str
    open_to: str
    parent: "Snapshot | None" = None
    sha: str = field(default_factory=lambda: secrets.token_hex(20))


@dataclass
class SecondRepo:
    """A repo: its commits by ref."""

    kind: str
    id: str
    private: bool = False
    gated: str | bool = False
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> Snapshot:
        return self.snapshots[self.refs["refs/heads/main"]]

    def find(self, revision: str) -> Snapshot | None:
        for ref in (f"refs/heads/{revision}", f"refs/tags/{revision}"):
            revision = self.refs.get(ref, revision)
        return self.snapshots.get(revision)

    def history(self, start: Snapshot | None = None) -> Iterator[Snapshot]:
        at: Snapshot | None = start or self.head
        while at:
            yield at
            at = at.parent

    def commit(self, files: dict[str, Entry], title: str, author: str) -> Snapshot:
        open_to = "members" if self.private else "gated" if self.gated else "all"
        parent = self.head if self.refs else None
        made = Snapshot(files, title, author, open_to, parent)
        self.snapshots[made.sha], self.refs["refs/heads/main"] = made, made.sha
        return made

    def last_change(self, path: str, at: Snapshot) -> Snapshot:
        while at.parent and at.parent.files.get(path) == at.files[path]:
            at = at.parent
        return at


class Refused(Exception):
    """An answer that is an error: status, message, and the code from which the client chooses its exception."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.headers = status, [(b"x-error-code", code.encode())] if code else []


@dataclass
class SecondHub:
    """Repos, users and collections; large files are in `objects`, and `storage` is the URL of their host."""

    objects: Path
    tokens: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    repos: dict[str, SecondRepo] = field(default_factory=dict)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    storage: str = ""

    def object(self, sha256: str) -> Path:
        return self.objects / sha256

    def create(self, kind: str, id: str, private: bool = False) -> SecondRepo:
        repo = self.repos[f"{kind}/{id}"] = SecondRepo(kind, id, private)
        card = {"README.md": inline(b"---\nsdk: gradio\n---\n")} if kind == "spaces" else {}
        repo.commit({".gitattributes": inline(ATTRIBUTES), **card}, "initial commit", "hub")
        return repo

    def push(self, key: str, changes: dict[str, bytes | None], author: str) -> Snapshot:
        """Commit as somebody else."""
        files = {**self.repos[key].head.files, **{path: inline(data) for path, data in changes.items() if data}}
        removed = {path for path, data in changes.items() if data is None}
        return self.repos[key].commit({p: f for p, f in files.items() if p not in removed}, "Edit", author)

    def user(self, headers: dict[bytes, bytes]) -> str | None:
        scheme, _, token = headers.get(b"authorization", b"").decode().partition(" ")
        if scheme and token not in self.tokens:
            raise Refused(401, "Invalid token")
        return self.tokens.get(token)

    def repo(self, kind: str, id: str, user: str | None) -> SecondRepo:
        repo = self.repos.get(f"{kind}/{id}")
        if repo is None or (repo.private and not self.writes(user, id)):
            raise Refused(404 if user else 401, "Repository not found", "RepoNotFound")
        return repo

    def writes(self, user: str | None, id: str) -> bool:
        return user in self.members.get(id.split("/")[0], ())

    def require(self, user: str | None, namespace: str) -> None:
        if not self.writes(user, namespace):
            raise Refused(403 if user else 401, f"No write access to {namespace!r}")
