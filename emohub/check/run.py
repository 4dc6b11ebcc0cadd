"""The table of checks, and a run of it over a release or a single repo."""

import importlib
import logging
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from pkgutil import iter_modules

import emohub.check
from emohub.check.base import Check, Failure, LeftOut, Report, Result, Scope, Subject
from emohub.check.code import HEAVY, SPACES
from emohub.check.isolated import local_repos
from emohub.errors import EmohubError, listed, printable
from emohub.hub.card import read_card
from emohub.hub.fork_server import ForkServer
from emohub.hub.kinds import FOLDERS
from emohub.hub.process import Launch
from emohub.release.record import RECORD, Release, open_release
from emohub.results.reading import entry_files

# Groups of the table in its order, the part of an id before the dot; others follow.
GROUPS = ("release", "links", "files", "cards", "code", "space", "metric", "dataset", "model", "results")


def find_checks() -> tuple[Check, ...]:
    """The `CHECKS` of every module of `emohub.check`, by group; those that start processes last in their group."""
    names = sorted(f"{emohub.check.__name__}.{found.name}" for found in iter_modules(emohub.check.__path__))
    modules = [importlib.import_module(name) for name in names if name != __name__]
    checks = [check for module in modules for check in getattr(module, "CHECKS", ())]
    order = {group: rank for rank, group in enumerate(GROUPS)}
    return tuple(sorted(checks, key=lambda one: (order.get(one.id.partition(".")[0], len(order)), one.starts)))


CHECKS = find_checks()
AT_ONCE = 2  # repos that are checked at the same time, and so processes that run
FORKED = ("gradio", "evaluate")
# Longest first, so that the last worker does not wait alone.
ORDER = ("model", "results", "space", "dataset", "metric", "release")

logger = logging.getLogger(__name__)


def check_path(
    path: Path,
    *,
    only: Sequence[str] = (),
    fast: bool = False,
    ids: Collection[str] | None = None,
    datasets: Sequence[str] = (),
) -> Report:
    """Check a built release, or one repo folder.

    Args:
        path: Folder with `release.json`, or the folder of one repo.
        only: Folders of the repos to check within the release, for example "metrics/weighted_kappa"; by default all.
        fast: Leave out the checks that start processes.
        ids: Ids of the checks to make; by default all.
        datasets: Folders or Hub ids of datasets that results are computed again from, besides those of the release.

    Raises:
        EmohubError: `path` is neither a release nor a repo, or `only` names an unknown repo.
    """
    wanted = [check for check in CHECKS if ids is None or check.id in ids]
    made = [check for check in wanted if not (fast and check.starts)]
    subjects = sorted(_chosen(subjects_of(path), only), key=lambda subject: ORDER.index(subject.kind))
    with _fork_servers(subjects) as launches, ThreadPoolExecutor(AT_ONCE) as pool:
        whole = [replace(one, datasets=tuple(datasets), launches=launches) for one in subjects]
        found = [result for results in pool.map(lambda one: _check(one, made), whole) for result in results]
    ranks = {check.id: rank for rank, check in enumerate(CHECKS)}
    found.sort(key=lambda result: (ranks[result.check.id], result.path))
    left = tuple(check.id for check in wanted if check not in made)
    return Report(path.resolve().name, tuple(found), left)


@contextmanager
def _fork_servers(subjects: Sequence[Subject]) -> Iterator[dict[str, Launch]]:
    """For pages and metrics: what all of them import takes longer to import than they to do the rest."""
    repos = next((local_repos(one) for one in subjects if one.kind in SPACES), [])
    with ExitStack() as stack:
        servers = {name: ForkServer([name], ["emohub", *HEAVY], repos) for name in FORKED}
        yield {name: stack.enter_context(server) for name, server in servers.items()}


def _check(subject: Subject, checks: Sequence[Check]) -> list[Result]:
    logger.info("Checking %s", subject.path or "the release")
    return [_result(subject, check) for check in checks if subject.kind in check.kinds]


def _result(subject: Subject, check: Check) -> Result:
    found = tuple(_found(subject, check))
    failures = tuple(one for one in found if isinstance(one, Failure))
    left_out = tuple(one for one in found if isinstance(one, LeftOut))
    return Result(check, subject.kind, subject.name, subject.path, failures, left_out)


def _found(subject: Subject, check: Check) -> Iterator[Failure | LeftOut]:
    """What a check yields; a crash is one more failure."""
    try:
        for one in check.find(subject):
            yield _relative(one, subject) if isinstance(one, Failure) else one
    except Exception as error:
        logger.debug("%s crashed", check.id, exc_info=True)
        crash = subject.failure("", f"the check crashed: {type(error).__name__}: {error}", "Report it as a bug.")
        yield _relative(crash, subject)


def _relative(failure: Failure, subject: Subject) -> Failure:
    """The failure without absolute paths, which libraries put into their messages."""
    found = failure.found
    for folder in (subject.folder, subject.release.folder if subject.release else subject.folder):
        for one in (str(folder.resolve()), str(folder)):
            if one.startswith("/"):
                found = found.replace(f"{one}/", "").replace(one, ".")
    return replace(failure, found=printable(found, 500), where=printable(failure.where, 200))


# -- repos ---------------------------------------------------------------------------------


def subjects_of(path: Path) -> list[Subject]:
    """Every repo of a release and the release itself, or the single repo at `path`.

    Raises:
        EmohubError: it is neither.
    """
    if (path / RECORD).is_file():
        return _of_release(open_release(path))
    if not path.is_dir():
        raise EmohubError(f"{path} is not a folder. Give a release, or the folder of one repo.")
    folder = path.resolve()
    above = folder.parent.parent
    if (above / RECORD).is_file():
        inside = [one for one in _of_release(open_release(above)) if one.folder == folder]
        if inside:
            return inside
    return [Subject(kind_of(folder), folder.name, folder, folder.name, None)]


def _of_release(release: Release) -> list[Subject]:
    whole = Subject("release", release.title, release.folder, "", release)
    repos = [Subject(repo.kind, repo.name, release.folder_of(repo), repo.path, release) for repo in release.repos]
    return [*repos, whole]


def kind_of(folder: Path) -> Scope:
    """The kind of a repo folder: by the folder that it is in, otherwise by its files.

    Raises:
        EmohubError: neither identifies it.
    """
    for above_kind, above in FOLDERS.items():
        if folder.parent.name == above:
            return above_kind
    meta = read_card(folder / "README.md").meta
    tags = meta.get("tags") if isinstance(meta.get("tags"), list) else []
    signs: dict[Scope, bool] = {
        "results": bool(entry_files(folder)),
        "metric": "sdk" in meta and ("metric" in (tags or []) or (folder / f"{folder.name}.py").is_file()),
        "space": "sdk" in meta,
        "model": (folder / "config.json").is_file(),
        "dataset": any(folder.rglob("*.parquet")) or "dataset_info" in meta,
    }
    for kind, sign in signs.items():
        if sign:
            return kind
    raise EmohubError(
        f"{folder.name} is neither a release ({RECORD} is missing) nor a repo that its files identify. Give the "
        "output folder of `emohub build release`, or the folder of a dataset, model, metric or Space."
    )


def _chosen(subjects: list[Subject], only: Sequence[str]) -> list[Subject]:
    if not only:
        return subjects
    known = {f"{FOLDERS[one.kind]}/{one.name}": one for one in subjects if one.kind in FOLDERS}
    if unknown := [name for name in only if name not in known]:
        raise EmohubError(f"--only {unknown[0]!r} is not in the release. Valid:\n{listed(list(known), len(known))}")
    return [known[name] for name in dict.fromkeys(only)]
