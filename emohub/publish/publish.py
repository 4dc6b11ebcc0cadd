"""`emohub publish`: plan all, push repo by repo, verify from outside."""

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
from emohub.publish.collection import CollectionPlan, plan_collection, push_collection
from emohub.publish.files import repo_files
from emohub.publish.journal import Journal, opened
from emohub.publish.retries import install_retries
from emohub.publish.plan import Planner, RepoPlan, Target
from emohub.publish.push import FILES_PER_COMMIT, Pushed, Pusher, refuse
from emohub.publish.verify import LOOKS, Check, Depth, Verifier
from emohub.release.record import Release, open_release

ORDER: tuple[Kind, ...] = ("dataset", "metric", "model", "space")  # what others link to comes first
READS_ONLY = ("read",)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How to publish.

    Attributes:
        namespace: Where to; by default the release's own.
        create_pr: Into pull requests, where a repo is there already.
        overwrite: Replace what other people changed.
        check: First look for what must never be pushed, without starting a process.
        verify: How deep to look afterwards.
        files_per_commit: Above it a repo goes in several commits.
        endpoint: The Hub; by default HF_ENDPOINT, or huggingface.co.
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
    """What a publish would do."""

    release: Release
    namespace: str
    repos: list[RepoPlan]
    collection: CollectionPlan | None

    @property
    def nothing(self) -> bool:
        """Whether the Hub holds the release already."""
        done = all(plan.action == "unchanged" for plan in self.repos)
        return done and (self.collection is None or self.collection.action == "unchanged")


@dataclass
class Report:
    """What a publish did, and what was seen afterwards."""

    pushed: list[Pushed] = field(default_factory=list)
    collection: str | None = None
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything that was verified is as it should be."""
        return all(check.ok for check in self.checks)


def plan_publish(folder: Path, options: Options) -> Plan:
    """Compare a release with the Hub, as the token (or a stranger) sees it; nothing is sent.

    Raises:
        PublishError: the Hub does not answer, or the folder is no release.
    """
    _prepare()
    with opened(folder) as journal, _readable():
        return _plan(open_release(folder), options, _planner(journal, options))


def publish(folder: Path, options: Options, show: Callable[[Plan], None], say: Say) -> Report:
    """Bring the Hub to what the release holds.

    Args:
        folder: The release.
        options: How.
        show: Gets the plan, before anything is sent.
        say: Gets a line whenever something is done.

    Raises:
        PublishError: the check failed, no token, no right, other people's work in the way, or the Hub does not
            answer. Every repo is then as it was, whole, or without its card; the same command goes on.
    """
    _prepare()
    if options.check:
        _checked(folder)
    with opened(folder) as journal, _readable():
        planner = _planner(journal, options)
        plan = _plan(open_release(folder), options, planner)
        show(plan)
        refuse(plan.repos)
        if not plan.nothing:
            _may_write(planner.api, plan, options)
        return _carry_out(plan, options, planner, say)


def _prepare() -> None:
    install_retries()
    if not sys.stderr.isatty():
        disable_progress_bars()
    hub_logging.set_verbosity_error()  # it would name addresses with their signatures; what matters is said here


def _checked(folder: Path) -> None:
    """Refuse what `emohub check --fast` refuses."""
    from emohub.check.run import check_path  # with torch and transformers, 4 s that a plan does without

    failures = [f"{one.where}: {one.found}. {one.do}" for one in check_path(folder, fast=True).failures]
    if failures:
        raise PublishError(
            f"`emohub check {folder}` finds what should not be pushed, and nothing was sent:\n{listed(failures)}\n"
            "Mend it and build again; --no-check pushes all the same."
        )


@contextmanager
def _readable() -> Iterator[None]:
    """Say what it means where an answer is no JSON."""
    try:
        yield
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PublishError(
            f"The Hub gave an answer that is not readable ({error}): a proxy, or bytes that changed on the way. "
            "Run the same command again."
        ) from error


def _planner(journal: Journal, options: Options) -> Planner:
    return Planner(
        HfApi(endpoint=options.endpoint), journal, overwrite=options.overwrite, pull_request=options.create_pr
    )


def targets_of(release: Release, namespace: str, endpoint: str) -> list[Target]:
    """Every repo with its files, in the order of publishing."""
    repos = sorted(release.repos, key=lambda repo: ORDER.index(repo.kind))
    tag = f"v{release.version}"
    return [
        Target(repo, release.id_of(repo, namespace), repo_files(release, repo, namespace), tag, endpoint)
        for repo in repos
    ]


def _plan(release: Release, options: Options, planner: Planner) -> Plan:
    namespace = options.namespace or release.namespace
    targets = targets_of(release, namespace, options.endpoint)
    plans = [planner.plan(target) for target in targets]
    wanted = None if options.create_pr else release.collection
    collection = plan_collection(planner.api, wanted, namespace, targets) if wanted else None
    return Plan(release, namespace, plans, collection)


def _may_write(api: HfApi, plan: Plan, options: Options) -> None:
    """Ask before the first write whether all of them may be done."""
    if get_token() is None:
        raise PublishError(
            "No token to publish with: log in with `hf auth login`, or set HF_TOKEN to a token with write access."
        )
    user = api.whoami()
    roles = {user["name"]: "admin", **{org["name"]: org.get("roleInOrg", "write") for org in user.get("orgs", ())}}
    if roles.get(plan.namespace, "read") in READS_ONLY and not (
        options.create_pr and all(p.there for p in plan.repos)
    ):
        writable = ", ".join(name for name, role in roles.items() if role not in READS_ONLY)
        raise PublishError(
            f"{user['name']} may not write to {plan.namespace!r}; this token may write to: {writable}. "
            "Name one of them with --namespace, or ask the organisation for the right to write."
        )
    for one in plan.repos:
        if one.there is not None and one.action != "unchanged" and not options.create_pr:
            api.auth_check(**one.target.of, write=True)


def _carry_out(plan: Plan, options: Options, planner: Planner, say: Say) -> Report:
    report = Report()
    pusher = Pusher(planner.api, planner, planner.journal, options.files_per_commit)
    for one in plan.repos:
        target = one.target
        if options.create_pr and one.there is not None and one.changes:
            done = pusher.propose(target)
        elif one.action != "unchanged":
            done = pusher.push(target, one)
        else:
            done = Pushed(target.id, target.tag, 0, 0, 0)
        report.pushed.append(done)
        say(_told(done))
    if plan.collection is not None:
        report.collection = push_collection(planner.api, plan.collection)
        say(f"collection {report.collection}: {plan.collection.action}, {len(plan.collection.add)} items added")
    if options.verify != "none":
        _verify(plan, report, options, say)
    return report


def _verify(plan: Plan, report: Report, options: Options, say: Say) -> None:
    verifier = Verifier(options.endpoint, every_byte="bytes" in LOOKS[options.verify])

    def keep(checks: Iterable[Check]) -> None:
        for check in checks:
            report.checks.append(check)
            say(f"{check.id}: {check.what}: {'ok' if check.ok else 'FAILED'}: {check.said}")

    done = list(zip((one.target for one in plan.repos), report.pushed, strict=True))
    for target, pushed in done:
        for revision in _revisions(pushed):
            keep(verifier.files(target, revision))
    if "loads" in LOOKS[options.verify]:
        keep(verifier.loads([target for target, pushed in done if not pushed.url]))


def _revisions(done: Pushed) -> Sequence[str]:
    """What users read by default, and the version that they pin; a pull request is neither yet."""
    return [done.revision] if done.url else ["main", done.revision]


def _told(done: Pushed) -> str:
    if not done.commits:
        return f"{done.id}: nothing to send"
    where = f" into {done.url}" if done.url else ""
    return f"{done.id}: {done.files} files, {done.size:,} bytes, commits: {done.commits}{where}"
