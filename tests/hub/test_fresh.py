"""What code of a repo gets in a fresh process, what it cannot pass off as a result, and that it ends."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from emohub.hub import fork_server, fresh, guard, process
from emohub.hub.fork_server import ForkServer
from emohub.hub.fresh import LocalRepo
from emohub.hub.imports import PACKAGE, closure
from emohub.hub.process import Finished, FreshProcessError

LOOK = """
import os, sys

def main(*arguments):
    found = {"arguments": arguments, "argv": sys.argv[1:], "cwd": os.getcwd(), "files": os.listdir("."),
             "path": sys.path, "environment": dict(os.environ), "input": sys.stdin.read()}
    try:
        import emohub
        found["emohub"] = os.path.dirname(emohub.__file__)
    except ImportError as error:
        found["emohub"] = str(error)
    found["open"] = [name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")]
    return found
"""
SECRETS = {
    "HF_TOKEN": "hf_planted",
    "HUGGING_FACE_HUB_TOKEN": "hf_planted",
    "OPENAI_API_KEY": "planted",
    "AWS_SECRET_ACCESS_KEY": "planted",
    "AWS_PROFILE": "planted",
    "MY_SECRET": "planted",
    "SSH_AUTH_SOCK": "/planted",
    "GOOGLE_APPLICATION_CREDENTIALS": "/planted",
    "HTTPS_PROXY": "http://ann:planted@proxy",
    "HF_HOME": "/planted",
    "PYTHONPATH": "/planted",
    "PYTHONSTARTUP": "/planted",
    "LD_PRELOAD": "",
    "BASH_FUNC_x%%": "() { planted; }",
}


Run = Callable[..., Finished]


@pytest.fixture(scope="module")
def forking() -> Iterator[ForkServer]:
    """Makes processes by forking, and fails where it would take a new interpreter instead."""
    with pytest.MonkeyPatch.context() as patch, ForkServer(["json"], ["emohub"]) as server:
        patch.setattr(fork_server, "new_interpreter", lambda *_: pytest.fail("it did not fork"))
        yield server


@pytest.fixture(params=["a new interpreter", "forked"])
def run(request: pytest.FixtureRequest, forking: ForkServer) -> Run:
    """`fresh.run`, with both ways to make a process: what holds for one holds for the other."""
    return partial(fresh.run, launch=forking) if request.param == "forked" else fresh.run


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")


def test_what_the_process_sees(run: Run, planted: None, tmp_path: Path) -> None:
    with open(tmp_path / "private", "w") as private:  # a file that is open here is not open there
        os.set_inheritable(private.fileno(), True)
        seen = run(LOOK, "a", "b c").result
    assert seen["arguments"] == seen["argv"] == ["a", "b c"] and seen["input"] == ""
    environment = seen["environment"]
    assert not {*SECRETS} - {"HF_HOME", "PYTHONPATH"} & {*environment} and "planted" not in json.dumps(seen)
    assert environment["LC_TIME"] == "C.UTF-8" and environment["OMP_NUM_THREADS"] == "2"
    assert environment["HF_HUB_OFFLINE"] == "1" and environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"
    root = Path(seen["cwd"]).parent
    assert environment["PYTHONPATH"] == str(root / "site")  # its own, see `guard.pass_on`
    assert all(Path(environment[name]).parent == root for name in ("HOME", "HF_HOME", "TMPDIR"))
    assert seen["files"] == [] and not root.exists(), "the working folder is empty, and temporary"
    assert "No module named 'emohub'" in seen["emohub"]
    assert str(PACKAGE.parent) not in seen["path"] and "" not in seen["path"] and str(Path.cwd()) not in seen["path"]
    assert len(seen["open"]) <= 5, "three streams, the pipe of the order and that of the result"


def test_only_names_on_the_list_are_inherited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever a variable is called: what is not listed does not arrive."""
    names = [
        "X",
        "TOKENS",
        "MYPATH",
        "PATH_",
        "XPATH",
        "LANGUAGES",
        "LC_ALL_KEY",
        "hf_token",
        "_",
        "SSL_CERT_FILE_KEY",
    ]
    for name in names:
        monkeypatch.setenv(name, "x")
    assert not {*names} & {*fresh.environment(tmp_path)} and not {*names} & {
        *fresh.environment(tmp_path, "http://hub")
    }


def test_a_token_is_given_only_where_asked_for(planted: None, tmp_path: Path) -> None:
    assert fresh.environment(tmp_path, "http://hub", "hf_given")["HF_TOKEN"] == "hf_given"
    online = fresh.environment(tmp_path, "http://hub")
    assert "HF_TOKEN" not in online and "HTTPS_PROXY" not in online, "a proxy's password is one too"
    assert online["HF_ENDPOINT"] == "http://hub" and "HF_HUB_OFFLINE" not in online


def test_with_the_kit(run: Run) -> None:
    assert run(LOOK, hide=()).result["emohub"] == str(PACKAGE)


def test_a_network_only_with_an_endpoint(run: Run) -> None:
    code = "import socket\ndef main():\n    socket.getaddrinfo('example.com', 80)"
    with pytest.raises(FreshProcessError, match="runs without a network"):
        run(code)


def test_what_the_process_starts_is_kept_to_the_same() -> None:
    """A page that computes in processes of its own has neither the kit nor a network there."""
    code = """
import subprocess, sys
TRIES = ("import emohub", "import colorsys", "import socket; socket.create_connection(('192.0.2.1', 80), 1)")
def main():
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for code in TRIES]
    return [run.stderr.strip().splitlines()[-1] for run in runs]
"""
    kit, hidden, network = fresh.run(code, hide=("emohub", "colorsys")).result
    assert kit == "ModuleNotFoundError: No module named 'emohub'" and "'colorsys'" in hidden
    assert network == "OSError: this process runs without a network; it tried to reach 192.0.2.1"


def test_repos_are_found_by_their_ids(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named/config.json").write_text('{"model_type": "bert"}')
    code = """
from pathlib import Path
from huggingface_hub import hf_hub_download

def main():
    found = [Path("org/named/config.json"), Path("named/config.json"), hf_hub_download("org/named", "config.json")]
    return [Path(path).read_text() for path in found]
"""
    result = fresh.run(code, repos=[LocalRepo("model", "org/named", tmp_path / "named")]).result
    assert result == ['{"model_type": "bert"}'] * 3


# -- results -----------------------------------------------------------------------------------------


PRINTED = """
import sys
print('{"ok": true}')
print('{"ok": true}', file=sys.stderr)
def main():
    return {"ok": False}
"""
WRITE = """
import hashlib, os
for pipe in range(3, 64):
    try:
        os.write(pipe, BYTES)
    except OSError:
        pass
"""


def test_what_is_printed_is_no_result(run: Run) -> None:
    done = run(PRINTED)
    assert done.result == {"ok": False} and done.stdout == done.stderr == '{"ok": true}\n'


@pytest.mark.parametrize(
    "code",
    [
        """import os; print('{"ok": true}', flush=True); os._exit(0)""",
        # into every open pipe: plainly, with a digest made without the key, and before the script's own result
        WRITE.replace("BYTES", "b'{}'") + "os._exit(0)",
        WRITE.replace("BYTES", "hashlib.sha256(b'{}').digest() + b'{}'") + "os._exit(0)",
        WRITE.replace("BYTES", "b'{}'") + "def main():\n    return {}",
    ],
)
def test_a_forged_result_is_refused(run: Run, code: str) -> None:
    with pytest.raises(FreshProcessError, match="without a result|that its script did not make"):
        run(code)


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("raise RuntimeError('broken')", 1, "RuntimeError: broken"),
        ("raise SystemExit(3)", 3, "exit status 3"),
        ("raise SystemExit('no way')", 1, "no way"),
        ("import os; os.kill(os.getpid(), 9)", -9, "exit status -9"),
        ("def main():\n    return {1}", 1, "not JSON serializable"),
        ("print(chr(27) + '[2J' + 'x' * 5000)\nraise ValueError(chr(27) + '[2J' + 'y' * 5000)", 1, "[2Jyyy"),
    ],
)
def test_a_script_that_fails(run: Run, code: str, status: int, says: str) -> None:
    with pytest.raises(FreshProcessError) as caught:
        run(code)
    assert caught.value.status == status and says in str(caught.value)
    assert len(str(caught.value)) < 2000 and str(caught.value).isprintable()


def test_output_is_bounded_and_its_end_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "OUTPUT_BYTES", 1000)
    done = run("for i in range(100_000):\n    print(i)")
    assert len(done.stdout) == 1000 and done.stdout.endswith("99999\n") and done.result is None


def test_a_result_that_is_too_large(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "RESULT_BYTES", 1000)
    with pytest.raises(FreshProcessError):
        run("def main():\n    return 'x' * 2000")


# -- the end -----------------------------------------------------------------------------------------

FAMILY = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({path!r} + ".new", "w").write(f"{{os.getpid()}} {{child.pid}}")
os.rename({path!r} + ".new", {path!r})
"""


def gone(pid: int) -> bool:
    """Whether a process ends within a minute: the kernel takes its time to remove it."""
    for _ in range(600):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


def test_nothing_lives_on_after_the_end(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pids"
    run(FAMILY.format(path=str(path)))
    assert all(gone(int(pid)) for pid in path.read_text().split())


def test_nothing_lives_on_after_the_time_is_up(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pids"
    timeout = 1.0
    while not path.exists():  # a slow machine needs longer to come so far
        with pytest.raises(FreshProcessError, match="timeout after"):
            run(FAMILY.format(path=str(path)) + "child.wait()", timeout=timeout)
        timeout *= 3
    assert all(gone(int(pid)) for pid in path.read_text().split())


@pytest.mark.parametrize("launch", ["process.new_interpreter", "fork_server.ForkServer(['json'], [])"])
def test_nothing_lives_on_when_emohub_is_killed(launch: str, tmp_path: Path) -> None:
    path = tmp_path / "pids"
    script = FAMILY.format(path=str(path)) + "child.wait()"
    code = f"from emohub.hub import fresh, fork_server, process; fresh.run({script!r}, launch={launch})"
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    ) as process:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert all(gone(int(pid)) for pid in path.read_text().split())


@pytest.mark.parametrize("forked", [False, True])
def test_a_server_is_ended_with_all_that_it_started(forked: bool, forking: ForkServer, tmp_path: Path) -> None:
    path = tmp_path / "pids"
    (tmp_path / "app.py").write_text(FAMILY.format(path=str(path)) + "print('started', flush=True)\nchild.wait()")
    with fresh.workspace() as work:
        start = partial(fresh.start, tmp_path / "app.py", work=work, cwd=tmp_path, variables={"PORT": "1"})
        with start(launch=forking) if forked else start() as server:
            while not path.exists():
                assert server.poll() is None, server.printed()
                time.sleep(0.05)
        assert "started" in server.printed()
    assert all(gone(int(pid)) for pid in path.read_text().split())


def test_what_runs_in_the_process_counts_for_digests() -> None:
    """Scripts are run by their paths; each is imported where it is used, so that its change is a change."""
    assert Path(guard.__file__) in closure([PACKAGE / "hub/fresh.py"])
    assert PACKAGE / "model/convert/reload.py" in closure([PACKAGE / "model/convert/convert.py"])
    scripts = {path for path in (PACKAGE / "check/scripts").glob("*.py")}
    assert scripts <= {*closure([PACKAGE / "check/models.py", PACKAGE / "check/loading.py"])}
