"""Fresh processes: no network, an empty Hugging Face home, no secret of the user, nothing written into the release.

Only code that ships with the release runs here: a model's, a metric's, a Space's.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emohub.check.base import shown
from emohub.hub.kinds import HUB_TYPES
from emohub.release.record import Release

VISITS = Path(__file__).with_name("visits")
KIT = Path(__file__).parents[2]
TIMEOUT = 3600.0  # seconds; a dataset of many gigabytes is copied once
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
DROPPED = re.compile(
    r"^(HF_|HUGGING|TRANSFORMERS_|PYTHON|GRADIO_|AWS_)|TOKEN|SECRET|PASSWORD|API_?KEY|_proxy$", re.IGNORECASE
)


class VisitError(Exception):
    """A process ended badly; the text is the last that it said."""


def environment(home: Path, **extra: str) -> dict[str, str]:
    """This process's environment without its secrets and settings, offline, at home in `home`."""
    kept = {key: value for key, value in os.environ.items() if not DROPPED.search(key)}
    return {**kept, **OFFLINE, "HF_HOME": str(home / "hf"), "GRADIO_TEMP_DIR": str(home / "gradio"), **extra}


def visit(script: str, folder: Path, *arguments: str, release: Release | None, options: tuple[str, ...] = ()) -> Any:
    """Run a script of `visits/` on a folder and give back what it saw.

    Args:
        script: Name of the file.
        folder: The repo; the script gets its path.
        *arguments: Further arguments of the script.
        release: Its repos can be reached from the process by their ids.
        options: Of `visits/guard.py`.

    Raises:
        VisitError: the process ended with an error, or took too long.
    """
    with workplace(release) as home:
        out = home / "seen.json"
        code = [*options, str(VISITS / f"{script}.py"), str(out), str(folder.resolve()), *arguments]
        try:
            done = subprocess.run(
                [sys.executable, str(VISITS / "guard.py"), *code],
                cwd=home,
                env=environment(home),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise VisitError(f"the process took longer than {TIMEOUT:g} s") from error
        if done.returncode or not out.is_file():
            raise VisitError(last_words(done.stderr.decode("utf-8", "replace"), home) or f"exit {done.returncode}")
        return json.loads(out.read_text(encoding="utf-8"))


@contextlib.contextmanager
def workplace(release: Release | None) -> Iterator[Path]:
    """A temporary folder where the repos of a release are found by `NAMESPACE/NAME`, here and in the Hub's cache."""
    with tempfile.TemporaryDirectory(prefix="emohub-check-", ignore_cleanup_errors=True) as temporary:
        home = Path(temporary).resolve()
        (home / "gradio").mkdir()
        (home / "hf" / "hub").mkdir(parents=True)  # before the links: nothing may be written through one
        for repo in release.repos if release else ():
            assert release is not None
            folder = release.folder_of(repo).resolve()
            link_by_name(home, release, folder)
            cached = home / "hf" / "hub" / f"{HUB_TYPES[repo.kind]}s--{release.namespace}--{repo.name}"
            (cached / "refs").mkdir(parents=True)
            (cached / "refs" / "main").write_text(COMMIT)
            (cached / "snapshots").mkdir()
            (cached / "snapshots" / COMMIT).symlink_to(folder)
        yield home


COMMIT = "0" * 40


def link_by_name(home: Path, release: Release, folder: Path) -> None:
    """`home/NAMESPACE/NAME` and `home/NAME` lead to the folder: examples name a repo in either way."""
    (home / release.namespace).mkdir(exist_ok=True)
    for link in (home / release.namespace / folder.name, home / folder.name):
        with contextlib.suppress(FileExistsError):
            link.symlink_to(folder)


def last_words(said: str, home: Path) -> str:
    """The last lines of a traceback, without paths of this machine."""
    lines = [line for line in said.replace(str(home), "…").splitlines() if line.strip()]
    return shown(" | ".join(lines[-3:]), 400)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
