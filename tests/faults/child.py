"""The publisher in a process of its own that starts at once, because a fork server has imported everything before."""

import io
import logging
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from huggingface_hub import constants

from emohub.errors import message_for
from emohub.publish.publish import Options, publish
from emohub.publish.show import show_plan, show_report

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.child"])
SECONDS = 120
KILLED = "killed"


@dataclass(frozen=True)
class Done:
    """How a publisher ended: exit status (None where it was killed), and all that it said."""

    status: int | None
    said: str


def run(
    release: Path,
    token: str,
    options: Options,
    started: Callable[[int], None] = lambda pid: None,
    file_size: int | None = None,
) -> Done:
    """Publish, and wait for the end.

    Args:
        release: Folder of the release.
        token: Of the publisher.
        options: How, and to which Hub.
        started: Gets the process id before anything is sent.
        file_size: No file can be written beyond it: the disk is full.
    """
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_main, args=(there, release, token, options, file_size), daemon=True)
    process.start()
    there.close()
    started(process.pid or 0)
    here.send("go")
    said, status = [], None
    try:
        while here.poll(SECONDS):
            kind, text = here.recv()
            said.append(str(text))
            status = text if kind == "status" else status
    except (EOFError, ConnectionResetError):
        pass
    finally:
        process.join(5)
        process.kill()
    return Done(status, "\n".join(said))


def _main(conn: Connection, release: Path, token: str, options: Options, file_size: int | None) -> None:
    constants.HF_HUB_DISABLE_XET = True
    os.environ.update(HF_TOKEN=token, EMOHUB_HUB_WAIT="0.01", EMOHUB_HUB_TIMEOUT="1.0", NO_PROXY="127.0.0.1")
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.01))  # the waits of huggingface_hub itself
    logging.basicConfig(stream=sys.stderr, force=True)
    conn.recv()
    if file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            logging.basicConfig(stream=said, force=True)
            report = publish(release, options, show_plan, lambda line: conn.send(("line", line)))
            show_report(report)
        status = 0 if report.ok else 1
    except BaseException as error:
        text = message_for(error)
        conn.send(("error", text if text is not None else traceback.format_exc()))
        status = 1 if text is not None else 70
    conn.send(("said", said.getvalue()))
    conn.send(("status", status))
    conn.close()
