"""Frames of a video as its players show them."""

from typing import Any

import numpy as np
from PIL import Image

# What a display matrix ((a, b), (c, d)) does with the axes, x right and y down: x' = ax + cy, y' = bx + dy.
_Way = Image.Transpose
UPRIGHT: dict[tuple[int, ...], Image.Transpose] = {
    (-1, 0, 0, 1): _Way.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): _Way.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): _Way.ROTATE_180,
    (0, 1, -1, 0): _Way.ROTATE_270,
    (0, -1, 1, 0): _Way.ROTATE_90,
    (0, 1, 1, 0): _Way.TRANSPOSE,
    (0, -1, -1, 0): _Way.TRANSVERSE,
}


def upright(frame: Any) -> Image.Image:
    """A decoded frame in RGB, turned and mirrored as its display matrix asks (ISO/IEC 14496-12, 8.3.2).

    Phones film sideways and say so; the front camera of some also mirrors.

    Args:
        frame: `av.VideoFrame`.
    """
    image: Image.Image = frame.to_image()
    matrix = next((bytes(one) for one in frame.side_data if one.type.name == "DISPLAYMATRIX"), None)
    if matrix is None:
        return image
    axes = np.frombuffer(matrix, "=i4")[[0, 1, 3, 4]] / 0x10000
    turn = UPRIGHT.get(tuple(int(one) for one in np.rint(axes / max(np.abs(axes).max(), 1e-9))))
    return image if turn is None else image.transpose(turn)
