"""Spaces, and the pages of metrics: started on a free port of this machine, asked, and ended."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from emohub.check.base import Check, Failure, Subject, shown
from emohub.check.code import SPACES, hidden
from emohub.check.fresh import VISITS, environment, kill, last_words, workplace

START = 240.0  # seconds until a page must answer; a full-size model is loaded within
ANSWERS = (("/", "html"), ("/gradio_api/info", "named_endpoints"))
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def starts(subject: Subject) -> Iterator[Failure]:
    """The page comes up in a fresh process without a network, and says what its functions are."""
    app = str(subject.meta.get("app_file", "app.py"))
    if subject.meta.get("sdk") != "gradio" or app not in subject.files:
        return  # space.sdk says so; other SDKs are not started here
    with workplace(subject.release) as home:
        folder = home / "hf" / "app" / subject.name
        shutil.copytree(subject.folder, folder)
        if subject.release is not None:
            (folder / subject.release.namespace).symlink_to(home / subject.release.namespace)
        said = home / "said.txt"
        with said.open("wb") as log:
            process = _start(folder, home, app, port := free_port(), log, hidden(subject))
            try:
                problem = _ask(process, port)
            finally:
                kill(process)
        if problem:
            words = last_words(said.read_text("utf-8", "replace").replace(str(folder), ""), home)
            told = f"{problem}; it said: {words or 'nothing'}"
            yield subject.failure(app, told, "Start it by hand: python app.py in the folder.")


def _start(
    folder: Path, home: Path, app: str, port: int, log: BinaryIO, options: tuple[str, ...]
) -> "subprocess.Popen[bytes]":
    extra = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "NO_PROXY": "127.0.0.1,localhost"}
    return subprocess.Popen(
        [sys.executable, str(VISITS / "guard.py"), *options, app],
        cwd=folder,
        env=environment(home, **extra),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _ask(process: "subprocess.Popen[bytes]", port: int) -> str:
    """What is wrong with the answers; empty if nothing is."""
    for path, holds in ANSWERS:
        try:
            text = _answer(process, f"http://127.0.0.1:{port}{path}")
        except (TimeoutError, OSError, ValueError) as error:
            return f"GET {path}: {shown(error)}"
        if holds not in text:
            return f"GET {path} gives an answer without {holds!r}"
        if holds == "named_endpoints" and not json.loads(text)["named_endpoints"]:
            return "the page names no function that can be called"
    return ""


def _answer(process: "subprocess.Popen[bytes]", url: str) -> str:
    """The body of a page that may still be starting."""
    until = time.monotonic() + START
    while True:
        try:
            with _open(url, timeout=30) as response:
                return str(response.read().decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            raise OSError(f"status {error.code}") from error
        except OSError as error:  # nobody listens yet
            if process.poll() is not None:
                raise OSError(f"the app ended with status {process.returncode}") from error
            if time.monotonic() > until:
                raise TimeoutError(f"no answer within {START:g} s") from error
        time.sleep(0.1)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


CHECKS = (Check("space.starts", SPACES, "the page starts and answers, offline", starts, starts=True),)
