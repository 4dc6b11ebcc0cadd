"""What this Space runs with: settings.json, and above it the environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

FOLDER = Path(__file__).parent
MB = 1 << 20  # bytes, as Gradio counts them


@dataclass(frozen=True, slots=True)
class Settings:
    """One value per key of settings.json.

    Attributes:
        model: Hub id or folder of the model repo; the environment variable MODEL_ID goes before it.
        data: Hub id of the dataset, for the link.
        notice: A sentence above the page, or nothing.
        axes: Ends of the score axis, for scores "above" a neutral face and "raw" ones.
        picture_mb: Largest picture, in MB of 1,048,576 bytes.
        picture_megapixels: Largest picture, in millions of pixels.
        faces: How many faces of a picture are scored.
        video_mb: Largest video, in MB of 1,048,576 bytes.
        video_seconds: Longest video.
        frames: How many frames of a video are scored at most.
        decode_seconds: Of computing that decoding one file may take.
        decode_mb: Memory that decoding one file may take, in MB of 1,048,576 bytes.
        requests_per_minute: How many pictures and videos one visitor may send.
        at_once: Requests that run at the same time.
        waiting: Requests that may wait; more are refused.
        forget_minutes: After how long scores leave the memory, and a file that was sent and never scored the disk.
    """

    model: str
    data: str
    notice: str
    axes: Mapping[str, tuple[float, float]]
    picture_mb: float
    picture_megapixels: float
    faces: int
    video_mb: float
    video_seconds: float
    frames: int
    decode_seconds: float
    decode_mb: float
    requests_per_minute: int
    at_once: int
    waiting: int
    forget_minutes: float


def read_settings() -> Settings:
    """Settings of this folder; SPACE_SETTINGS, a JSON object, changes single ones, and MODEL_ID the model.

    Raises:
        ValueError: a key that does not exist or is missing.
    """
    values = json.loads((FOLDER / "settings.json").read_text(encoding="utf-8"))
    values |= json.loads(os.environ.get("SPACE_SETTINGS") or "{}")
    values["model"] = os.environ.get("MODEL_ID") or values.get("model")
    known = {field.name for field in fields(Settings)}
    if wrong := known ^ values.keys():
        raise ValueError(
            f"settings.json or SPACE_SETTINGS has too much or too little: {sorted(wrong)}; {sorted(known)}."
        )
    return Settings(**values)


def model_name(model: str) -> str:
    """How a model is called on the page: its Hub id, or the name of its folder."""
    return Path(model).name if Path(model).is_dir() else model


def hub_link(repo: str, kind: str = "") -> str:
    """The address of a repo's card, or nothing where `repo` is a folder; `kind` is "datasets/" for a dataset."""
    return "" if Path(repo).is_dir() else f"https://huggingface.co/{kind}{repo}"
