"""Start a Space as the Hub would: `python app.py` in its folder, configured by environment variables."""

import json
import os
import re
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from huggingface_hub.constants import HF_HOME

from emohub.errors import EmohubError, printable
from emohub.hub.folders import hub_folder
from emohub.hub.fresh import inherited
from emohub.hub.json_files import parse_json, read_json

SPACE, STUDIES, LEADERBOARD = "empathic_insight_face", "annotation", "leaderboard"
SAMPLE = Path("release/models/empathic-insight-face-small")  # where `make demo` puts its model
HOST = "127.0.0.1"
PORT, MODEL, SETTINGS, STUDY = "GRADIO_SERVER_PORT", "MODEL_ID", "SPACE_SETTINGS", "STUDY"
STORE = "STUDY_STORE"
PLACEHOLDER = "ORG/"
# What a Space gets from the environment besides `hub.fresh.INHERITED`: its home and its settings, no token and no key.
KEPT = re.compile(
    r"HOME|USER|LOGNAME|TMPDIR|HF_HOME|HF_MODULES_CACHE|MPLCONFIGDIR|XDG_[A-Z]+_HOME|(?:GRADIO|SPACE)_[A-Z_]+|"
    r"PYTHON(?:DONTWRITEBYTECODE|UNBUFFERED|UTF8)"
)
TOY = 1_000_000  # parameters of the vision tower; a model with fewer is the sample
TOY_SETTINGS = {
    "notice": "This is the demo's model, for show only: it was trained on drawn faces, and what it gives on photos "
    "means nothing."
}


def start_space(
    folder: Path | None = None,
    model: str | None = None,
    port: int | None = None,
    *,
    study: Path | None = None,
    results: str | None = None,
    trust_remote_code: bool = False,
) -> None:
    """Replace this process by the Space, on this machine only, without the tokens and keys of this environment.

    Args:
        folder: Folder of a Space; by default the demo Space, with a study that of annotation studies, with results the
            leaderboard.
        model: Folder or Hub id of a model repo, for a Space with `model` in its settings.json.
        port: Port to listen on; otherwise GRADIO_SERVER_PORT, otherwise the first free one from 7860 on.
        study: `study.toml`, for the Space of annotation studies.
        results: Folder of a results dataset or its id on the Hub, for the leaderboard.
        trust_remote_code: Run code of the model repo that is not, byte for byte, what this emohub ships.

    Raises:
        EmohubError: Gradio is not installed, the folder is not a Space, the port is in use, or no model was found.
        ModelError: the model repo is incomplete, or its code is not this emohub's.
    """
    chosen = STUDIES if study else LEADERBOARD if results else SPACE
    folder = (folder or hub_folder("spaces", chosen)).absolute()
    if not (folder / "app.py").is_file():
        raise EmohubError(f"{folder} is not a Space: it has no app.py. Give a folder under spaces/ or metrics/.")
    if find_spec("gradio") is None:
        raise EmohubError('A Space needs Gradio, which is not installed. Install it: pip install "emohub[space]".')
    variables = environment(folder, model, port, trust_remote_code=trust_remote_code)
    if results is not None:
        where = str(Path(results).absolute()) if Path(results).is_dir() else results
        variables[SETTINGS] = json.dumps(_given_settings() | {"results": where})
    if study is not None:
        variables |= {STUDY: str(study.absolute()), **study_store()}
    os.chdir(folder)
    os.execve(sys.executable, [sys.executable, "app.py"], variables)


def study_store() -> dict[str, str]:
    """The database of a study, which may name a password: for the Space of studies, and for no other."""
    return {STORE: os.environ[STORE]} if STORE in os.environ else {}


def environment(
    folder: Path, model: str | None = None, port: int | None = None, *, trust_remote_code: bool = False
) -> dict[str, str]:
    """The whole environment of the Space.

    Raises:
        EmohubError: the port is in use, or no model was found.
    """
    kept = inherited() | {key: value for key, value in os.environ.items() if KEPT.fullmatch(key)}
    added = kept | {"GRADIO_SERVER_NAME": HOST, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    if wanted := port or int(os.environ.get(PORT) or 0):
        _check_free(wanted)
        added[PORT] = str(wanted)
    settings = _settings(folder)
    return added | (_model_environment(settings, model, trust_remote_code) if "model" in settings else {})


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EmohubError(
                f"Port {port} on {HOST} is not available: {error.strerror}. Give another with --port, or omit it for "
                "the first free one from 7860 on."
            ) from error


def _model_environment(settings: dict[str, Any], model: str | None, trust_remote_code: bool) -> dict[str, str]:
    named = "" if settings["model"].startswith(PLACEHOLDER) else settings["model"]
    chosen = model or os.environ.get(MODEL) or (str(SAMPLE) if SAMPLE.is_dir() else named)
    if not chosen:
        raise EmohubError(
            f"No model was found: {SAMPLE} does not exist, and the Space's settings.json names none. "
            "Build the sample with `make demo`, or give a model repo: emohub space --model FOLDER_OR_HUB_ID."
        )
    from emohub.model.repo import open_repo  # with pandas and PyAV, which a metric's page does without

    repo = open_repo(chosen, trust_remote_code=trust_remote_code)
    # A copy of what was checked, which this user alone may write. It needs neither a network nor a token.
    copy = repo.keep(Path(HF_HOME) / "emohub" / "models")
    added = {MODEL: str(copy), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    return added | ({SETTINGS: json.dumps(_toy_settings())} if _is_toy(repo.folder) else {})


def _settings(folder: Path) -> dict[str, Any]:
    file = folder / "settings.json"
    found: dict[str, Any] = read_json(file) if file.is_file() else {}
    return found


def _is_toy(model: Path) -> bool:
    record = model / "conversion.json"
    made: dict[str, Any] = read_json(record) if record.is_file() else {}
    return made.get("parameters", {}).get("tower", TOY) < TOY


def _toy_settings() -> dict[str, Any]:
    """Settings for the sample, overridden by SPACE_SETTINGS."""
    return TOY_SETTINGS | _given_settings()


def _given_settings() -> dict[str, Any]:
    """SPACE_SETTINGS."""
    given = os.environ.get(SETTINGS) or "{}"
    try:
        return {**parse_json(given)}
    except (ValueError, TypeError) as error:
        raise EmohubError(f"{SETTINGS} is {printable(given)!r}; must be a JSON object: {error}.") from error
