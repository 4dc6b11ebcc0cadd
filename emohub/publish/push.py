"""One repo of a release to the Hub: made with its gate closed, filled commit by commit, card last, then tagged."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    Discussion,
    HfApi,
    metadata_load,
)
from huggingface_hub.errors import HfHubHTTPError

from emohub.errors import PublishError, hub_message, listed
from emohub.publish import cards
from emohub.publish.files import CARD, LocalFile, hash_all
from emohub.publish.journal import Journal
from emohub.publish.plan import Planner, RepoPlan, Target, stand_in

Operation = CommitOperationAdd | CommitOperationDelete
FILES_PER_COMMIT = 500
RACES = 4  # how often another writer may be faster before this gives up
CONFLICT = 412

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pushed:
    """What one push did.

    Attributes:
        id: The repo.
        revision: Where its files now are: a tag, or the head of a pull request.
        commits: How many commits were made.
        files: How many files were sent.
        size: How many bytes were sent.
        url: The pull request, if it is one.
    """

    id: str
    revision: str
    commits: int
    files: int
    size: int
    url: str | None = None


def refuse(plans: Sequence[RepoPlan]) -> None:
    """Stop where a plan has problems.

    Raises:
        PublishError: it lists them all and says how to go on.
    """
    problems = [f"{plan.target.id}: {problem}" for plan in plans for problem in plan.problems]
    if problems:
        raise PublishError(
            f"Nothing was sent where this stands in the way:\n{listed(problems)}\n"
            "Put edits of a card between its marked notes, and other edits into the release's sources, then build "
            "again; or let a person decide with --create-pr; or replace them with --overwrite: git keeps theirs."
        )


class Pusher:
    """Carries out plans.

    Args:
        api: The Hub's client.
        planner: Looks again where somebody else was faster.
        journal: Told before and after each commit.
        files_per_commit: Above it a repo goes in several commits.
    """

    def __init__(
        self, api: HfApi, planner: Planner, journal: Journal, files_per_commit: int = FILES_PER_COMMIT
    ) -> None:
        self.api, self.planner, self.journal = api, planner, journal
        self.files_per_commit = files_per_commit

    def push(self, target: Target, plan: RepoPlan) -> Pushed:
        """Bring `main` of one repo to the release, and tag it.

        Raises:
            PublishError: other people's work stands in the way, or the Hub refuses.
        """
        if plan.there is None:
            self._create(target)
            plan = self._look(target)
        if plan.settings:
            self.api.update_repo_settings(**target.of, **plan.settings)  # type: ignore[arg-type]  # gated, private: by name
        plan, commit, made = self._commit_past_others(target, plan)
        if plan.tag_missing:
            self.api.create_tag(**target.of, tag=target.tag, revision=commit, exist_ok=True)
        self._done(plan)
        return Pushed(target.id, target.tag, made, len(plan.add) + len(plan.change), plan.size)

    def propose(self, target: Target) -> Pushed:
        """Put the release into a pull request, into the same one on a rerun.

        Raises:
            PublishError: the Hub refuses.
        """
        title = f"Release {target.tag}"
        request = self._open_request(target, title)
        revision = str(request.git_reference)
        plan = self.planner.plan(target, revision)
        refuse([plan])
        _, made = self._commit_all(plan, revision)
        if request.status == "draft":
            self.api.change_discussion_status(**target.of, discussion_num=request.num, new_status="open")
        return Pushed(target.id, revision, made, len(plan.add) + len(plan.change), plan.size, request.url)

    def _commit_past_others(self, target: Target, plan: RepoPlan) -> tuple[RepoPlan, str, int]:
        """Commit; where somebody else was faster, look again and go on from there, if that touches nothing of ours."""
        for left in reversed(range(RACES)):
            try:
                return plan, *self._commit_all(plan, None)
            except HfHubHTTPError as error:
                if error.response.status_code != CONFLICT or not left:
                    raise
                log.warning("%s: somebody else committed meanwhile; looking again", target.id)
                plan = self._look(target)
        raise AssertionError("not reached")

    def _look(self, target: Target) -> RepoPlan:
        plan = self.planner.plan(target)
        refuse([plan])
        return plan

    def _create(self, target: Target) -> None:
        sdk = None
        if target.repo.hub_type == "space":
            card = target.files[CARD].source
            sdk = (metadata_load(card) or {}).get("sdk")
            if sdk is None:
                raise PublishError(f"{card} names no `sdk`, which a Space needs: gradio, docker or static.")
        self.api.create_repo(**target.of, private=target.repo.private or None, space_sdk=sdk, exist_ok=True)

    def _open_request(self, target: Target, title: str) -> Discussion:
        """The pull request of an earlier run that is not closed, or a new one."""
        for found in self.api.get_repo_discussions(**target.of, discussion_type="pull_request"):
            if found.title == title and found.status in ("open", "draft"):
                return found
        text = f"The files of {target.tag}, sent by `emohub publish --create-pr`."
        return self.api.create_pull_request(**target.of, title=title, description=text)

    def _commit_all(self, plan: RepoPlan, revision: str | None) -> tuple[str, int]:
        """Send what differs; gives back the head and how many commits were made."""
        assert plan.there is not None
        head, target = plan.there.head, plan.target
        hash_all((*plan.add, *plan.change))
        batches = batched(plan, self.files_per_commit)
        files = {file.path: file.digests for file in (*plan.add, *plan.change)}
        if batches:
            shown = [stand_in(plan.target)] if len(batches) > 1 else []
            fingerprints = [cards.fingerprint(file.content.decode()) for file in (target.files[CARD], *shown)]
            stand_ins = {CARD: (*files.get(CARD, ()), *(one for file in shown for one in file.digests))}
            self.journal.intend(target.key, {**files, **stand_ins}, fingerprints)
        for number, operations in enumerate(batches, 1):
            part = f" (part {number} of {len(batches)})" if len(batches) > 1 else ""
            head = self._commit(target, operations, f"Release {target.tag}{part}", head, revision)
        return head, len(batches)

    def _commit(
        self, target: Target, operations: Sequence[Operation], title: str, parent: str, revision: str | None
    ) -> str:
        try:
            made = self.api.create_commit(
                **target.of, operations=operations, commit_message=title, parent_commit=parent, revision=revision
            )
        except (RuntimeError, ValueError) as error:  # so the client wraps what went wrong with one upload
            cause = error.__cause__
            said = hub_message(cause) if isinstance(cause, HfHubHTTPError) else str(cause or error)
            raise PublishError(
                f"{target.id}: {error} {said}\nThe repo is as it was before; run the same command again."
            ) from error
        return made.oid

    def _done(self, plan: RepoPlan) -> None:
        target = plan.target
        files = {path: file.digests for path, file in target.files.items()}
        self.journal.done(target.key, files, [cards.fingerprint(target.files[CARD].content.decode())])


def batched(plan: RepoPlan, limit: int) -> list[list[Operation]]:
    """The operations of each commit: the card and what goes come last.

    Where several commits replace files of a repo that has a card, the first one puts a card there that says so.
    """
    if not plan.changes:
        return []
    files = [file for file in (*plan.add, *plan.change) if file.path != CARD]
    card = [file for file in (*plan.add, *plan.change) if file.path == CARD]
    parts = [files[start : start + limit] for start in range(0, len(files), limit)] or [[]]
    if len(parts) > 1:
        card = [plan.target.files[CARD]]
        if plan.there is not None and CARD in plan.there.files:
            parts[0] = [stand_in(plan.target), *parts[0]]
    parts[-1] = [*parts[-1], *card]
    commits: list[list[Operation]] = [[_addition(file) for file in part] for part in parts]
    commits[-1] += [CommitOperationDelete(path, is_folder=False) for path in plan.remove]
    return commits


def _addition(file: LocalFile) -> CommitOperationAdd:
    made = CommitOperationAdd(file.path, file.source if file.data is None else file.data)
    made.upload_info.sha256 = bytes.fromhex(file.digests[0])
    return made
