"""What is made once in a session and read by all of its workers."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def base_of(factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all workers of a session share."""
    return factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first worker makes and the others read."""
    base = base_of(factory)
    with FileLock(base / f"{name}.lock"):
        if not (base / name).exists():
            make(base / f"{name}-unfinished")
            (base / f"{name}-unfinished").rename(base / name)
    return base / name
