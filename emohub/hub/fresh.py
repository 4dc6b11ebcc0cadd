"""The one way to run code of a repo: a fresh process with an empty cache and nothing of the user's environment.

The process gets an allow-list of variables (so no token or key, whatever its name), a temporary home and cache, an
empty working folder, and no network unless an endpoint is given. Its result comes back through a pipe of its own and
is authenticated, so that what the code prints cannot stand for a result. This keeps accidents and secrets apart; it is
no sandbox: the code runs as the same user, can read the user's files, and can alter the script that it is loaded by.
"""

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NamedTuple

from emohub.errors import EmohubError, printable
from emohub.hub import guard
from emohub.hub.imports import PACKAGE
from emohub.hub.json_files import parse_json
from emohub.hub.kinds import HubType

TIMEOUT = 3600.0  # seconds; a dataset of many gigabytes is copied once
OUTPUT_BYTES = 2**20  # of standard output and of standard error: the last that was written
RESULT_BYTES = 2**28
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


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process gave: what the script's `main` returned, and the end of what was printed."""

    result: Any
    stdout: str
    stderr: str


class FreshProcessError(EmohubError):
    """A process ended without a result.

    Attributes:
        status: Exit status, negative for a signal; None where it took too long.
        lines: The last lines of its standard error, without paths of this machine.
    """

    def __init__(self, what: str, status: int | None, lines: tuple[str, ...] = ()) -> None:
        super().__init__(" | ".join(lines) if lines else what)
        self.status, self.lines = status, lines


def run(
    script: ModuleType | Path | str,
    *arguments: str,
    repos: Iterable[LocalRepo] = (),
    cwd: Path | None = None,
    hide: Sequence[str] = ("emohub",),
    endpoint: str | None = None,
    token: str | None = None,
    timeout: float | None = None,
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

    Raises:
        FreshProcessError: the process failed, took too long, or sent a result that is not its own.
    """
    limit = TIMEOUT if timeout is None else timeout
    with workspace(repos) as work:
        process = Process(
            _file(script, work), arguments, work, cwd or work, environment(work.parent, endpoint, token), hide, False
        )
        with process:
            return process.finish(limit)


@contextlib.contextmanager
def start(
    script: Path, *, work: Path, cwd: Path, hide: Sequence[str] = ("emohub",), **variables: str
) -> Iterator["Process"]:
    """Start a server; on leaving, it is ended with all that it started. It has no network but this machine.

    Args:
        script: The program, run as `python SCRIPT`.
        work: What `workspace` gave.
        cwd: Working folder.
        hide: Packages that the process cannot import.
        **variables: Further variables of its environment.
    """
    local = {"NO_PROXY": "127.0.0.1,localhost"}
    with Process(script, (), work, cwd, {**environment(work.parent), **local, **variables}, hide, True) as process:
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


def stderr_tail(text: str, root: Path, lines: int = 3) -> tuple[str, ...]:
    """The last lines of a traceback, safe to print, without the temporary folder's path."""
    found = [printable(line, 400) for line in text.replace(str(root), "…").splitlines() if line.strip()]
    return tuple(found[-lines:])


def _file(script: ModuleType | Path | str, work: Path) -> Path:
    if isinstance(script, ModuleType):
        return Path(str(script.__file__))
    if isinstance(script, str):
        path = work.parent / "script.py"
        path.write_text(script, encoding="utf-8")
        return path
    return script


class Process:
    """A process of `guard.py`, and the threads that read what it writes."""

    def __init__(
        self,
        script: Path,
        arguments: Sequence[str],
        work: Path,
        cwd: Path,
        variables: Mapping[str, str],
        hide: Sequence[str],
        server: bool,
    ):
        self.root, self._key = work.parent, secrets.token_bytes(32)
        read, write = os.pipe()
        checkout = [str(PACKAGE.parent)] if (PACKAGE.parent / "pyproject.toml").is_file() else []
        order = {
            "key": self._key.hex(),
            "result": write,
            "offline": "HF_HUB_OFFLINE" in variables,
            "hide": [*hide],
            "site": str(self.root / "site"),
            "first": [str(cwd)] if server else [] if "emohub" in hide else [str(PACKAGE.parent)],
            "without": checkout,
            "script": str(script),
            "arguments": [*arguments],
            "server": server,
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", guard.__file__],
                cwd=cwd,
                env=dict(variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(write,),
                start_new_session=True,
            )
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._result = _Reader(os.fdopen(read, "rb"), RESULT_BYTES + 1, last=False)
        self._stdout = _Reader(self._process.stdout, OUTPUT_BYTES)
        self._stderr = _Reader(self._process.stderr, OUTPUT_BYTES)
        with contextlib.suppress(BrokenPipeError):  # it ended at once: its status tells
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()  # and stays open: when this process ends, the other one does

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]  # it is a pipe

    def poll(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End the process and all that it started in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def printed(self) -> str:
        """The end of what it wrote to standard output, then to standard error; complete once it has ended."""
        return f"{self._stdout.text()}\n{self._stderr.text()}"

    def finish(self, timeout: float) -> Finished:
        """Wait for the end and the result."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise FreshProcessError(f"timeout after {timeout:g} s", None) from None
        finally:
            self.kill()  # what it left running holds the pipes open
        stderr = self._stderr.text()
        if status:
            raise FreshProcessError(f"exit status {status}", status, stderr_tail(stderr, self.root))
        sent = self._result.data()
        mac, result = sent[: hashlib.sha256().digest_size], sent[hashlib.sha256().digest_size :]
        if not sent:
            raise FreshProcessError("the process ended before its script did, without a result", status)
        if len(sent) > RESULT_BYTES or not hmac.compare_digest(mac, hmac.digest(self._key, result, hashlib.sha256)):
            raise FreshProcessError("the process sent a result that its script did not make", status)
        return Finished(parse_json(result), self._stdout.text(), stderr)


class _Reader:
    """Reads a pipe to its end in a thread, so that the writer never waits, and keeps a bounded part of it."""

    def __init__(self, pipe: BinaryIO | Any, limit: int, *, last: bool = True):
        self._pipe, self._limit, self._last = pipe, limit, last
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while block := os.read(self._pipe.fileno(), 65536):
                if self._last:
                    self._kept += block
                    del self._kept[: -self._limit]
                else:
                    self._kept += block[: self._limit - len(self._kept)]

    def data(self) -> bytes:
        """What was kept; waits a little for the end of a process that was killed."""
        self._thread.join(timeout=10)
        return bytes(self._kept)

    def text(self) -> str:
        """The same as text."""
        return self.data().decode("utf-8", "replace")
