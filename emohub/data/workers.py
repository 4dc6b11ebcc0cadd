"""Child processes that do not outlive the process that forked them, also where that is killed."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

INTERVAL = 1.0  # seconds between two looks
_parents: list[int] = []  # the process whose new children end with it; empty outside of `children_end_with_us`


@contextmanager
def children_end_with_us() -> Iterator[None]:
    """Every child that this process forks within the block is killed once this process is gone.

    A pool ends its workers when it ends, but a killed process cannot end its pool: workers, and the process that
    manages their queues, would wait for it without end. `datasets` starts such pools.
    """
    _parents.append(os.getpid())
    try:
        yield
    finally:
        _parents.clear()


def _after_fork() -> None:
    """In a new child: begin to watch its parent; its own children are to watch the child."""
    if _parents:
        parent, _parents[:] = _parents[-1], [os.getpid()]
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="end-with-parent").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGKILL)


os.register_at_fork(after_in_child=_after_fork)
