"""Runs a script with no network but this machine, and optionally without a package: `guard.py OPTIONS SCRIPT …`.

A file of its own, run by its path in a fresh process: nothing of emohub is imported here.
"""

import runpy
import socket
import sys
from collections.abc import Iterator
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

    socket.socket.connect = guarded_connect  # type: ignore[assignment, method-assign]
    socket.getaddrinfo = guarded_look_up


class _Without:
    """Finds modules as the given finders do, but for some packages: they are as good as not installed."""

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


def main(arguments: list[str]) -> None:
    """Shut the network off, hide or add packages, run the script as if it had been started alone."""
    _stay_here()
    paths: list[str] = []
    hidden: set[str] = set()
    while arguments[0] in ("--hide", "--path"):
        option, value, *arguments = arguments
        if option == "--hide":
            hidden.add(value)
        else:
            paths.append(value)
    sys.meta_path[:] = [_Without(hidden, list(sys.meta_path))]
    script = arguments[0]
    sys.argv = arguments
    sys.path[0:1] = [str(Path(script).resolve().parent), *paths]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
