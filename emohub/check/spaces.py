"""Spaces, and the pages of metrics: started on a free port of this machine, queried, and ended."""

import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from emohub.check.base import Check, Failure, Subject
from emohub.check.code import SPACES, absent_packages
from emohub.check.isolated import launch_with, local_repos
from emohub.errors import printable
from emohub.hub.fresh import start, workspace
from emohub.hub.json_files import parse_json
from emohub.hub.process import Process, free_port, stderr_tail

START = 240.0  # seconds until a page must answer; a full-size model is loaded within
ANSWERS = (("/", "html"), ("/gradio_api/info", "named_endpoints"))  # path → text in the answer
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def starts(subject: Subject) -> Iterator[Failure]:
    """The page starts in a fresh process without a network, and lists its functions."""
    app = str(subject.meta.get("app_file", "app.py"))
    if subject.meta.get("sdk") != "gradio" or app not in subject.files:
        return  # space.sdk reports it; other SDKs are not started here
    with workspace(local_repos(subject)) as work:
        folder = work.parent / "app" / subject.name
        shutil.copytree(subject.folder, folder)
        if subject.release is not None:
            (folder / subject.release.namespace).symlink_to(work / subject.release.namespace)
        address = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port := free_port())}
        hide = absent_packages(subject)
        launch = launch_with(subject, "gradio", hide)
        with start(folder / app, work=work, cwd=folder, hide=hide, variables=address, launch=launch) as process:
            problem = _ask(process, port)
        if problem:
            last = " | ".join(stderr_tail(process.printed(), work.parent))
            found = f"{problem}; its last output: {last or 'none'}"
            yield subject.failure(app, found, "Start it by hand: python app.py in the folder.")


def _ask(process: Process, port: int) -> str:
    """What is wrong with the answers; empty where nothing is."""
    for path, holds in ANSWERS:
        try:
            text = _answer(process, f"http://127.0.0.1:{port}{path}")
        except (TimeoutError, OSError, ValueError) as error:
            return f"GET {path}: {printable(error)}"
        if holds not in text:
            return f"GET {path} gives an answer without {holds!r}"
        if holds == "named_endpoints" and not parse_json(text)["named_endpoints"]:
            return "the page names no function that can be called"
    return ""


def _answer(process: Process, url: str) -> str:
    """The body of a page that may still be starting."""
    until = time.monotonic() + START
    while True:
        try:
            with _open(url, timeout=30) as response:
                return str(response.read().decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            raise OSError(f"status {error.code}") from error
        except OSError as error:  # nobody listens yet
            if (status := process.poll()) is not None:
                raise OSError(f"the app ended with status {status}") from error
            if time.monotonic() > until:
                raise TimeoutError(f"no answer within {START:g} s") from error
        time.sleep(0.1)


CHECKS = (Check("space.starts", SPACES, "the page starts and answers, offline", starts, starts=True),)
