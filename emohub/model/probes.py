"""Drawn images on which a conversion is measured and a check measures again; without PyTorch: a check needs none."""

import numpy as np
from PIL import Image

SEED = 0  # of a conversion
PROBES = 4
PROBE_SIZE = (200, 160)  # not square, so that resizing is part of what is compared


def probe_images(seed: int = 0) -> list[Image.Image]:
    """Drawn inputs that reach the tower's whole range: noise, fine and coarse, over slopes of different colour."""
    rng = np.random.default_rng(seed)
    width, height = PROBE_SIZE
    slope = np.linspace(0, 255, width)[None, :, None] * rng.uniform(size=(PROBES, 1, 1, 3))
    blocks = rng.uniform(0, 255, (PROBES, height // 20, width // 20, 3)).repeat(20, 1).repeat(20, 2)
    fine = rng.uniform(0, 255, (PROBES, height, width, 3))
    mixed = (slope + blocks + fine) / 3
    return [Image.fromarray(array.astype(np.uint8)) for array in mixed]
