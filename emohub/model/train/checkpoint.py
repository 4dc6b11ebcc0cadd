"""A training's state on disk: one safetensors file that is replaced as a whole."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from emohub.data.runs import replacing_file
from emohub.errors import BuildError
from emohub.hub.json_files import parse_json

FILE = "checkpoint.safetensors"


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Replace the checkpoint; a process that is killed meanwhile leaves the old one.

    Args:
        folder: Folder of the checkpoint.
        tensors: By name.
        about: Stored beside them as JSON.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing_file(folder / FILE, durable=True) as path:
        save_file(whole, path, metadata={"about": json.dumps(about)})


def read_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and what was stored beside them, or None where there is no checkpoint.

    Raises:
        BuildError: the file is not a checkpoint.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            about = parse_json(file.metadata()["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BuildError(
            f"{path} is not a checkpoint of `emohub train` ({error}). Remove {folder} to start again."
        ) from error
