"""Computing in other processes: a table that takes too long or too much costs its process and no other answer."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import TimeoutError as TookTooLong
from pathlib import Path
from typing import Any

import page_worker
from pebble import ProcessExpired, ProcessPool

START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
AT_ONCE = 2
SECONDS = 60
MEGABYTES = 1_500  # beyond what a process needs to start
TASKS = 200  # after which a process is replaced

TOO_MUCH = (
    "The computation was stopped: it needs more than {seconds:g} seconds or {megabytes:,} MB, the limits of this "
    "page. Give fewer resamples or a smaller table, or use evaluate on your own machine."
)


class Pool:
    """Processes that compute for the page of a metric.

    Args:
        folder: Of the metric.
        seconds: That one computation may take.
        megabytes: That one computation may need.
    """

    def __init__(self, folder: Path, seconds: float = SECONDS, megabytes: int = MEGABYTES):
        self.seconds, self.too_much = seconds, TOO_MUCH.format(seconds=seconds, megabytes=megabytes)
        # The page has threads, so it cannot fork. A server without any loads the view once, if the folder is where
        # the page was started, and forks; otherwise each process loads it.
        context: Any = multiprocessing.get_context(START)
        context.set_forkserver_preload(["page_worker", "view"])
        self.processes = ProcessPool(
            max_workers=AT_ONCE,
            max_tasks=TASKS,
            context=context,
            initializer=page_worker.start,
            initargs=[str(folder.resolve()), megabytes],
        )

    def __call__(self, work: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
        """The answer of a function of `page_worker`; `error` alone where it was stopped."""
        try:
            return self.processes.schedule(work, args=given, timeout=self.seconds).result()
        except (TookTooLong, ProcessExpired, MemoryError):
            return {"error": self.too_much}

    def close(self) -> None:
        """Stop what is under way."""
        self.processes.stop()
        self.processes.join()
