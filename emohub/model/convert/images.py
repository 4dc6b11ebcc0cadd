"""Images for the model: files from a folder, and drawn ones for comparisons."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from emohub.data.images import SUFFIXES, decode, read_bytes
from emohub.errors import BuildError, MediaError, listed

BATCH = 8
PROBES = 4
PROBE_SIZE = (200, 160)  # not square, so that resizing is part of what is compared


def image_files(folder: Path) -> list[Path]:
    """All images below a folder, sorted by path.

    Raises:
        BuildError: there is none.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise BuildError(f"{folder} holds no image ({', '.join(SUFFIXES)}). Give another folder.")
    return files


def open_images(files: Sequence[Path]) -> list[Image.Image]:
    """Read images by the model's rule: upright, on white, in RGB.

    Raises:
        BuildError: names every file that is missing or not an image.
    """
    images, problems = [], []
    for path in files:
        try:
            images.append(decode(read_bytes(path)))
        except MediaError as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise BuildError(f"{len(problems)} of {len(files)} images cannot be read:\n{listed(problems)}")
    return images


def batches(files: Sequence[Path], processor: Any) -> Iterator[torch.Tensor]:
    """`pixel_values` of `BATCH` images at a time, (batch, 3, height, width)."""
    for start in range(0, len(files), BATCH):
        yield pixels(open_images(files[start : start + BATCH]), processor)


def pixels(images: Sequence[Image.Image], processor: Any) -> torch.Tensor:
    """What the processor makes of images, (batch, 3, height, width)."""
    return processor(images=list(images), return_tensors="pt")["pixel_values"]


def probe_images(seed: int = 0) -> list[Image.Image]:
    """Drawn inputs that reach the tower's whole range: noise, fine and coarse, over slopes of different colour."""
    rng = np.random.default_rng(seed)
    width, height = PROBE_SIZE
    slope = np.linspace(0, 255, width)[None, :, None] * rng.uniform(size=(PROBES, 1, 1, 3))
    blocks = rng.uniform(0, 255, (PROBES, height // 20, width // 20, 3)).repeat(20, 1).repeat(20, 2)
    fine = rng.uniform(0, 255, (PROBES, height, width, 3))
    mixed = (slope + blocks + fine) / 3
    return [Image.fromarray(array.astype(np.uint8)) for array in mixed]
