"""The folder of what visitors send to a page: nothing in it outlives the process, also where that is killed."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout


def own_folder(prefix: str) -> Path:
    """The folder of what visitors send to this process, removed at its end; call it before the page is made.

    Where files come in over MCP, call it before Gradio is imported: that part reads once where they go.

    What earlier processes left that were killed is removed first: each holds a lock for as long as it lives.

    Args:
        prefix: Of the folder's name, by which those of earlier processes are found.
    """
    parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
    remove_abandoned(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    lock = FileLock(_lock_of(folder))
    lock.acquire()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(_remove, folder, lock)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # a container that stops ends like this; atexit runs then
    return folder


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders of processes that no longer live."""
    for folder in parent.glob(f"{prefix}*/"):
        lock = FileLock(_lock_of(folder))
        with suppress(Timeout, OSError):  # a living process holds it, or another user owns it
            lock.acquire(timeout=0)
            _remove(folder, lock)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    _lock_of(folder).unlink(missing_ok=True)
