"""Worker processes that do not outlive the process that started them."""

import os
import signal
import threading
import time

import multiprocess

INTERVAL = 1.0  # seconds between two looks
_watching: set[int] = set()  # ids of processes; a forked one is not yet watching, whatever it inherited


def end_with_parent() -> None:
    """In a worker of `multiprocess`, end it once its parent is gone, also where that was killed; elsewhere, nothing.

    A pool ends its workers when it ends, but a killed process cannot: its workers would finish their work first,
    which may take hours. Datasets starts such pools.
    """
    if multiprocess.parent_process() is None or os.getpid() in _watching:
        return
    _watching.add(os.getpid())
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True, name="end-with-parent").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGKILL)
