"""Running a repo of a release in a fresh process, with the other repos of the release at hand."""

from types import ModuleType
from typing import Any

from emohub.check.base import Subject
from emohub.check.code import HEAVY
from emohub.hub import fresh
from emohub.hub.fresh import LocalRepo
from emohub.hub.kinds import HUB_TYPES
from emohub.hub.process import Launch, new_interpreter

PLACEHOLDER = "ORG"  # the namespace in cards that belong to no release
LOOKS_FOR = {"evaluate": frozenset(HEAVY)}  # packages whose import looks whether others are there


def run_isolated(
    script: ModuleType,
    subject: Subject,
    *arguments: str,
    hide: tuple[str, ...] = ("emohub",),
    launch: Launch = new_interpreter,
) -> Any:
    """What a module of `check/scripts` finds out about the folder of a repo.

    Args:
        script: Its `main` gets the path of the folder, then the arguments.
        subject: The repo.
        *arguments: Further arguments.
        hide: Packages that the process cannot import.
        launch: What makes the process.

    Raises:
        FreshProcessError: the process failed or took too long.
    """
    folder = str(subject.folder.resolve())
    return fresh.run(script, folder, *arguments, repos=local_repos(subject), hide=hide, launch=launch).result


def local_repos(subject: Subject) -> list[LocalRepo]:
    """Every repo of the release by its id; a single folder by its name, which its examples may load."""
    if release := subject.release:
        return [LocalRepo(repo.hub_type, release.id_of(repo), release.folder_of(repo)) for repo in release.repos]
    assert subject.kind != "release" and subject.kind != "results"
    return [LocalRepo(HUB_TYPES[subject.kind], f"{PLACEHOLDER}/{subject.name}", subject.folder)]


def launch_with(subject: Subject, package: str, hide: tuple[str, ...]) -> Launch:
    """What makes a process that has imported a package already; a new interpreter where there is no such thing.

    The fork servers cannot import what is heavy: a package that looks for it when it is imported is shared only by
    processes that cannot import it either.

    Args:
        subject: The repo whose code runs.
        package: The package.
        hide: What the process cannot import.
    """
    shared = LOOKS_FOR.get(package, frozenset()) <= {*hide}
    return subject.launches.get(package, new_interpreter) if shared else new_interpreter
