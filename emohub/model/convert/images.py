"""Images for the model: files from a folder, and what its processor makes of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from emohub.data.images import SUFFIXES, decode, read_bytes
from emohub.errors import BuildError, MediaError, listed

BATCH = 8


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
