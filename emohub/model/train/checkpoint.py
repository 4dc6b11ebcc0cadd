"""A training's state on disk: one safetensors file that is replaced as a whole."""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from emohub.errors import BuildError

FILE = "checkpoint.safetensors"


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Replace the checkpoint: whoever is killed meanwhile leaves the old one.

    Args:
        folder: Where it is.
        tensors: By name.
        about: What JSON can hold; kept beside them.
    """
    path, work = folder / FILE, folder / f".{FILE}.writing"
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(whole, work, metadata={"about": json.dumps(about)})
    with open(work, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(work, path)


def read_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and what was said about them, or None where there is no checkpoint.

    Raises:
        BuildError: the file is no checkpoint.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BuildError(f"{path} is no checkpoint of a training ({error}). Remove {folder} to start anew.") from error
