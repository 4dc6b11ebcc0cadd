"""The annotation Space's own `admin.py`, in a process without the tokens and keys of this environment."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from emohub.errors import EmohubError
from emohub.hub.folders import hub_folder
from emohub.hub.fresh import inherited
from emohub.hub.json_files import parse_json
from emohub.space import KEPT, STUDIES, study_store


def admin(command: str, study: Path, *arguments: str | Path) -> dict[str, Any]:
    """Call `admin.py`.

    Args:
        command: new, export, status, import, link or delete.
        study: `study.toml`.
        arguments: Further ones.

    Raises:
        EmohubError: it failed; with its message.
    """
    variables = inherited() | {key: value for key, value in os.environ.items() if KEPT.fullmatch(key)}
    variables |= study_store()
    line = [sys.executable, "admin.py", command, str(study.absolute())]
    run = subprocess.run(
        [*line, *(str(one.absolute()) if isinstance(one, Path) else one for one in arguments)],
        cwd=hub_folder("spaces", STUDIES),
        env=variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if run.returncode:
        raise EmohubError(run.stderr.strip().splitlines()[-1] if "Traceback" in run.stderr else run.stderr.strip())
    found: dict[str, Any] = parse_json(run.stdout)
    return found
