"""What must hold on the Hub whatever went wrong, and what holds where a release is wholly there."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from emohub.publish.cards import fingerprint
from tests.faults.tiny import ORG, REPOS
from tests.hub_server.store import Hub, Repo, git_sha

CARD = "README.md"
Files = Mapping[str, Mapping[str, bytes]]
CLOSED = {f"{repo.hub_type}s/{ORG}/{repo.name}" for repo in REPOS if repo.gated or repo.private}


@dataclass
class Foreign:
    """Somebody else's commit: what it wrote, None for what it removed."""

    key: str
    sha: str
    changes: dict[str, bytes | None]
    notes: str | None = None


@dataclass
class Truth:
    """What the Hub may hold: versions by tag, and other people's commits."""

    versions: dict[str, Files]
    foreign: list[Foreign] = field(default_factory=list)

    def touched(self, key: str) -> dict[str, bytes | None]:
        """Paths that other people wrote or removed, as they left them."""
        return {path: data for one in self.foreign if one.key == key for path, data in one.changes.items()}


def always(hub: Hub, truth: Truth) -> list[str]:
    """Broken promises: a repo that looks complete and is not, a lost commit, a gate that stood open."""
    found = []
    for key, repo in hub.repos.items():
        found += [f"{key}: {line}" for line in (*_half(repo, key, truth), *_lost(repo, key, truth), *_open(repo, key))]
    return found


def _half(repo: Repo, key: str, truth: Truth) -> list[str]:
    """A card that promises a version whose files are not all there."""
    files, touched = repo.head.files, truth.touched(key)
    if CARD not in files:
        return []
    card = fingerprint(files[CARD].data.decode())
    for tag, version in truth.versions.items():
        if fingerprint(version[key][CARD].decode()) == card:
            wrong = [p for p, data in version[key].items() if p not in (CARD, *touched) and not _is(repo, p, data)]
            return [f"the card of {tag} is there, and {wrong} are not as it says"] if wrong else []
    return []


def _is(repo: Repo, path: str, data: bytes) -> bool:
    """Whether the Hub means these bytes; a storage that lost some of them is another matter."""
    there = repo.head.files.get(path)
    return there is not None and there.etag in (hashlib.sha256(data).hexdigest(), git_sha(data))


def _lost(repo: Repo, key: str, truth: Truth) -> list[str]:
    history = {commit.sha for commit in repo.history()}
    found = []
    for one in truth.foreign:
        if one.key != key:
            continue
        if one.sha not in history:
            found.append(f"the foreign commit {one.sha} is not in the history")
        for path, data in one.changes.items():
            if path == CARD and one.notes is not None:
                if one.notes not in repo.head.files[CARD].data.decode():
                    found.append("the notes that a person wrote are lost")
            elif data is not None and not _is(repo, path, data):
                found.append(f"{path} of the foreign commit is lost")
    return found


def _open(repo: Repo, key: str) -> list[str]:
    sent = [commit for commit in repo.history() if commit.author == "owner" and commit.title.startswith("Release")]
    return [f"{c.title} came while all could read" for c in sent if key in CLOSED and c.open_to == "all"]


def exactly(hub: Hub, truth: Truth, tag: str) -> list[str]:
    """What the Hub lacks of a version, or holds beyond it."""
    found = []
    for key, wanted in truth.versions[tag].items():
        if (repo := hub.repos.get(key)) is None:
            found.append(f"{key} is missing")
            continue
        there = {path: file.data for path, file in repo.head.files.items() if path != ".gitattributes"}
        theirs = {path for path, data in truth.touched(key).items() if path not in wanted and data is not None}
        found += [f"{key}/{path} is missing" for path in {*wanted} - {*there}]
        found += [f"{key}/{path} is too much" for path in {*there} - {*wanted} - theirs]
        for path in {*wanted} & {*there}:
            same = there[path] == wanted[path]
            if not same and not (
                path == CARD and fingerprint(there[path].decode()) == fingerprint(wanted[path].decode())
            ):
                found.append(f"{key}/{path} is another")
        if f"refs/tags/{tag}" not in repo.refs:
            found.append(f"{key} has no {tag}")
    (collection, *more) = hub.collections.values() or [{"items": []}]
    items = sorted(f"{item['type']}s/{item['id']}" for item in collection["items"])
    if more or items != sorted(truth.versions[tag]):
        found.append(f"the collection holds {items}, and there are {len(more)} more collections")
    return found
