"""Start a Space as the Hub would: `python app.py` in its folder, with what it needs in the environment."""

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
TOY = 1_000_000  # parameters of a vision tower below which a model is no real one
TOY_SETTINGS = {
    "notice": "This is the demo's model, for show only: it was trained on drawn faces, and what it gives on photos "
    "means nothing."
}


def start_space(folder: Path | None = None, model: str | None = None, port: int | None = None) -> None:
    """Replace this process by the Space, on this machine only.

    Args:
        folder: Folder of a Space; the demo Space by default.
        model: Folder or Hub id of a model repo, for a Space that wants one.
        port: Port to listen on; otherwise GRADIO_SERVER_PORT, otherwise the first free one from 7860 on.

    Raises:
        EmohubError: Gradio is not installed, the folder is no Space, the port is taken, or there is no model.
    """
    folder = (folder or hub_folder("spaces", SPACE)).absolute()
    if not (folder / "app.py").is_file():
        raise EmohubError(f"{folder} is no Space: there is no app.py in it. Give a folder under spaces/ or metrics/.")
    if find_spec("gradio") is None:
        raise EmohubError('A Space needs Gradio, which is not installed. Install it: pip install "emohub[space]".')
    added = environment(folder, model, port)
    os.chdir(folder)
    os.execve(sys.executable, [sys.executable, "app.py"], {**os.environ, **added})


def environment(folder: Path, model: str | None = None, port: int | None = None) -> dict[str, str]:
    """What the Space gets in its environment beside what is there already.

    Raises:
        EmohubError: the port is taken, or there is no model.
    """
    added = {"GRADIO_SERVER_NAME": HOST, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    if wanted := port or int(os.environ.get(PORT) or 0):
        _check_free(wanted)
        added[PORT] = str(wanted)
    return added | (_model_environment(folder, model) if (folder / "settings.json").is_file() else {})


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EmohubError(
                f"Port {port} cannot be had on {HOST}: {error.strerror}. Give another with --port, or leave it out: "
                "then the first free one from 7860 on is taken."
            ) from error


def _model_environment(folder: Path, model: str | None) -> dict[str, str]:
    chosen = model or os.environ.get(MODEL) or (str(SAMPLE) if SAMPLE.is_dir() else _in_settings(folder))
    if not chosen:
        raise EmohubError(
            f"There is no model to show: neither {SAMPLE} nor an id in {folder / 'settings.json'}. "
            "Build the sample with `make demo`, or give a model repo: emohub space --model FOLDER_OR_HUB_ID."
        )
    path = Path(chosen)
    if not path.is_dir():
        if path.is_absolute() or chosen.startswith("."):
            raise EmohubError(f"{chosen} is no folder. Give the folder of a model repo, or its Hub id.")
        return {MODEL: chosen}
    # A folder needs no network, and nothing is to ask for one.
    added = {MODEL: str(path.resolve()), "HF_HUB_OFFLINE": "1"}
    return added | ({SETTINGS: json.dumps(_toy_settings())} if _is_toy(path) else {})


def _in_settings(folder: Path) -> str | None:
    model: str = json.loads((folder / "settings.json").read_text(encoding="utf-8")).get("model", "")
    return None if model.startswith(PLACEHOLDER) else model or None


def _is_toy(model: Path) -> bool:
    record = model / "conversion.json"
    made: dict[str, Any] = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    return made.get("parameters", {}).get("tower", TOY) < TOY


def _toy_settings() -> dict[str, Any]:
    """What a visitor of this machine set already goes before what suits the sample."""
    return TOY_SETTINGS | json.loads(os.environ.get(SETTINGS) or "{}")
