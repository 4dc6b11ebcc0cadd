"""What a publish would do to one repo: nothing here changes the Hub."""

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
from emohub.publish import cards
from emohub.publish.files import CARD, LocalFile, digest, hash_all
from emohub.publish.journal import Journal
from emohub.release.record import Repo

Action = Literal["create", "update", "unchanged"]
VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
OF_THE_HUB = ".gitattributes"
# Titles of the commits that publish makes: in parts, or merged from a pull request.
OURS = re.compile(r"Release v\d+\.\d+\.\d+( \((part \d+ of \d+|#\d+)\))?")
FIRST_TITLE = "initial commit"  # of the one that the Hub makes
FIRST_COMMIT = {OF_THE_HUB, CARD}  # what the Hub puts into a new repo by itself


@dataclass(frozen=True)
class Target:
    """One repo of the release, where it goes, and what is to stand there."""

    repo: Repo
    id: str
    files: dict[str, LocalFile]
    tag: str
    endpoint: str

    @property
    def key(self) -> str:
        """Its name in the journal."""
        return f"{self.endpoint} {self.repo.hub_type}s/{self.id}"

    @property
    def of(self) -> dict[str, Any]:
        """How the Hub's client is told which repo."""
        return {"repo_id": self.id, "repo_type": self.repo.hub_type}


@dataclass(frozen=True)
class There:
    """A repo as it is on the Hub at one commit."""

    head: str
    files: dict[str, RepoFile]
    tags: dict[str, str]
    private: bool
    gated: str | bool


@dataclass
class RepoPlan:
    """What would be done to one repo.

    Attributes:
        target: The repo.
        there: What is on the Hub, None where the repo is to be made.
        add: Files that the Hub does not have.
        change: Files that the Hub has otherwise.
        remove: Paths of an earlier version that go.
        kept: Paths of other people, which stay.
        problems: Why nothing may be sent.
        tag_missing: Whether the version's tag is to be set.
        settings: Settings to be made before any file is sent.
        remarks: What a reader of the plan should know.
    """

    target: Target
    there: There | None
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
        """In one word."""
        if self.there is None:
            return "create"
        return "update" if self.changes or self.settings or self.tag_missing else "unchanged"

    @property
    def size(self) -> int:
        """Bytes to send."""
        return sum(file.size for file in (*self.add, *self.change))


class _Known:
    """Which files on the Hub an earlier version put there, so that this one may replace or remove them.

    The journal knows it of this machine. Of others, the commits tell: a file of the newest tagged version is ours
    where the last commit that touched it is a release. They are asked for only where the journal does not settle it.
    """

    def __init__(self, planner: "Planner", target: Target, there: There) -> None:
        self._planner, self._target, self._there = planner, target, there
        self._files = planner.journal.files(target.key)
        self._cards = {*planner.journal.cards(target.key), cards.fingerprint(stand_in(target).content.decode())}

    def has(self, path: str, seen: str) -> bool:
        """Whether an earlier version gave the file just this content."""
        return seen in self._files.get(path, ()) or self._released.get(path) == seen

    def path(self, path: str) -> bool:
        """Whether an earlier version had such a file."""
        return path in self._files or path in self._released

    def card(self, fingerprint: str) -> bool:
        """Whether an earlier version's card was this, notes aside."""
        return fingerprint in self._cards or fingerprint == self._released_card

    @cached_property
    def _base(self) -> str | None:
        """The newest version's commit, or the first one while nobody has made another."""
        tagged = newest(self._there.tags)
        untouched = tagged is None and self._planner.untouched(self._target, self._there)
        return self._there.head if untouched else tagged

    @cached_property
    def _entries(self) -> dict[str, RepoFile]:
        if self._base is None:
            return {}
        listed = self._planner.tree(self._target, self._base, expand=True)
        return {path: file for path, file in listed.items() if _released(file)}

    @cached_property
    def _released(self) -> dict[str, str]:
        return {path: digest(file) for path, file in self._entries.items()}

    @cached_property
    def _released_card(self) -> str | None:
        if CARD not in self._entries or self._base is None:
            return None
        return cards.fingerprint(self._planner.text(self._target, self._base, self._entries[CARD]))


class Planner:
    """Compares repos with the Hub.

    Args:
        api: The Hub's client.
        journal: What this machine sent before.
        overwrite: Whether files that others changed may be replaced (git keeps their versions).
        pull_request: Whether changes go to a pull request, where a person decides.
    """

    def __init__(self, api: HfApi, journal: Journal, *, overwrite: bool = False, pull_request: bool = False) -> None:
        self.api, self.journal = api, journal
        self.overwrite, self.pull_request = overwrite, pull_request

    def plan(self, target: Target, revision: str | None = None) -> RepoPlan:
        """Compare one repo with the Hub, at `main` or the head of a pull request."""
        there = self._there(target, revision)
        plan = RepoPlan(target, there)
        if there is None:
            plan.add = list(target.files.values())
            return plan
        known = _Known(self, target, there)
        target = plan.target = self._with_notes(target, there, plan)
        hash_all(
            file for file in target.files.values() if (seen := there.files.get(file.path)) and seen.size == file.size
        )
        for path, file in target.files.items():
            self._compare(plan, known, path, file)
        for path, seen in there.files.items():
            if path not in target.files and path != OF_THE_HUB:
                self._leftover(plan, known, path, digest(seen))
        self._settings(plan, there)
        self._tag(plan, there)
        return plan

    def _there(self, target: Target, revision: str | None) -> There | None:
        try:
            info = self.api.repo_info(**target.of, revision=revision)
        except RepositoryNotFoundError:
            return None
        refs = self.api.list_repo_refs(**target.of)
        tags = {tag.name: tag.target_commit for tag in refs.tags}
        head = str(info.sha)
        return There(head, self.tree(target, head), tags, bool(info.private), getattr(info, "gated", None) or False)

    def tree(self, target: Target, commit: str, *, expand: bool = False) -> dict[str, RepoFile]:
        """Every file at a commit; `expand` also gives the last commit that touched each."""
        listed = self.api.list_repo_tree(**target.of, recursive=True, revision=commit, expand=expand)
        return {entry.path: entry for entry in listed if isinstance(entry, RepoFile)}

    def text(self, target: Target, commit: str, listed: RepoFile) -> str:
        """The card at a commit, whole: what arrives otherwise would go back as people's notes."""
        url = hf_hub_url(target.id, CARD, repo_type=target.repo.hub_type, revision=commit, endpoint=target.endpoint)
        response = get_session().get(url, headers=build_hf_headers(token=self.api.token))
        hf_raise_for_status(response)
        card = LocalFile(CARD, target.files[CARD].source, response.content)
        if not card.same(listed):
            raise PublishError(f"{target.id}: {CARD} arrived damaged. Run the same command again.")
        return card.content.decode("utf-8", errors="replace")

    def untouched(self, target: Target, there: There) -> bool:
        """Whether nobody has committed since the Hub made the repo."""
        if not {*there.files} <= FIRST_COMMIT:
            return False
        return len(self.api.list_repo_commits(**target.of, revision=there.head)) == 1

    def _with_notes(self, target: Target, there: There, plan: RepoPlan) -> Target:
        """The target with the Hub's notes in its card."""
        card = target.files[CARD]
        if CARD not in there.files or card.same(there.files[CARD]):
            return target
        new, old = card.content.decode(), self.text(target, there.head, there.files[CARD])
        text = cards.merged(new, old)
        if text != new:
            plan.remarks.append("the notes that the Hub's card holds are kept")
        files = {**target.files, CARD: LocalFile(CARD, card.source, text.encode())}
        return Target(target.repo, target.id, files, target.tag, target.endpoint)

    def _compare(self, plan: RepoPlan, known: _Known, path: str, file: LocalFile) -> None:
        assert plan.there is not None
        seen = plan.there.files.get(path)
        if seen is None:
            plan.add.append(file)
        elif not file.same(seen):
            plan.change.append(file)
            if not known.has(path, digest(seen)):
                self._foreign(plan, known, path)

    def _foreign(self, plan: RepoPlan, known: _Known, path: str) -> None:
        """A file that the release would replace, and that is not as an earlier version left it."""
        assert plan.there is not None
        said = "was put or changed on the Hub by somebody else"
        if path == CARD:
            there = self.text(plan.target, plan.there.head, plan.there.files[CARD])
            if known.card(cards.fingerprint(there)):
                return  # only the notes were edited, and those are kept
            new = plan.target.files[CARD].content.decode()
            said += f" outside of the marked notes:\n{cards.difference(there, new)}"
        self._object(plan, f"{path} {said}")

    def _leftover(self, plan: RepoPlan, known: _Known, path: str, seen: str) -> None:
        """A file on the Hub that the release does not have."""
        if not known.path(path):
            plan.kept.append(path)
            return
        plan.remove.append(path)
        if not known.has(path, seen):
            self._object(plan, f"{path} goes in this version, but was changed on the Hub by somebody else")

    def _object(self, plan: RepoPlan, problem: str) -> None:
        """A problem, unless the user said that it is none or leaves it to a person."""
        (plan.remarks if self.overwrite or self.pull_request else plan.problems).append(problem)

    def _settings(self, plan: RepoPlan, there: There) -> None:
        """Only ever stricter: what people closed on the Hub is not opened here."""
        repo = plan.target.repo
        if repo.private and not there.private:
            plan.settings["private"] = True
        elif there.private and not repo.private:
            plan.remarks.append(
                "private on the Hub, public in the release: stays private; open it on its settings page"
            )
        if repo.gated and there.gated != repo.gated and there.gated != "manual":
            plan.settings["gated"] = repo.gated
        elif there.gated and there.gated != repo.gated:
            plan.remarks.append(
                f"gated {there.gated!r} on the Hub, {repo.gated or 'open'} in the release: stays gated"
            )

    def _tag(self, plan: RepoPlan, there: There) -> None:
        """A tag never moves: one that is there must name the same files."""
        target = plan.target
        if (commit := there.tags.get(target.tag)) is None:
            return
        plan.tag_missing = False
        tagged = there.files if commit == there.head else self.tree(target, commit)
        differ = [path for path, file in target.files.items() if not file.same(tagged.get(path))]
        if differ == [CARD] and CARD in tagged:
            new = target.files[CARD].content.decode()
            differ = (
                [] if cards.fingerprint(self.text(target, commit, tagged[CARD])) == cards.fingerprint(new) else differ
            )
        if differ:
            plan.problems.append(
                f"{target.tag} is on the Hub already with other files ({_some(differ)}), and a version does not "
                "change. Raise `version` in release.toml, build the release again and publish that"
            )


def _released(file: RepoFile) -> bool:
    """Whether a release, or the Hub itself, was the last to touch a file."""
    title = file.last_commit.title if file.last_commit else ""
    return bool(OURS.fullmatch(title)) or (title == FIRST_TITLE and file.path in FIRST_COMMIT)


def stand_in(target: Target) -> LocalFile:
    """The card that stands in while the files of a repo come in several commits."""
    card = target.files[CARD]
    return LocalFile(CARD, card.source, cards.unfinished(card.content.decode(), target.tag).encode())


def newest(tags: Mapping[str, str]) -> str | None:
    """The commit of the highest version among tags; None where no tag is a version."""
    versions = {
        tuple(map(int, found.groups())): commit for tag, commit in tags.items() if (found := VERSION.fullmatch(tag))
    }
    return versions[max(versions)] if versions else None


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more
