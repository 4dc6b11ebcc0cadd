"""Run the publisher in its own process; a fork server with all imports done makes the start fast."""

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
CONTEXT.set_forkserver_preload(["tests.faults.publisher"])
SECONDS = 120


@dataclass(frozen=True)
class Result:
    """How a publisher ended: exit status (None if it was killed), and its output."""

    status: int | None
    output: str


def run(
    release: Path,
    token: str,
    options: Options,
    started: Callable[[int], None] = lambda pid: None,
    file_size: int | None = None,
) -> Result:
    """Publish, and wait for the end.

    Args:
        release: Folder of the release.
        token: Of the publisher.
        options: How to publish, and to which Hub.
        started: Called with the process id before the first request.
        file_size: Bytes to which the process can write a file: a full disk.
    """
    parent, child = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_main, args=(child, release, token, options, file_size), daemon=True)
    process.start()
    child.close()
    started(process.pid or 0)
    parent.send("go")
    lines, status = [], None
    try:
        while parent.poll(SECONDS):
            kind, text = parent.recv()
            lines.append(str(text))
            status = text if kind == "status" else status
    except (EOFError, ConnectionResetError):
        pass
    finally:
        process.join(5)
        process.kill()
    return Result(status, "\n".join(lines))


def _main(conn: Connection, release: Path, token: str, options: Options, file_size: int | None) -> None:
    constants.HF_HUB_DISABLE_XET = True
    os.environ.update(HF_TOKEN=token, EMOHUB_HUB_WAIT="0.01", EMOHUB_HUB_TIMEOUT="1.0", NO_PROXY="127.0.0.1,localhost")
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.01))  # also the waits of huggingface_hub
    logging.basicConfig(stream=sys.stderr, force=True)
    conn.recv()
    if file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    output = io.StringIO()
    try:
        with redirect_stdout(output), redirect_stderr(output):
            logging.basicConfig(stream=output, force=True)
            report = publish(release, options, show_plan, lambda line: conn.send(("line", line)))
            show_report(report)
        status = 0 if report.ok else 1
    except BaseException as error:
        text = message_for(error)
        conn.send(("error", text if text is not None else traceback.format_exc()))
        status = 1 if text is not None else 70
    conn.send(("output", output.getvalue()))
    conn.send(("status", status))
    conn.close()
