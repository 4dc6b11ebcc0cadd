"""Outputs that survive a killed process: files and folders that are replaced whole, locks, and resumable runs.

Everything is written under a temporary name beside its place and renamed. A lock belongs to a process and is released
when it dies; what a killed process left behind is cleared by the next one.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from emohub.errors import BuildError, listed
from emohub.hub.json_files import parse_json

MANIFEST, STARTED, LOCK, WRITING = "manifest.json", ".started.json", ".lock", ".writing"
WAIT = "Wait for it, or choose another --out."

# ---- One file


@contextmanager
def replacing_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and is removed when it does not.

    Where `path` exists its permissions are kept; where it is a link, the file that it points to is replaced.

    Args:
        path: File to write; its folder must exist.
        durable: Whether the file must survive a power cut from the moment on that the block ends.
    """
    path = path.resolve()
    half = path.with_name(f".{path.name}{WRITING}")
    try:
        yield half
        if path.exists():
            shutil.copymode(path, half)
        if durable:
            _sync(half)
        os.replace(half, path)
        if durable:
            _sync(path.parent)
    finally:
        half.unlink(missing_ok=True)


def write_file(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write a file, whole or not at all: bytes, or text as UTF-8 with its line ends as they are."""
    with replacing_file(path, durable=durable) as half:
        half.write_bytes(content.encode() if isinstance(content, str) else content)


def digest(value: Any) -> str:
    """SHA-256 of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def write_json(path: Path, value: Any, *, durable: bool = False) -> None:
    """Write a JSON file, whole or not at all.

    Raises:
        ValueError: a number is NaN or infinite, which JSON does not have.
    """
    write_file(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", durable=durable)


def _sync(path: Path) -> None:
    """Flush a file or a folder's entries to the disk; where the system cannot open a folder, only files."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder on Windows
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---- Locks


@contextmanager
def locked(out: Path, command: str = "emohub build", *, advice: str = WAIT) -> Iterator[None]:
    """Lock a file or folder, which need not exist, against other processes.

    Args:
        out: What is written.
        command: Command that writes it, for the message.
        advice: What to do where another process holds the lock.

    Raises:
        BuildError: another process holds it.
    """
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with _held(out.with_name(f".{out.name.removeprefix('.')}{LOCK}"), out, command, advice):
        yield


@contextmanager
def _held(file: Path, out: Path, command: str, advice: str = WAIT) -> Iterator[None]:
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise BuildError(f"Another `{command}` is writing {out}. {advice}") from error
    try:
        yield
    finally:
        # Before the release: who opened the file meanwhile finds it unlinked (filelock looks), and tries again.
        file.unlink(missing_ok=True)
        lock.release()


# ---- One folder


@contextmanager
def replacing(out: Path, command: str = "emohub build") -> Iterator[Path]:
    """A new folder beside `out` that takes its place when the block ends well, and is removed when it does not.

    What an earlier run left behind, even one that was killed, is cleared first; `out` is never half-written.
    Where `out` is a link to a folder, that folder is replaced.

    Args:
        out: Folder to write.
        command: Command that writes it, for the message.

    Raises:
        BuildError: another process is writing the same folder.
    """
    out = out.resolve()
    work, old = (out.with_name(f".{out.name}.{state}") for state in ("building", "old"))
    with locked(out, command):
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


def carry_over(old: Path, new: Path, *, without: set[str]) -> None:
    """Hard-link (or copy) every file of `old` into `new`, but for the top-level names in `without`."""
    for path in sorted(old.rglob("*")) if old.is_dir() else ():
        if (relative := path.relative_to(old)).parts[0] in without or path.is_symlink() or not path.is_file():
            continue
        target = new / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        link_file(path, target)


def link_file(path: Path, target: Path) -> None:
    """Give a file a second name; where the file system has no hard links, copy it."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copy2(path, target)


def _restore(old: Path, out: Path) -> None:
    """Undo the first of the two renames where the second one failed."""
    if old.exists() and not out.exists():
        old.rename(out)


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


# ---- One run that writes its outputs step by step


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder, locked by this process.

    Attributes:
        folder: Where the outputs are written.
        plan: Everything that decides the outputs, as JSON.
        record: The manifest of an earlier run that finished with the same plan and whose outputs are all there; None
            where there is work to do.
        manifest: Name of the file that says that the run is complete.
    """

    folder: Path
    plan: Mapping[str, Any]
    record: dict[str, Any] | None
    manifest: str = MANIFEST

    def finish(self, **more: Any) -> dict[str, Any]:
        """Write the manifest, which says that the run is complete: the last step, after every output.

        Args:
            more: What the manifest holds beside the plan.

        Returns:
            What the manifest holds.
        """
        record = {**self.plan, **more}
        write_json(self.folder / self.manifest, record, durable=True)
        (self.folder / STARTED).unlink()
        return record


@contextmanager
def run_folder(
    out: Path,
    plan: Mapping[str, Any],
    command: str,
    *,
    outputs: Collection[str] = (),
    logs: Collection[str] = (),
    manifest: str = MANIFEST,
    complete: Callable[[Mapping[str, Any]], bool] = lambda _: True,
) -> Iterator[Run]:
    """Lock a folder for one run, or for the next attempt at the same run.

    The plan is written as `.started.json` before the first output; only a run with the same plan may resume. Files of
    `replacing_file` are whole or absent; anything else in the folder (a SQLite journal, say) is left for the caller to
    recover. Where the block ends without any output, nothing stays behind.

    Args:
        out: Folder to write; made where it does not exist.
        plan: Everything that decides the outputs; values that JSON can hold.
        command: Command that writes it, for messages.
        outputs: Paths in the folder that a finished run has; where one is missing, the run is not finished.
        logs: Names in the folder that any run may overwrite.
        manifest: Name of the file that says that a run is complete.
        complete: Whether a finished run, given by its manifest, is all that is wanted now; where it is not, the run
            continues in the same folder.

    Raises:
        BuildError: the folder holds something else or a run with another plan, or another process is writing it.
    """
    out = out.resolve()
    _require_run_folder(out, command, logs, manifest)
    made = not out.exists() or (out / STARTED).exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with _held(out / LOCK, out, command):
            try:
                run, before = Run(out, parse_json(json.dumps(plan)), None, manifest), _read(out / manifest)
                _start(run, before, command, logs)
                done = before is not None and all((out / name).exists() for name in outputs) and complete(before)
                if done:
                    (out / STARTED).unlink(missing_ok=True)
                else:
                    write_json(out / STARTED, run.plan, durable=True)
                    (out / manifest).unlink(missing_ok=True)
                yield replace(run, record=before) if done else run
            finally:
                if not _outputs(out, logs):
                    (out / STARTED).unlink(missing_ok=True)
    finally:
        if made:
            with contextlib.suppress(OSError):  # not empty
                out.rmdir()


def _require_run_folder(out: Path, command: str, logs: Collection[str], manifest: str) -> None:
    if out.exists() and not out.is_dir():
        raise BuildError(f"{out} is a file. Choose another --out.")
    known = any((out / name).is_file() for name in (manifest, STARTED, LOCK))
    if not known and (found := sorted(_outputs(out, logs))):
        raise BuildError(f"{out} was not made by `{command}`: it holds {found[0]!r}. Choose another --out.")


def _outputs(out: Path, logs: Collection[str]) -> set[str]:
    """Names in the folder that are worth keeping."""
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    return {name for name in names if not name.endswith(WRITING)} - {STARTED, LOCK, *logs}


def _start(run: Run, finished: dict[str, Any] | None, command: str, logs: Collection[str]) -> None:
    """Clear what a killed process left, and compare the plans."""
    out, plan = run.folder, run.plan
    for path in out.rglob(f".*{WRITING}"):
        path.unlink()
    for before in (finished, _read(out / STARTED) if _outputs(out, logs) else None):
        if before is not None and (changed := _differences({key: before.get(key) for key in plan}, plan)):
            raise BuildError(
                f"{out} holds a run of `{command}` with other settings:\n{listed(changed)}\n"
                "Repeat its settings to resume it, choose another --out, or remove the folder."
            )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return dict(parse_json(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise BuildError(f"{path} is damaged ({error}). Remove {path.parent}, or choose another --out.") from error


def _differences(before: Any, now: Any, at: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = list(dict.fromkeys([*before, *now]))
        return [line for key in keys for line in _differences(before.get(key), now.get(key), f"{at}.{key}".strip("."))]
    return [] if before == now else [f"{at}: was {before}, is {now}"]
