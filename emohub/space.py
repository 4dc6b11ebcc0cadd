"""Start a Space as the Hub would: `python app.py` in its folder, configured by environment variables."""

import json
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emohub.errors import EmohubError
from emohub.hub.folders import hub_folder

SPACE = "empathic_insight_face"
SAMPLE = Path("release/models/empathic-insight-face-small")  # where `make demo` puts its model
HOST = "127.0.0.1"
PORT, MODEL, SETTINGS = "GRADIO_SERVER_PORT", "MODEL_ID", "SPACE_SETTINGS"
PLACEHOLDER = "ORG/"
TOY = 1_000_000  # parameters of the vision tower; a model with fewer is the sample
TOY_SETTINGS = {
    "notice": "This is the demo's model, for show only: it was trained on drawn faces, and what it gives on photos "
    "means nothing."
}


def start_space(folder: Path | None = None, model: str | None = None, port: int | None = None) -> None:
    """Replace this process by the Space, on this machine only.

    Args:
        folder: Folder of a Space; the demo Space by default.
        model: Folder or Hub id of a model repo, for a Space with `model` in its settings.json.
        port: Port to listen on; otherwise GRADIO_SERVER_PORT, otherwise the first free one from 7860 on.

    Raises:
        EmohubError: Gradio is not installed, the folder is not a Space, the port is in use, or no model was found.
    """
    folder = (folder or hub_folder("spaces", SPACE)).absolute()
    if not (folder / "app.py").is_file():
        raise EmohubError(f"{folder} is not a Space: it has no app.py. Give a folder under spaces/ or metrics/.")
    if find_spec("gradio") is None:
        raise EmohubError('A Space needs Gradio, which is not installed. Install it: pip install "emohub[space]".')
    added = environment(folder, model, port)
    os.chdir(folder)
    os.execve(sys.executable, [sys.executable, "app.py"], {**os.environ, **added})


def environment(folder: Path, model: str | None = None, port: int | None = None) -> dict[str, str]:
    """Environment variables to set for the Space.

    Raises:
        EmohubError: the port is in use, or no model was found.
    """
    added = {"GRADIO_SERVER_NAME": HOST, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    if wanted := port or int(os.environ.get(PORT) or 0):
        _check_free(wanted)
        added[PORT] = str(wanted)
    settings = _settings(folder)
    return added | (_model_environment(settings, model) if "model" in settings else {})


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


def _model_environment(settings: dict[str, Any], model: str | None) -> dict[str, str]:
    named = "" if settings["model"].startswith(PLACEHOLDER) else settings["model"]
    chosen = model or os.environ.get(MODEL) or (str(SAMPLE) if SAMPLE.is_dir() else named)
    if not chosen:
        raise EmohubError(
            f"No model was found: {SAMPLE} does not exist, and the Space's settings.json names none. "
            "Build the sample with `make demo`, or give a model repo: emohub space --model FOLDER_OR_HUB_ID."
        )
    path = Path(chosen)
    if not path.is_dir():
        if path.is_absolute() or chosen.startswith("."):
            raise EmohubError(f"{chosen} is not a folder. Give the folder of a model repo, or its Hub id.")
        return {MODEL: chosen}
    # A local model needs no network.
    added = {MODEL: str(path.resolve()), "HF_HUB_OFFLINE": "1"}
    return added | ({SETTINGS: json.dumps(_toy_settings())} if _is_toy(path) else {})


def _settings(folder: Path) -> dict[str, Any]:
    file = folder / "settings.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def _is_toy(model: Path) -> bool:
    record = model / "conversion.json"
    made: dict[str, Any] = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    return made.get("parameters", {}).get("tower", TOY) < TOY


def _toy_settings() -> dict[str, Any]:
    """Settings for the sample, overridden by SPACE_SETTINGS."""
    return TOY_SETTINGS | json.loads(os.environ.get(SETTINGS) or "{}")
