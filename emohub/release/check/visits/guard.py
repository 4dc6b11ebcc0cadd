"""Runs a script with no network but this machine, and optionally without a package: `guard.py OPTIONS SCRIPT …`.

A file of its own, run by its path in a fresh process: nothing of emohub is imported here.
"""

import runpy
import socket
import sys
from pathlib import Path
from typing import Any

LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


def _stay_here() -> None:
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(host: object) -> None:
        if isinstance(host, bytes):
            host = host.decode()
        if isinstance(host, str) and host and not host.startswith(LOCAL):
            raise OSError(f"emohub check runs without a network; {host} was asked for")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        refuse(address[0] if isinstance(address, tuple) else None)
        connect(self, address)

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        refuse(host)
        return look_up(host, *rest, **options)

    socket.socket.connect = guarded_connect  # type: ignore[method-assign]
    socket.getaddrinfo = guarded_look_up


def main(arguments: list[str]) -> None:
    """Shut the network off, hide or add packages, run the script as if it had been started alone."""
    _stay_here()
    paths = []
    while arguments[0] in ("--hide", "--path"):
        option, value, *arguments = arguments
        if option == "--hide":
            sys.modules[value] = None  # type: ignore[assignment]  # an import of it raises
        else:
            paths.append(value)
    script = arguments[0]
    sys.argv = arguments
    sys.path[0:1] = [str(Path(script).resolve().parent), *paths]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
