"""Folders that appear whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from emohub.errors import BuildError


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A fresh folder beside `out` that takes its place when the block ends well, and is removed when it does not.

    What an earlier run left behind, even one that was killed, is cleared first; `out` is never half-written.
    Where `out` is a link to a folder, that folder is replaced.

    Raises:
        BuildError: another process is writing the same folder.
    """
    out = out.resolve()
    work, old = (out.with_name(f".{out.name}.{state}") for state in ("building", "old"))
    with locked(out):
        try:
            _restore(old, out)
            _remove(old, work)
            work.mkdir()
            yield work
            if out.exists():
                out.rename(old)
            work.rename(out)
        finally:
            _restore(old, out)
            _remove(old, work)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold a folder, which need not exist, against other builds; a killed process lets go of it.

    Raises:
        BuildError: another process holds it.
    """
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out.with_name(f".{out.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise BuildError(f"Another build is writing {out}. Wait for it, or choose another --out.") from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    half = path.with_name(f".{path.name}.writing")
    half.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(path)


def carry_over(old: Path, new: Path, *, without: set[str]) -> None:
    """Hard-link (or copy) every file of `old` into `new`, but for the top-level names in `without`."""
    for path in sorted(old.rglob("*")) if old.is_dir() else ():
        if (relative := path.relative_to(old)).parts[0] in without or path.is_symlink() or not path.is_file():
            continue
        target = new / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:  # a file system without hard links
            shutil.copy2(path, target)


def _restore(old: Path, out: Path) -> None:
    """Undo the first of the two renames where the second one did not come about."""
    if old.exists() and not out.exists():
        old.rename(out)


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
