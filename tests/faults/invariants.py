"""Invariants of the Hub that hold after every fault, and the comparison with a complete release."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from emohub.publish.card_merge import fingerprint
from tests.faults.second_hub.store import Entry, SecondHub, SecondRepo
from tests.faults.tiny import ORG, REPOS
from tests.hub_server.store import File, Hub, Repo, git_sha

CARD = "README.md"
AnyRepo = Repo | SecondRepo
Files = Mapping[str, Mapping[str, bytes]]
CLOSED = {f"{repo.hub_type}s/{ORG}/{repo.name}" for repo in REPOS if repo.gated or repo.private}


@dataclass
class RemoteCommit:
    """A commit by somebody else: path → new content, None for a removed file."""

    key: str
    sha: str
    changes: dict[str, bytes | None]
    notes: str | None = None


@dataclass
class Expected:
    """The allowed content of the Hub: versions by tag, and remote commits."""

    versions: dict[str, Files]
    remote: list[RemoteCommit] = field(default_factory=list)

    def touched(self, key: str) -> dict[str, bytes | None]:
        """Paths that remote commits wrote or removed, and their content."""
        return {path: data for one in self.remote if one.key == key for path, data in one.changes.items()}


def violations(hub: Hub | SecondHub, expected: Expected, kind: str = "") -> list[str]:
    """Violated invariants: a tagged or apparently complete repo that is not, a lost commit, an upload before its gate.

    A Hub that leaves a file out of a commit can make the last commit look complete; it must not be tagged then.
    """
    found = []
    for key, repo in hub.repos.items():
        lines = [*_tagged(repo, key, expected), *_lost(repo, key, expected), *_ungated(repo, key)]
        lines += _incomplete(repo, key, expected) if kind != "dropped_file" else []
        found += [f"{key}: {line}" for line in lines]
    return found


def _tagged(repo: AnyRepo, key: str, expected: Expected) -> list[str]:
    """A tag of a version on a commit some of whose files are missing or have other bytes."""
    found = []
    for tag, version in expected.versions.items():
        files = commit.files if (commit := repo.find(tag)) else None
        wrong = [path for path, data in version[key].items() if files is not None and not _same(files, path, data)]
        found += [f"{tag} is tagged, and {wrong} differ"] if wrong else []
    return found


def _same(files: Mapping[str, File | Entry], path: str, data: bytes) -> bool:
    """Whether a file has these bytes; a card may have other notes."""
    if path not in files:
        return False
    stored = files[path].data
    return stored == data or (path == CARD and fingerprint(stored.decode()) == fingerprint(data.decode()))


def _incomplete(repo: AnyRepo, key: str, expected: Expected) -> list[str]:
    """A card of a version some of whose files are missing or differ."""
    files, touched = repo.head.files, expected.touched(key)
    if CARD not in files:
        return []
    card = fingerprint(files[CARD].data.decode())
    for tag, version in expected.versions.items():
        if fingerprint(version[key][CARD].decode()) == card:
            wrong = [p for p, data in version[key].items() if p not in (CARD, *touched) and not _has(repo, p, data)]
            return [f"the card is that of {tag}, and {wrong} differ"] if wrong else []
    return []


def _has(repo: AnyRepo, path: str, data: bytes) -> bool:
    """Whether the Hub lists these bytes by their digest; its storage may still be corrupt."""
    file = repo.head.files.get(path)
    return file is not None and file.etag in (hashlib.sha256(data).hexdigest(), git_sha(data))


def _lost(repo: AnyRepo, key: str, expected: Expected) -> list[str]:
    history = {commit.sha for commit in repo.history()}
    found = []
    for one in expected.remote:
        if one.key != key:
            continue
        if one.sha not in history:
            found.append(f"the remote commit {one.sha} is not in the history")
        for path, data in one.changes.items():
            if path == CARD and one.notes is not None:
                if one.notes not in repo.head.files[CARD].data.decode():
                    found.append("the notes of the remote commit are lost")
            elif data is not None and not _has(repo, path, data):
                found.append(f"{path} of the remote commit is lost")
    return found


def _ungated(repo: AnyRepo, key: str) -> list[str]:
    public = [commit for commit in repo.history() if commit.open_to == "all" and key in CLOSED]
    releases = [commit.title for commit in public if commit.author == "owner" and commit.title.startswith("Release")]
    return [f"{title} was committed while the repo was public" for title in releases]


def differences(hub: Hub | SecondHub, expected: Expected, tag: str) -> list[str]:
    """How the Hub differs from a version of the release."""
    found = []
    for key, wanted in expected.versions[tag].items():
        if (repo := hub.repos.get(key)) is None:
            found.append(f"{key} is missing")
            continue
        files = {path: file for path, file in repo.head.files.items() if path != ".gitattributes"}
        added = {path for path, data in expected.touched(key).items() if path not in wanted and data is not None}
        found += [f"{key}/{path} is missing" for path in {*wanted} - {*files}]
        found += [f"{key}/{path} is extra" for path in {*files} - {*wanted} - added]
        found += [f"{key}/{path} differs" for path in {*wanted} & {*files} if not _same(files, path, wanted[path])]
        if f"refs/tags/{tag}" not in repo.refs:
            found.append(f"{key} has no tag {tag}")
    (collection, *more) = hub.collections.values() or [{"items": []}]
    items = sorted(f"{item['type']}s/{item['id']}" for item in collection["items"])
    if more or items != sorted(expected.versions[tag]):
        found.append(f"the collection has {items}, and {len(more)} more collections exist")
    return found
