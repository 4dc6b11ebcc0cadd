"""A process that imports packages once and forks for each script: what takes seconds to import is imported once.

A forked process is prepared and runs as one that starts anew: with an order, an environment, a working folder, hidden
packages and pipes of its own, in a session of its own. It differs in what the imported packages read when they were
imported: those keep the cache of the fork server, in which the same repos are found.
"""

import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

from emohub.hub.fresh import LocalRepo, environment, workspace
from emohub.hub.process import COMMAND, Running, new_interpreter

POSSIBLE = sys.platform == "linux"  # elsewhere imported libraries do not survive a fork
PIPES = 3  # standard input, output and error
START = 240.0  # seconds in which the packages must have been imported

logger = logging.getLogger(__name__)


class ForkServer:
    """Makes processes by forking one that has imported some packages; a `Launch`.

    It starts with the first process, and ends with all that it made. Where forking is not possible, or a package
    cannot be imported, each process is a new interpreter.

    Args:
        imports: What it imports.
        hide: Packages that cannot be imported meanwhile; each process has its own list afterwards.
        repos: What its processes may ask the Hub's cache for.
    """

    def __init__(self, imports: Sequence[str], hide: Sequence[str], repos: Iterable[LocalRepo] = ()):
        self._order = {"imports": [*imports], "hide": [*hide], "offline": True}
        self._repos = repos
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._channel: socket.socket | None = None
        self._possible = POSSIBLE

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._possible = False
        self._stack.close()

    def __call__(self, cwd: Path, variables: Mapping[str, str], inherited: int) -> Running:
        """A process that waits for its order.

        Args:
            cwd: Working folder.
            variables: The whole environment.
            inherited: A file descriptor for it.
        """
        with self._lock:
            if self._possible:
                try:
                    self._channel = self._channel or self._start()
                    return Forked(self._channel, cwd, variables, inherited)
                except OSError:
                    logger.warning("No process can be forked; each one starts anew, which takes longer.")
                    self._possible = False
        return new_interpreter(cwd, variables, inherited)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._stack.enter_context(ours)
        with theirs:
            work = self._stack.enter_context(workspace(self._repos))
            process = subprocess.Popen(
                COMMAND,
                cwd=work,
                env=environment(work.parent),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
            self._stack.callback(process.wait)
            self._stack.callback(process.kill)
            assert process.stdin
            order = self._stack.enter_context(process.stdin)  # stays open: when this process ends, the server does
            order.write(json.dumps(self._order | {"channel": theirs.fileno()}).encode() + b"\n")
            order.flush()
        return ours


class Forked:
    """A process of a fork server, as `subprocess.Popen` would be."""

    def __init__(self, channel: socket.socket, cwd: Path, variables: Mapping[str, str], inherited: int):
        pipes = [os.pipe() for _ in range(PIPES + 1)]
        (in_read, in_write), *outputs = pipes
        given = [in_read, *(write for _, write in outputs)]
        kept = [in_write, *(read for read, _ in outputs)]
        try:
            order = json.dumps({"cwd": str(cwd), "variables": dict(variables)}).encode()
            socket.send_fds(channel, [order], [*given, inherited])
            self._status = os.fdopen(kept[PIPES], "rb", buffering=0)
        except BaseException:
            for pipe in kept:
                os.close(pipe)
            raise
        finally:
            for pipe in given:
                os.close(pipe)
        self.stdin: IO[bytes] | None = os.fdopen(kept[0], "wb")
        self.stdout: IO[bytes] | None = os.fdopen(kept[1], "rb")
        self.stderr: IO[bytes] | None = os.fdopen(kept[2], "rb")
        self._ended: int | None = None
        if not (pid := select.select([self._status], [], [], START)[0] and self._status.readline()):
            self.close()
            raise ChildProcessError("the fork server has ended, or does not answer")
        self.pid = int(pid)

    def close(self) -> None:
        """Close its pipes."""
        for pipe in (self.stdin, self.stdout, self.stderr, self._status):
            if pipe:
                pipe.close()

    def poll(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        if self._ended is None and select.select([self._status], [], [], 0)[0]:
            self.wait()
        return self._ended

    def wait(self, timeout: float | None = None) -> int:
        """Exit status, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it runs longer.
        """
        if self._ended is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(COMMAND, timeout or 0)
            with self._status:
                self._ended = int(self._status.read() or -signal.SIGKILL)  # the fork server has ended, and so does it
        return self._ended
