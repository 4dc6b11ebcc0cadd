"""Children end when the process that forked them is killed, whatever they do, and only then."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from emohub.data.workers import children_end_with_us

# A pool that waits for work beside the process of a manager: what `datasets` starts, before and during its work.
POOL = """
import os, sys, time
import multiprocess
from emohub.data.workers import children_end_with_us

with children_end_with_us(), multiprocess.Manager() as manager, multiprocess.Pool(2) as pool:
    queue = manager.Queue()
    print(manager._process.pid, *(worker.pid for worker in pool._pool), flush=True)
    time.sleep(600)
"""


def gone(pid: int) -> bool:
    """Whether a process ends within a minute."""
    for _ in range(600):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


def test_idle_workers_and_managers_of_a_killed_process_end() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", POOL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        children = [int(pid) for pid in process.stdout.readline().split()]
        assert len(children) == 3 and all(psutil.pid_exists(pid) for pid in children)
        process.kill()
        assert all(gone(pid) for pid in children)


def threads_of_a_child() -> int:
    """How many threads a forked child has."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        os.write(writer, bytes([psutil.Process().num_threads()]))
        os._exit(0)
    os.waitpid(pid, 0)
    return os.read(reader, 1)[0]


def test_a_child_watches_within_the_block_only() -> None:
    """Another program's children, and a build in the background whose shell ends, are left alone."""
    outside = threads_of_a_child()
    with children_end_with_us():
        assert threads_of_a_child() == outside + 1
    assert threads_of_a_child() == outside
