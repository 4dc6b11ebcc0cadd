"""A process of `guard.py`: how it is made, what it is told, what comes back, and that nothing of it is left."""

import contextlib
import hashlib
import hmac
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

from emohub.errors import EmohubError, printable
from emohub.hub import guard
from emohub.hub.imports import PACKAGE
from emohub.hub.json_files import parse_json

OUTPUT_BYTES = 2**20  # of standard output and of standard error: the last that was written
RESULT_BYTES = 2**28
COMMAND = (sys.executable, "-P", "-s", guard.__file__)


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


def stderr_tail(text: str, root: Path, lines: int = 3) -> tuple[str, ...]:
    """The last lines of a traceback, safe to print, without the temporary folder's path."""
    found = [printable(line, 400) for line in text.replace(str(root), "…").splitlines() if line.strip()]
    return tuple(found[-lines:])


class Running(Protocol):
    """What is needed of a process, as `subprocess.Popen` has it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Exit status, once it has ended."""


class Launch(Protocol):
    """Makes a process of `guard.py` in a session of its own, which waits for its order."""

    def __call__(self, cwd: Path, variables: Mapping[str, str], inherited: int) -> Running:
        """The process, which has one more file descriptor by the same number."""


def new_interpreter(cwd: Path, variables: Mapping[str, str], inherited: int) -> Running:
    """A `Launch`: Python, with its own start."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        COMMAND,
        cwd=cwd,
        env=dict(variables),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        pass_fds=(inherited,),
        start_new_session=True,
    )


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
        launch: Launch = new_interpreter,
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
            self._process = launch(cwd, variables, write)
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._result = _Reader(os.fdopen(read, "rb"), RESULT_BYTES + 1, last=False)
        self._stdout = _Reader(self._process.stdout, OUTPUT_BYTES)
        self._stderr = _Reader(self._process.stderr, OUTPUT_BYTES)
        self._order = self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # it ended at once: its status tells
            self._order.write(json.dumps(order).encode() + b"\n")
            self._order.flush()  # and stays open: when this process ends, the other one does

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        with contextlib.suppress(OSError):
            self._order.close()

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


def free_port() -> int:
    """A port that nobody listens on, for a process that listens later.

    It lies below those that the system gives to connections and to port 0 (32768 and above on Linux), so that no
    other process gets it before that one does.
    """
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.SystemRandom().randrange(10_000, 32_000)))
            except OSError:
                continue
            return int(probe.getsockname()[1])
