"""Runs one script in the process that `emohub/hub/process.py` made; run by its path, imports nothing of emohub.

The order is one line of JSON on standard input. The script may have a function `main`, which gets the arguments; what
it returns goes back as JSON through a pipe of its own, with an HMAC under the key of the order. The script's code sees
neither: standard input is empty, output goes to standard output, and a result without the key is refused.

An order with `imports` makes it a fork server, see `emohub/hub/fork_server.py`: each process that it forks reads an
order of its own.
"""

import contextlib
import hashlib
import hmac
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

SITE = """\
import runpy
runpy.run_path({guard!r})["restrict"]({offline!r}, {hide!r})
"""
LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


def main() -> None:
    """Read the order, prepare this process, run the script."""
    order = _read_order()
    if "imports" in order:
        order = _fork_for_each(order)
    os.set_inheritable(result_pipe := order["result"], False)
    key = bytes.fromhex(order["key"])
    restrict(order["offline"], order["hide"])
    pass_on(order)
    sys.path[:] = order["first"] + [path for path in sys.path if path not in order["without"]]
    sys.argv = [order["script"], *order["arguments"]]
    if order["server"]:
        runpy.run_path(order["script"], run_name="__main__")
    else:
        os._exit(_run(order, key, result_pipe))  # no clean-up: an open stream can hang it


def _read_order() -> dict[str, Any]:
    order_pipe = os.dup(0)  # not inherited by processes that the script starts
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    order: dict[str, Any] = json.loads(_read_line(order_pipe))
    threading.Thread(target=_end_with_parent, args=(order_pipe,), daemon=True).start()
    return {**order, "order_pipe": order_pipe}


def _fork_for_each(order: dict[str, Any]) -> dict[str, Any]:
    """Import packages, then fork whenever asked to; returns in the forked processes only, with the order of each."""
    finders = list(sys.meta_path)
    restrict(order["offline"], order["hide"])
    for name in order["imports"]:
        importlib.import_module(name)
    sys.meta_path[:] = finders
    channel = socket.socket(fileno=order["channel"])
    with selectors.DefaultSelector() as waiting:
        waiting.register(channel, selectors.EVENT_READ)
        while True:
            for ready, _ in waiting.select():
                if ready.data:
                    waiting.unregister(ready.fileobj)
                    _report(ready.fd, *ready.data)
                    continue
                message, pipes, *_ = socket.recv_fds(channel, 2**20, 5)
                if not message:
                    os._exit(0)
                *pipes, status, result = pipes
                if not (pid := os.fork()):
                    others = [fd for one in waiting.get_map().values() if one.data for fd in (one.fd, one.data[1])]
                    channel.close()
                    return _forked(json.loads(message), pipes, [order["order_pipe"], status, *others], result)
                for pipe in (*pipes, result):
                    os.close(pipe)
                os.write(status, b"%d\n" % pid)
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, status))


def _report(process: int, pid: int, status: int) -> None:
    """Tell the exit status of a process that has ended."""
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(process)
    with contextlib.suppress(BrokenPipeError), open(status, "wb") as pipe:
        pipe.write(b"%d" % ended)


def _forked(message: dict[str, Any], pipes: list[int], close: list[int], result: int) -> dict[str, Any]:
    """Make this process one of its own, then read its order."""
    os.setsid()
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
    for pipe in (*pipes, *close):
        os.close(pipe)
    os.chdir(message["cwd"])
    os.environ.clear()
    os.environ.update(message["variables"])
    tempfile.tempdir = None
    return {**_read_order(), "result": result}


def _run(order: dict[str, Any], key: bytes, result_pipe: int) -> int:
    """Run the script and its `main`, send the result, and return the exit status."""
    status = 0
    try:
        function = runpy.run_path(order["script"], run_name="__main__").get("main")
        result = json.dumps(function(*order["arguments"]) if function else None).encode()
        with open(result_pipe, "wb") as pipe:
            pipe.write(hmac.digest(key, result, hashlib.sha256) + result)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1 if end.code else 0
        print(end.code if isinstance(end.code, str) else "", end="", file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # the script closed it
    return status


def _read_line(pipe: int) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        data += (block := os.read(pipe, 65536))
        if not block:
            os._exit(1)  # whoever started this process ended first
    return data


def _end_with_parent(pipe: int) -> None:
    """The pipe closes when the process that wrote the order ends, however it ends."""
    os.read(pipe, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def restrict(offline: bool, hide: Iterable[str]) -> None:
    """Take network and packages away from this process."""
    if offline:
        refuse_network()
    hide_packages(set(hide))


def pass_on(order: dict[str, Any]) -> None:
    """Let every Python that this process starts begin with the same restrictions."""
    with open(os.path.join(order["site"], "sitecustomize.py"), "w", encoding="utf-8") as file:
        file.write(SITE.format(guard=__file__, offline=order["offline"], hide=order["hide"]))
    os.environ["PYTHONPATH"] = order["site"]


def refuse_network() -> None:
    """Let sockets of Python reach this machine only; an accident is stopped, a determined program is not."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(host: object) -> None:
        if isinstance(host, bytes):
            host = host.decode()
        if isinstance(host, str) and host and not host.startswith(LOCAL):
            raise OSError(f"this process runs without a network; it tried to reach {host}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        refuse(address[0] if isinstance(address, tuple) else None)
        connect(self, address)

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        refuse(host)
        return look_up(host, *rest, **options)

    socket.socket.connect = guarded_connect  # type: ignore[assignment, method-assign]  # replaced on purpose
    socket.getaddrinfo = guarded_look_up


def hide_packages(names: set[str]) -> None:
    """Make some packages look as if they were not installed."""
    sys.meta_path[:] = [_Without(names, list(sys.meta_path))]


class _Without:
    """Finds modules as the given finders do, but for some packages."""

    def __init__(self, hidden: set[str], finders: list[Any]):
        self.hidden, self.finders = hidden, finders

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The first spec that a finder gives; none for what is hidden."""
        if name.partition(".")[0] in self.hidden:
            return None
        specs = (finder.find_spec(name, path, target) for finder in self.finders if hasattr(finder, "find_spec"))
        return next((spec for spec in specs if spec is not None), None)

    def find_distributions(self, *context: Any) -> Iterator[Any]:
        """Installed distributions, as importlib.metadata asks for them."""
        for finder in self.finders:
            if hasattr(finder, "find_distributions"):
                yield from finder.find_distributions(*context)


if __name__ == "__main__":
    main()
