"""`emohub publish`: plan all repos, push one after the other, verify by reading them back."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.utils import disable_progress_bars
from huggingface_hub.utils import logging as hub_logging

from emohub.errors import PublishError, listed
from emohub.hub.kinds import Kind
from emohub.hub.names import valid_namespace
from emohub.publish.collection import CollectionPlan, plan_collection, push_collection
from emohub.publish.files import repo_files
from emohub.publish.journal import Journal, opened
from emohub.publish.plan import Planner, RepoPlan, Target
from emohub.publish.push import FILES_PER_COMMIT, Pushed, Pusher, raise_conflicts
from emohub.publish.retries import install_retries
from emohub.publish.space import secret_value
from emohub.publish.verify import STEPS, Check, Depth, Verifier
from emohub.release.record import Release, open_release

ORDER: tuple[Kind, ...] = ("dataset", "metric", "model", "space")  # what others link to comes first
READ_ONLY_ROLES = ("read",)

Log = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How to publish.

    Attributes:
        namespace: User or organisation on the Hub; by default that of the release.
        create_pr: Open pull requests for repos that exist.
        overwrite: Replace remote changes.
        check: Run the fast checks of `emohub check` first.
        verify: How thoroughly to verify afterwards.
        files_per_commit: Repos with more changed files are uploaded in several commits.
        endpoint: URL of the Hub; by default HF_ENDPOINT, or huggingface.co.
    """

    namespace: str | None = None
    create_pr: bool = False
    overwrite: bool = False
    check: bool = True
    verify: Depth = "load"
    files_per_commit: int = FILES_PER_COMMIT
    endpoint: str = constants.ENDPOINT


@dataclass
class Plan:
    """The changes that bring the Hub to the release."""

    release: Release
    namespace: str
    repos: list[RepoPlan]
    collection: CollectionPlan | None

    @property
    def up_to_date(self) -> bool:
        """Whether the Hub already has the release."""
        unchanged = all(plan.action == "unchanged" for plan in self.repos)
        return unchanged and (self.collection is None or self.collection.action == "unchanged")


@dataclass
class Report:
    """The changes that were made, and the results of the verification."""

    pushed: list[Pushed] = field(default_factory=list)
    collection: str | None = None
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every verification passed."""
        return all(check.ok for check in self.checks)


def plan_publish(folder: Path, options: Options) -> Plan:
    """Compare a release with the Hub, with the token or anonymously; nothing is uploaded.

    Raises:
        PublishError: the Hub does not answer, or the folder is not a release.
    """
    _configure_clients()
    with opened(folder) as journal, _wrap_decode_errors():
        return _plan(open_release(folder), options, _planner(journal, options))


def publish(folder: Path, options: Options, show: Callable[[Plan], None], log: Log) -> Report:
    """Upload a release to the Hub and verify it.

    Args:
        folder: The release.
        options: How to publish.
        show: Called with the plan, before anything is uploaded.
        log: Called with a line after each step.

    Raises:
        PublishError: a check failed, there is no token or no write access, remote changes conflict, or the Hub does
            not answer. Every repo is then unchanged, complete, or without its card or tag; the same command resumes.
    """
    _configure_clients()
    if options.check:
        _run_check(folder)
    with opened(folder) as journal, _wrap_decode_errors():
        planner = _planner(journal, options)
        plan = _plan(open_release(folder), options, planner)
        show(plan)
        raise_conflicts(plan.repos)
        for one in plan.repos:
            if one.secret is not None and not (options.create_pr and one.remote is not None):
                secret_value(one.target.id, one.secret)
        if not plan.up_to_date:
            _require_write_access(planner.api, plan, options)
        return _execute(plan, options, planner, log)


def _configure_clients() -> None:
    install_retries()
    if not sys.stderr.isatty():
        disable_progress_bars()
    hub_logging.set_verbosity_error()  # it would log URLs with their signatures


def _run_check(folder: Path) -> None:
    """Stop if `emohub check --fast` fails.

    Raises:
        PublishError: it lists the failures.
    """
    from emohub.check.run import check_path  # imports torch and transformers, 4 s that a plan does not need

    failures = [f"{one.where}: {one.found}. {one.do}" for one in check_path(folder, fast=True).failures]
    if failures:
        raise PublishError(
            f"`emohub check {folder}` failed, and nothing was uploaded:\n{listed(failures)}\n"
            "Fix this and build again; --no-check publishes anyway."
        )


@contextmanager
def _wrap_decode_errors() -> Iterator[None]:
    """Raise PublishError if an answer of the Hub is not valid JSON."""
    try:
        yield
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PublishError(
            f"The Hub sent an invalid answer ({error}): from a proxy, or damaged in transfer. "
            "Run the same command again."
        ) from error


def _planner(journal: Journal, options: Options) -> Planner:
    return Planner(
        HfApi(endpoint=options.endpoint), journal, overwrite=options.overwrite, pull_request=options.create_pr
    )


def targets_of(release: Release, namespace: str, endpoint: str) -> list[Target]:
    """Every repo with its files, in publishing order."""
    repos = sorted(release.repos, key=lambda repo: ORDER.index(repo.kind))
    tag = f"v{release.version}"
    return [
        Target(repo, release.id_of(repo, namespace), repo_files(release, repo, namespace), tag, endpoint)
        for repo in repos
    ]


def _plan(release: Release, options: Options, planner: Planner) -> Plan:
    namespace = valid_namespace(options.namespace or release.namespace)
    targets = targets_of(release, namespace, options.endpoint)
    plans = [planner.plan(target) for target in targets]
    wanted = None if options.create_pr else release.collection
    collection = plan_collection(planner.api, wanted, namespace, targets) if wanted else None
    return Plan(release, namespace, plans, collection)


def _require_write_access(api: HfApi, plan: Plan, options: Options) -> None:
    """Check write access to every repo before the first write.

    Raises:
        PublishError: there is no token, or it may not write to the namespace.
    """
    if get_token() is None:
        raise PublishError(
            "No token to publish with: log in with `hf auth login`, or set HF_TOKEN to a token with write access."
        )
    user = api.whoami()
    roles = {user["name"]: "admin", **{org["name"]: org.get("roleInOrg", "write") for org in user.get("orgs", ())}}
    if roles.get(plan.namespace, "read") in READ_ONLY_ROLES and not (
        options.create_pr and all(p.remote for p in plan.repos)
    ):
        writable = ", ".join(name for name, role in roles.items() if role not in READ_ONLY_ROLES)
        raise PublishError(
            f"{user['name']} may not write to {plan.namespace!r}; this token may write to: {writable}. "
            "Choose one of them with --namespace, or ask the organisation for write access."
        )
    for one in plan.repos:
        if one.remote is not None and one.action != "unchanged" and not options.create_pr:
            api.auth_check(**one.target.repo_args, write=True)


def _execute(plan: Plan, options: Options, planner: Planner, log: Log) -> Report:
    report = Report()
    verifier = Verifier(options.endpoint, download="bytes" in STEPS[options.verify])

    def keep(checks: Iterable[Check]) -> None:
        for check in checks:
            report.checks.append(check)
            log(f"{check.id}: {check.what}: {'ok' if check.ok else 'FAILED'}: {check.detail}")

    def verify(target: Target, commit: str) -> None:
        before = len(report.checks)
        keep(verifier.files(target, commit))
        if failures := [f"{one.what}: {one.detail}" for one in report.checks[before:] if not one.ok]:
            raise PublishError(
                f"{target.id}: the commit {commit} is not complete, and it was not tagged:\n{listed(failures)}\n"
                "Run the same command again."
            )

    pusher = Pusher(planner.api, planner, planner.journal, verify, options.files_per_commit)
    for one in plan.repos:
        target = one.target
        if options.create_pr and one.remote is not None and one.changes:
            done = pusher.propose(target)
        elif one.action != "unchanged":
            done = pusher.push(target, one)
        else:
            done = Pushed(target.id, target.tag, 0, 0, 0)
        report.pushed.append(done)
        log(_summarize(done))
    if plan.collection is not None:
        report.collection = push_collection(planner.api, plan.collection)
        log(f"collection {report.collection}: {plan.collection.action}, {len(plan.collection.add)} items added")
    if options.verify != "none":
        keep(_verify(plan, report, options, verifier, log))
    return report


def _verify(plan: Plan, report: Report, options: Options, verifier: Verifier, log: Log) -> Iterator[Check]:
    done = list(zip((one.target for one in plan.repos), report.pushed, strict=True))
    for target, pushed in done:
        for revision in _revisions(pushed):
            yield from verifier.files(target, revision)
    if "load" in STEPS[options.verify]:
        merged = [target for target, pushed in done if not pushed.url]
        yield from verifier.loads(merged)
        yield from verifier.spaces(merged, log)


def _revisions(done: Pushed) -> Sequence[str]:
    """`main` and the tag of the version; only its own head for a pull request."""
    return [done.revision] if done.url else ["main", done.revision]


def _summarize(done: Pushed) -> str:
    if not done.commits:
        return f"{done.id}: up to date"
    where = f" into {done.url}" if done.url else ""
    return f"{done.id}: {done.files} files, {done.size:,} bytes, commits: {done.commits}{where}"
