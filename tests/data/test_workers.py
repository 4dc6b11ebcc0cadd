"""Workers end when the process that started them is killed, and only then."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from emohub.data.workers import end_with_parent

POOL = """
import sys, time
import multiprocess
from emohub.data.workers import end_with_parent

def work(number):
    end_with_parent()
    print(multiprocess.current_process().pid, flush=True)
    time.sleep(600)

with multiprocess.Pool(2) as pool:
    pool.map(work, range(2))
"""


def gone(pid: int) -> bool:
    """Whether a process ends within a minute."""
    for _ in range(600):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


def test_workers_of_a_killed_process_end() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", POOL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        assert all(psutil.pid_exists(pid) for pid in workers)
        process.kill()
        assert all(gone(pid) for pid in workers)


def test_a_process_that_is_no_worker_watches_nobody() -> None:
    """A build in the background goes on when its shell ends."""
    before = psutil.Process().num_threads()
    end_with_parent()
    assert psutil.Process().num_threads() == before
