"""Compare a release with the Hub, repo by repo. Nothing here changes the Hub."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import (
    RepositoryNotFoundError,
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

from emohub.errors import PublishError
from emohub.publish import card_merge
from emohub.publish.files import CARD, LocalFile, hash_all, remote_digest
from emohub.publish.journal import Journal
from emohub.release.record import Repo

Action = Literal["create", "update", "unchanged"]
VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
HUB_FILE = ".gitattributes"  # written by the Hub, never by a release
# Titles of release commits: in parts, or merged from a pull request.
RELEASE_TITLE = re.compile(r"Release v\d+\.\d+\.\d+( \((part \d+ of \d+|#\d+)\))?")
INITIAL_TITLE = "initial commit"  # of the commit with which the Hub creates a repo
INITIAL_FILES = {HUB_FILE, CARD}


@dataclass(frozen=True)
class Target:
    """One repo of the release: its id on the Hub and the files it must have there."""

    repo: Repo
    id: str
    files: dict[str, LocalFile]
    tag: str
    endpoint: str

    @property
    def key(self) -> str:
        """Its key in the journal."""
        return f"{self.endpoint} {self.repo.hub_type}s/{self.id}"

    @property
    def repo_args(self) -> dict[str, Any]:
        """The arguments of `HfApi` methods that identify the repo."""
        return {"repo_id": self.id, "repo_type": self.repo.hub_type}


@dataclass(frozen=True)
class RemoteState:
    """A repo on the Hub at one commit."""

    head: str
    files: dict[str, RepoFile]
    tags: dict[str, str]
    private: bool
    gated: str | bool


@dataclass
class RepoPlan:
    """The changes to one repo.

    Attributes:
        target: The repo.
        remote: Its state on the Hub; None if it does not exist.
        add: Files that are missing on the Hub.
        change: Files whose content differs on the Hub.
        remove: Paths of an earlier version that this version does not have.
        kept: Paths that other people added on the Hub; they are not touched.
        problems: Conflicts; with any, nothing is uploaded.
        tag_missing: Whether the tag of the version must be created.
        settings: Settings that must change before any file is uploaded.
        remarks: Notes for the reader of the plan.
    """

    target: Target
    remote: RemoteState | None
    add: list[LocalFile] = field(default_factory=list)
    change: list[LocalFile] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tag_missing: bool = True
    settings: dict[str, str | bool] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether a commit is needed."""
        return bool(self.add or self.change or self.remove)

    @property
    def action(self) -> Action:
        """The kind of change: create, update or unchanged."""
        if self.remote is None:
            return "create"
        return "update" if self.changes or self.settings or self.tag_missing else "unchanged"

    @property
    def secret(self) -> str | None:
        """Name of the secret that is set before the first commit, if the Space changes."""
        return self.target.repo.secret if self.action != "unchanged" else None

    @property
    def size(self) -> int:
        """Bytes to upload."""
        return sum(file.size for file in (*self.add, *self.change))


class _Provenance:
    """Which remote files come from an earlier version, so that this one may replace or remove them.

    The journal has the uploads of this machine. Those of other machines are found by commits: a file of the newest
    tagged version belongs to the release if the last commit that touched it is a release commit. Commits are requested
    only for files that the journal does not cover.
    """

    def __init__(self, planner: "Planner", target: Target, remote: RemoteState) -> None:
        self._planner, self._target, self._remote = planner, target, remote
        self._files = planner.journal.files(target.key)
        placeholder = card_merge.fingerprint(placeholder_card(target).text)
        self._cards = {*planner.journal.cards(target.key), placeholder}

    def has(self, path: str, digest: str) -> bool:
        """Whether an earlier version had exactly this content at this path."""
        return digest in self._files.get(path, ()) or self._released.get(path) == digest

    def has_path(self, path: str) -> bool:
        """Whether an earlier version had a file at this path."""
        return path in self._files or path in self._released

    def has_card(self, fingerprint: str) -> bool:
        """Whether this is the card of an earlier version, apart from its notes."""
        return fingerprint in self._cards or fingerprint == self._released_card

    @cached_property
    def _base(self) -> str | None:
        """The commit of the newest version, or the initial commit if there is no other."""
        tagged = newest(self._remote.tags)
        untouched = tagged is None and self._planner.untouched(self._target, self._remote)
        return self._remote.head if untouched else tagged

    @cached_property
    def _entries(self) -> dict[str, RepoFile]:
        if self._base is None:
            return {}
        listed = self._planner.tree(self._target, self._base, expand=True)
        return {path: file for path, file in listed.items() if _released(file)}

    @cached_property
    def _released(self) -> dict[str, str]:
        return {path: remote_digest(file) for path, file in self._entries.items()}

    @cached_property
    def _released_card(self) -> str | None:
        if CARD not in self._entries or self._base is None:
            return None
        return card_merge.fingerprint(self._planner.text(self._target, self._base, self._entries[CARD]))


class Planner:
    """Compares repos with the Hub.

    Args:
        api: The Hub's client.
        journal: The earlier uploads of this machine.
        overwrite: Whether remote changes may be replaced (git keeps them).
        pull_request: Whether changes go to a pull request, which a person reviews.
    """

    def __init__(self, api: HfApi, journal: Journal, *, overwrite: bool = False, pull_request: bool = False) -> None:
        self.api, self.journal = api, journal
        self.overwrite, self.pull_request = overwrite, pull_request

    def plan(self, target: Target, revision: str | None = None) -> RepoPlan:
        """Compare one repo with the Hub, at `main` or the head of a pull request."""
        remote = self._read_remote(target, revision)
        plan = RepoPlan(target, remote)
        if remote is None:
            plan.add = list(target.files.values())
            return plan
        provenance = _Provenance(self, target, remote)
        target = plan.target = self._with_notes(target, remote, plan)
        sizes = {path: found.size for path, found in remote.files.items()}
        hash_all(file for file in target.files.values() if sizes.get(file.path) == file.size)
        for path, file in target.files.items():
            self._compare(plan, provenance, path, file)
        for path, found in remote.files.items():
            if path not in target.files and path != HUB_FILE:
                self._check_extra(plan, provenance, path, remote_digest(found))
        self._settings(plan, remote)
        self._tag(plan, remote)
        return plan

    def _read_remote(self, target: Target, revision: str | None) -> RemoteState | None:
        try:
            info = self.api.repo_info(**target.repo_args, revision=revision)
        except RepositoryNotFoundError:
            return None
        refs = self.api.list_repo_refs(**target.repo_args)
        tags = {tag.name: tag.target_commit for tag in refs.tags}
        head, gated = str(info.sha), getattr(info, "gated", None) or False
        return RemoteState(head, self.tree(target, head), tags, bool(info.private), gated)

    def tree(self, target: Target, commit: str, *, expand: bool = False) -> dict[str, RepoFile]:
        """Every file at a commit; `expand` also gives the last commit that touched each file."""
        listed = self.api.list_repo_tree(**target.repo_args, recursive=True, revision=commit, expand=expand)
        return {entry.path: entry for entry in listed if isinstance(entry, RepoFile)}

    def text(self, target: Target, commit: str, listed: RepoFile) -> str:
        """The card at a commit, verified by its digest: a damaged one would be uploaded again as notes."""
        url = hf_hub_url(target.id, CARD, repo_type=target.repo.hub_type, revision=commit, endpoint=target.endpoint)
        response = get_session().get(url, headers=build_hf_headers(token=self.api.token))
        hf_raise_for_status(response)
        card = LocalFile(CARD, target.files[CARD].source, response.content)
        if not card.matches(listed):
            raise PublishError(f"{target.id}: the download of {CARD} is damaged. Run the same command again.")
        return card.content.decode("utf-8", errors="replace")

    def untouched(self, target: Target, remote: RemoteState) -> bool:
        """Whether the repo has no commit but the initial one."""
        if not {*remote.files} <= INITIAL_FILES:
            return False
        return len(self.api.list_repo_commits(**target.repo_args, revision=remote.head)) == 1

    def _with_notes(self, target: Target, remote: RemoteState, plan: RepoPlan) -> Target:
        """The target, its card merged with the notes of the Hub's card."""
        card = target.files[CARD]
        if CARD not in remote.files or card.matches(remote.files[CARD]):
            return target
        new, old = card.text, self.text(target, remote.head, remote.files[CARD])
        text = card_merge.merge_notes(new, old)
        if text != new:
            plan.remarks.append("the notes in the card on the Hub are kept")
        files = {**target.files, CARD: LocalFile(CARD, card.source, text.encode())}
        return Target(target.repo, target.id, files, target.tag, target.endpoint)

    def _compare(self, plan: RepoPlan, provenance: _Provenance, path: str, file: LocalFile) -> None:
        assert plan.remote is not None
        found = plan.remote.files.get(path)
        if found is None:
            plan.add.append(file)
        elif not file.matches(found):
            plan.change.append(file)
            if not provenance.has(path, remote_digest(found)):
                self._check_overwrite(plan, provenance, path)

    def _check_overwrite(self, plan: RepoPlan, provenance: _Provenance, path: str) -> None:
        """A remote file that would be replaced and does not come from an earlier version."""
        assert plan.remote is not None
        problem = f"{path} was added or changed on the Hub by somebody else"
        if path == CARD:
            old = self.text(plan.target, plan.remote.head, plan.remote.files[CARD])
            if provenance.has_card(card_merge.fingerprint(old)):
                return  # only the notes were edited, and they are kept
            new = plan.target.files[CARD].text
            problem += f" outside of the marked notes:\n{card_merge.diff(old, new)}"
        self._add_conflict(plan, problem)

    def _check_extra(self, plan: RepoPlan, provenance: _Provenance, path: str, digest: str) -> None:
        """A remote file that the release does not have."""
        if not provenance.has_path(path):
            plan.kept.append(path)
            return
        plan.remove.append(path)
        if not provenance.has(path, digest):
            self._add_conflict(plan, f"{path} is not in this version, but was changed on the Hub by somebody else")

    def _add_conflict(self, plan: RepoPlan, problem: str) -> None:
        """Add a problem, or only a remark if the user allows to overwrite or a person reviews it."""
        (plan.remarks if self.overwrite or self.pull_request else plan.problems).append(problem)

    def _settings(self, plan: RepoPlan, remote: RemoteState) -> None:
        """Access only ever becomes stricter: a repo that people closed on the Hub is not opened."""
        repo = plan.target.repo
        if repo.private and not remote.private:
            plan.settings["private"] = True
        elif remote.private and not repo.private:
            plan.remarks.append(
                "private on the Hub, public in the release: stays private; change it on its settings page"
            )
        if repo.gated and remote.gated != repo.gated and remote.gated != "manual":
            plan.settings["gated"] = repo.gated
        elif remote.gated and remote.gated != repo.gated:
            plan.remarks.append(
                f"gated {remote.gated!r} on the Hub, {repo.gated or 'open'} in the release: stays gated"
            )

    def _tag(self, plan: RepoPlan, remote: RemoteState) -> None:
        """A tag never moves: an existing one must have the same files."""
        target = plan.target
        if (commit := remote.tags.get(target.tag)) is None:
            return
        plan.tag_missing = False
        tagged = remote.files if commit == remote.head else self.tree(target, commit)
        differ = [path for path, file in target.files.items() if not file.matches(tagged.get(path))]
        if differ == [CARD] and CARD in tagged:
            old, new = self.text(target, commit, tagged[CARD]), target.files[CARD].text
            differ = [] if card_merge.fingerprint(old) == card_merge.fingerprint(new) else differ
        if differ:
            plan.problems.append(
                f"{target.tag} exists on the Hub with different files ({_truncate_list(differ)}), and a published "
                "version does not change. Raise `version` in release.toml, build the release again and publish that"
            )


def _released(file: RepoFile) -> bool:
    """Whether the last commit that touched a file is a release commit or the initial one."""
    title = file.last_commit.title if file.last_commit else ""
    return bool(RELEASE_TITLE.fullmatch(title)) or (title == INITIAL_TITLE and file.path in INITIAL_FILES)


def placeholder_card(target: Target) -> LocalFile:
    """The card of a repo while its files are uploaded in several commits."""
    card = target.files[CARD]
    return LocalFile(CARD, card.source, card_merge.placeholder(card.text, target.tag).encode())


def newest(tags: Mapping[str, str]) -> str | None:
    """The commit of the highest version among the tags; None if no tag is a version."""
    versions = {
        tuple(map(int, found.groups())): commit for tag, commit in tags.items() if (found := VERSION.fullmatch(tag))
    }
    return versions[max(versions)] if versions else None


def _truncate_list(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more
