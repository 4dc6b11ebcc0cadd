"""The one way to run code of a repo: a fresh process with an empty cache and nothing of the user's environment.

The process gets an allow-list of variables (so no token or key, whatever its name), a temporary home and cache, an
empty working folder, and no network unless an endpoint is given. Its result comes back through a pipe of its own and
is authenticated, so that what the code prints cannot stand for a result. This keeps accidents and secrets apart; it is
no sandbox: the code runs as the same user, can read the user's files, and can alter the script that it is loaded by.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from emohub.hub.kinds import HubType
from emohub.hub.process import Finished, Launch, Process, new_interpreter

TIMEOUT = 3600.0  # seconds; a dataset of many gigabytes is copied once
COMMIT = "0" * 40  # the revision of every local repo
# All that a process inherits: where programs and libraries are, languages, threads, devices, certificates.
INHERITED = re.compile(
    r"PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|(?:DY)?LD_(?:FALLBACK_)?LIBRARY_PATH|(?:OMP|MKL|OPENBLAS|NUMEXPR|VECLIB)_"
    r"(?:NUM|MAXIMUM|MAX)_THREADS|(?:CUDA|HIP|ROCR|NVIDIA)_VISIBLE_DEVICES|CUDA_HOME|SSL_CERT_(?:FILE|DIR)|"
    r"(?:REQUESTS|CURL)_CA_BUNDLE"
)
# With a network also these; a proxy that needs a password is left out, as the password would be seen.
INHERITED_ONLINE = re.compile(
    r"(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy|HF_HUB_DISABLE_XET|HF_HUB_(?:DOWNLOAD|ETAG)_TIMEOUT"
)
FIXED = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "USER": "emohub",  # libraries name folders of temporary files by it
}
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
    "HF_HUB_DISABLE_XET": "1",
}


class LocalRepo(NamedTuple):
    """A folder that the process finds by the id of a repo."""

    hub_type: HubType
    id: str
    folder: Path


def run(
    script: ModuleType | Path | str,
    *arguments: str,
    repos: Iterable[LocalRepo] = (),
    cwd: Path | None = None,
    hide: Sequence[str] = ("emohub",),
    endpoint: str | None = None,
    token: str | None = None,
    timeout: float | None = None,
    launch: Launch = new_interpreter,
) -> Finished:
    """Run a script to its end.

    Args:
        script: A module, for its file, or the path of a file, or code as text. What its function `main` returns is
            the result and must be JSON; without one the result is None.
        *arguments: Arguments of `main`, also in `sys.argv`.
        repos: The process finds them by their ids: in the Hub's cache, and by path in the working folder.
        cwd: Working folder; by default a temporary one, empty but for `repos`.
        hide: Packages that the process cannot import.
        endpoint: The Hub that it may ask; by default it has no network.
        token: Of the Hub, for the process to use; by default it has none.
        timeout: Seconds; `TIMEOUT` by default.
        launch: What makes the process; by default a new interpreter.

    Raises:
        FreshProcessError: the process failed, took too long, or sent a result that is not its own.
    """
    limit = TIMEOUT if timeout is None else timeout
    with workspace(repos) as work:
        whole = environment(work.parent, endpoint, token)
        with Process(_file(script, work), arguments, work, cwd or work, whole, hide, False, launch) as process:
            return process.finish(limit)


@contextlib.contextmanager
def start(
    script: Path,
    *,
    work: Path,
    cwd: Path,
    hide: Sequence[str] = ("emohub",),
    variables: Mapping[str, str],
    launch: Launch = new_interpreter,
) -> Iterator[Process]:
    """Start a server; on leaving, it is ended with all that it started. It has no network but this machine.

    Args:
        script: The program, run as `python SCRIPT`.
        work: What `workspace` gave.
        cwd: Working folder.
        hide: Packages that the process cannot import.
        variables: Further variables of its environment.
        launch: What makes the process; by default a new interpreter.
    """
    whole = {**environment(work.parent), "NO_PROXY": "127.0.0.1,localhost", **variables}
    with Process(script, (), work, cwd, whole, hide, True, launch) as process:
        yield process


@contextlib.contextmanager
def workspace(repos: Iterable[LocalRepo] = ()) -> Iterator[Path]:
    """A temporary working folder, beside a home and a cache where some repos are found by `NAMESPACE/NAME`."""
    with tempfile.TemporaryDirectory(prefix="emohub-", ignore_cleanup_errors=True) as temporary:
        root = Path(temporary).resolve()
        for name in ("home", "gradio", "tmp", "work", "hf/hub", "site"):
            (root / name).mkdir(parents=True)
        for repo in repos:
            namespace, _, name = repo.id.rpartition("/")
            folder = repo.folder.resolve()
            for link in (root / "work" / namespace / name, root / "work" / name):  # examples use either
                link.parent.mkdir(exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    link.symlink_to(folder)
            cached = root / "hf" / "hub" / f"{repo.hub_type}s--{repo.id.replace('/', '--')}"
            (cached / "refs").mkdir(parents=True)
            (cached / "refs" / "main").write_text(COMMIT)
            (cached / "snapshots").mkdir()
            (cached / "snapshots" / COMMIT).symlink_to(folder)
        yield root / "work"


def environment(root: Path, endpoint: str | None = None, token: str | None = None) -> dict[str, str]:
    """The whole environment of a process that is at home in `root`; offline without an endpoint."""
    places = {"HOME": "home", "TMPDIR": "tmp", "HF_HOME": "hf", "GRADIO_TEMP_DIR": "gradio"}
    kept = inherited()
    if endpoint:
        found = {key: value for key, value in os.environ.items() if INHERITED_ONLINE.fullmatch(key)}
        kept |= {key: value for key, value in found.items() if "@" not in value} | {"HF_ENDPOINT": endpoint}
    secret = {"HF_TOKEN": token} if token else {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    fixed = FIXED if endpoint else FIXED | OFFLINE
    return {**kept, **fixed, **{key: str(root / name) for key, name in places.items()}, **secret}


def inherited() -> dict[str, str]:
    """The variables of this environment that `INHERITED` lists."""
    return {key: value for key, value in os.environ.items() if INHERITED.fullmatch(key)}


def _file(script: ModuleType | Path | str, work: Path) -> Path:
    if isinstance(script, ModuleType):
        return Path(str(script.__file__))
    if isinstance(script, str):
        path = work.parent / "script.py"
        path.write_text(script, encoding="utf-8")
        return path
    return script
