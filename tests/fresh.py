"""What a user sees: commands and code in a fresh process, with a Hugging Face home of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import patience

OFFLINE = {"HF_HUB_OFFLINE": "1"}


def environment(home: Path, **extra: str) -> dict[str, str]:
    """This process's environment without its own settings of the Hugging Face libraries, and with `extra`."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "PYTHON"))}
    fixed = {"HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "100"}
    return {**clean, **fixed, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **extra}


def run(*command: str | Path, cwd: Path, home: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(home, **extra),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=patience.PROCESS,
        stdin=subprocess.DEVNULL,
    )


def emohub(*arguments: str | Path, cwd: Path, home: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """The console script, as installed."""
    return run(Path(sys.executable).with_name("emohub"), *arguments, cwd=cwd, home=home, **extra)


def python(code: str, *, cwd: Path, home: Path, **extra: str) -> Any:
    """Run `code` and give back the `result` that it sets, through JSON."""
    done = run(sys.executable, "-c", f"{code}\nimport json\nprint(json.dumps(result))", cwd=cwd, home=home, **extra)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
