"""Upload one repo: create it with its access settings, commit the files, the card last, then tag the version."""

import logging
from collections.abc import Callable, Sequence
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
from emohub.publish import card_merge
from emohub.publish.files import CARD, LocalFile, hash_all
from emohub.publish.journal import Journal
from emohub.publish.plan import Planner, RepoPlan, Target, placeholder_card
from emohub.publish.space import secret_value

Operation = CommitOperationAdd | CommitOperationDelete
FILES_PER_COMMIT = 500
MAX_CONFLICTS = 4  # tries of one repo while somebody else commits to it
CONFLICT = 412

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pushed:
    """The result of one push.

    Attributes:
        id: The repo.
        revision: Where its files are: a tag, or the head of a pull request.
        commits: Number of commits.
        files: Number of files uploaded.
        size: Bytes uploaded.
        url: Of the pull request, if there is one.
    """

    id: str
    revision: str
    commits: int
    files: int
    size: int
    url: str | None = None


def raise_conflicts(plans: Sequence[RepoPlan]) -> None:
    """Stop if a plan has conflicts.

    Raises:
        PublishError: it lists them all and the possible next steps.
    """
    problems = [f"{plan.target.id}: {problem}" for plan in plans for problem in plan.problems]
    if problems:
        raise PublishError(
            f"Conflicts with the Hub; nothing was uploaded to these repos:\n{listed(problems)}\n"
            "Move edits of a card between its note marks, and other edits into the sources of the release, and build "
            "again; or open pull requests for review with --create-pr; or replace them with --overwrite (they stay in "
            "the git history)."
        )


class Pusher:
    """Applies plans.

    Args:
        api: The Hub's client.
        planner: Plans again after a conflicting commit.
        journal: Updated before and after each commit.
        verify: Raises PublishError if a commit does not have the files of the target; called before it is tagged.
        files_per_commit: Repos with more changed files are uploaded in several commits.
    """

    def __init__(
        self,
        api: HfApi,
        planner: Planner,
        journal: Journal,
        verify: Callable[[Target, str], None],
        files_per_commit: int = FILES_PER_COMMIT,
    ) -> None:
        self.api, self.planner, self.journal = api, planner, journal
        self.verify, self.files_per_commit = verify, files_per_commit

    def push(self, target: Target, plan: RepoPlan) -> Pushed:
        """Bring `main` of one repo to the release, verify the commit, and tag it.

        Raises:
            PublishError: remote changes conflict, the Hub refuses, or its commit is not complete.
        """
        secret = target.repo.secret
        if plan.remote is None:
            self._create(target)
            plan = self._replan(target)
        if plan.settings:
            self.api.update_repo_settings(**target.repo_args, **plan.settings)  # type: ignore[arg-type]  # gated, private: by name
        if secret is not None:
            self.api.add_space_secret(target.id, secret, secret_value(target.id, secret))
        plan, commit, commits = self._commit_after_conflicts(target, plan)
        if plan.tag_missing:
            self.verify(plan.target, commit)
            self.api.create_tag(**target.repo_args, tag=target.tag, revision=commit, exist_ok=True)
        self._record(plan)
        return Pushed(target.id, target.tag, commits, len(plan.add) + len(plan.change), plan.size)

    def propose(self, target: Target) -> Pushed:
        """Open a pull request with the release; a rerun updates the same one.

        Raises:
            PublishError: the Hub refuses.
        """
        title = f"Release {target.tag}"
        request = self._find_or_open_request(target, title)
        revision = str(request.git_reference)
        plan = self.planner.plan(target, revision)
        raise_conflicts([plan])
        _, commits = self._commit_all(plan, revision)
        if request.status == "draft":
            self.api.change_discussion_status(**target.repo_args, discussion_num=request.num, new_status="open")
        return Pushed(target.id, revision, commits, len(plan.add) + len(plan.change), plan.size, request.url)

    def _commit_after_conflicts(self, target: Target, plan: RepoPlan) -> tuple[RepoPlan, str, int]:
        """Commit; if somebody else committed first, plan again from there, unless that conflicts."""
        for tries_left in reversed(range(MAX_CONFLICTS)):
            try:
                return plan, *self._commit_all(plan, None)
            except HfHubHTTPError as error:
                if error.response.status_code != CONFLICT or not tries_left:
                    raise
                log.warning("%s: somebody else committed at the same time; planning again", target.id)
                plan = self._replan(target)
        raise AssertionError("not reached")

    def _replan(self, target: Target) -> RepoPlan:
        plan = self.planner.plan(target)
        raise_conflicts([plan])
        return plan

    def _create(self, target: Target) -> None:
        sdk = None
        if target.repo.hub_type == "space":
            card = target.files[CARD].source
            sdk = (metadata_load(card) or {}).get("sdk")
            if sdk is None:
                raise PublishError(f"{card} has no `sdk`, which a Space needs: gradio, docker or static.")
        self.api.create_repo(**target.repo_args, private=target.repo.private or None, space_sdk=sdk, exist_ok=True)

    def _find_or_open_request(self, target: Target, title: str) -> Discussion:
        """The open pull request of an earlier run, or a new one."""
        for found in self.api.get_repo_discussions(**target.repo_args, discussion_type="pull_request"):
            if found.title == title and found.status in ("open", "draft"):
                return found
        text = f"The files of {target.tag}, uploaded by `emohub publish --create-pr`."
        return self.api.create_pull_request(**target.repo_args, title=title, description=text)

    def _commit_all(self, plan: RepoPlan, revision: str | None) -> tuple[str, int]:
        """Upload the changes; returns the head and the number of commits.

        Raises:
            PublishError: the repo exists, and the Hub does not show it.
        """
        target = plan.target
        if plan.remote is None:
            raise PublishError(
                f"{target.id}: the repo exists, but the Hub does not show it to this token. Ask its owner for write "
                "access, or give another token; then run the same command again."
            )
        head = plan.remote.head
        hash_all((*plan.add, *plan.change))
        batches = batched(plan, self.files_per_commit)
        files = {file.path: file.digests for file in (*plan.add, *plan.change)}
        if batches:
            temporary = [placeholder_card(plan.target)] if len(batches) > 1 else []
            fingerprints = [card_merge.fingerprint(file.text) for file in (target.files[CARD], *temporary)]
            card = {CARD: (*files.get(CARD, ()), *(digest for file in temporary for digest in file.digests))}
            self.journal.record_intent(target.key, {**files, **card}, fingerprints)
        for number, operations in enumerate(batches, 1):
            part = f" (part {number} of {len(batches)})" if len(batches) > 1 else ""
            head = self._commit(target, operations, f"Release {target.tag}{part}", head, revision)
        return head, len(batches)

    def _commit(
        self, target: Target, operations: Sequence[Operation], title: str, parent: str, revision: str | None
    ) -> str:
        try:
            info = self.api.create_commit(
                **target.repo_args,
                operations=operations,
                commit_message=title,
                parent_commit=parent,
                revision=revision,
            )
        except (RuntimeError, ValueError) as error:  # the client wraps the failure of one upload in these
            cause = error.__cause__
            reason = hub_message(cause) if isinstance(cause, HfHubHTTPError) else str(cause or error)
            raise PublishError(
                f"{target.id}: {error} {reason}\nThe repo is unchanged; run the same command again."
            ) from error
        return info.oid

    def _record(self, plan: RepoPlan) -> None:
        target = plan.target
        files = {path: file.digests for path, file in target.files.items()}
        self.journal.record_result(target.key, files, [card_merge.fingerprint(target.files[CARD].text)])


def batched(plan: RepoPlan, limit: int) -> list[list[Operation]]:
    """The operations of each commit; the card and deletions come last.

    If several commits change a repo that has a card, the first one replaces the card by a placeholder.
    """
    if not plan.changes:
        return []
    files = [file for file in (*plan.add, *plan.change) if file.path != CARD]
    card = [file for file in (*plan.add, *plan.change) if file.path == CARD]
    parts = [files[start : start + limit] for start in range(0, len(files), limit)] or [[]]
    if len(parts) > 1:
        card = [plan.target.files[CARD]]
        if plan.remote is not None and CARD in plan.remote.files:
            parts[0] = [placeholder_card(plan.target), *parts[0]]
    parts[-1] = [*parts[-1], *card]
    commits: list[list[Operation]] = [[_addition(file) for file in part] for part in parts]
    commits[-1] += [CommitOperationDelete(path, is_folder=False) for path in plan.remove]
    return commits


def _addition(file: LocalFile) -> CommitOperationAdd:
    addition = CommitOperationAdd(file.path, file.source if file.data is None else file.data)
    addition.upload_info.sha256 = bytes.fromhex(file.digests[0])
    return addition
