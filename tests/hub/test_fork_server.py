"""Forked processes: what they share, what not, and what happens where none can be forked.

That each one is as isolated as a new interpreter is tested in `test_fresh.py`, for both.
"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest

from emohub.hub import fork_server, fresh
from emohub.hub.fork_server import ForkServer
from emohub.hub.fresh import LocalRepo
from emohub.hub.process import FreshProcessError
from tests import patience
from tests.hub.test_fresh import gone

ABOUT = """
import os, sys, tempfile
def main(*names):
    imported = [name for name in names if name in sys.modules]
    for name in names:
        try:
            __import__(name)
        except ImportError:
            imported.append(f"no {name}")
    return {"imported": imported, "parent": os.getppid(), "group": os.getpgrp(), "pid": os.getpid(),
            "tmp": tempfile.gettempdir(), "home": os.environ["HOME"]}
"""


def test_imported_once_and_all_else_is_its_own() -> None:
    with ForkServer(["colorsys"], ["emohub", "tabnanny"]) as server:
        run = partial(fresh.run, ABOUT, "colorsys", "tabnanny", launch=server)
        first, second = run(hide=("emohub",)).result, run(hide=("emohub", "tabnanny")).result
    assert first["imported"] == ["colorsys"] and second["imported"] == ["colorsys", "no tabnanny"]
    assert first["parent"] == second["parent"] != os.getpid(), "both come from the fork server"
    assert all(
        one["group"] == one["pid"] and Path(one["tmp"]).parent == Path(one["home"]).parent for one in (first, second)
    )
    assert first["home"] != second["home"] and gone(first["parent"])


def test_many_at_once() -> None:
    code = "import time\ndef main(value):\n    time.sleep(0.01)\n    return [value, open('/proc/self/stat').read()]"
    with ForkServer(["json"], []) as server, ThreadPoolExecutor(8) as pool:
        values = [str(value) for value in range(40)]
        found = list(pool.map(lambda value: fresh.run(code, value, launch=server).result[0], values))
    assert found == values


def test_the_cache_of_the_server_has_the_repos(tmp_path: Path) -> None:
    """Where the Hub's cache is, is read when huggingface_hub is imported."""
    (tmp_path / "named").mkdir()
    (tmp_path / "named/config.json").write_text("{}")
    code = (
        "from huggingface_hub import hf_hub_download as get\ndef main():\n    return get('org/named', 'config.json')"
    )
    repos = [LocalRepo("model", "org/named", tmp_path / "named")]
    with ForkServer(["huggingface_hub.constants"], [], repos) as server:
        assert fresh.run(code, repos=repos, launch=server).result.endswith("config.json")


@pytest.mark.parametrize("name", ["absent_package", "colorsys"])  # the second is there, and hidden
def test_what_cannot_be_imported_ends_in_new_interpreters(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with ForkServer([name], ["colorsys"]) as server:
        for _ in range(2):
            assert fresh.run(ABOUT, launch=server).result["parent"] == os.getpid()
    assert [record.getMessage()[:27] for record in caplog.records] == ["No process can be forked; e"], "said once"


def test_a_server_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fork_server, "START", 0)  # nothing is imported so soon
    with ForkServer(["json"], []) as server:
        assert fresh.run(ABOUT, launch=server).result["parent"] == os.getpid()
    assert len(caplog.records) == 1


def test_elsewhere_nothing_forks(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(fork_server, "POSSIBLE", False)
    with ForkServer(["json"], []) as server:
        assert fresh.run(ABOUT, launch=server).result["parent"] == os.getpid()
    assert not caplog.records, "as on every such machine"


def test_the_server_is_killed() -> None:
    """A process that it made is reported as ended, and the next ones are new interpreters."""
    code = "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)"
    with ForkServer(["json"], []) as server:
        with pytest.raises(FreshProcessError) as caught:
            fresh.run(code, launch=server)
        assert caught.value.status == -signal.SIGKILL
        assert fresh.run(ABOUT, launch=server).result["parent"] == os.getpid()


def test_no_descriptor_and_no_process_is_left() -> None:
    here = psutil.Process()

    def held() -> tuple[int, set[int]]:
        return here.num_fds(), {child.pid for child in here.children()}

    before = held()
    for _ in range(3):
        with ForkServer(["json"], []) as server:
            with pytest.raises(FreshProcessError):
                fresh.run("raise SystemExit(3)", launch=server)
            fresh.run("", launch=server)
    until = time.monotonic() + patience.PROCESS
    while held() != before and time.monotonic() < until:  # threads close the pipes that they have read to the end
        time.sleep(0.05)
    assert held() == before
