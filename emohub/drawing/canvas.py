"""A small canvas for smooth drawings: anti-aliased and blurred shapes in units of 1/256 of its side."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

UNITS = 256
SUPERSAMPLING = 4

Colour = tuple[int, int, int]
Points = NDArray[np.float64]
Outline = Sequence[tuple[float, float]] | Points


def colour(text: str) -> Colour:
    """The three bytes of a colour written as six hex digits."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour that lies at `share` (0 to 1) of the way from `a` to `b`."""
    share = min(1.0, max(0.0, share))
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


def smooth(points: Outline, *, closed: bool = True, steps: int = 8) -> Points:
    """A Catmull-Rom curve through the points, shape (n, 2)."""
    p = np.asarray(points, dtype=float)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.arange(steps)[None, :, None] / steps
    a, b, c, d = (p[i : len(p) - 3 + i][:, None, :] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, p[-2:-1]])


def ellipse(x: float, y: float, rx: float, ry: float, steps: int = 40) -> Points:
    """An ellipse as an outline, shape (steps, 2)."""
    angle = np.linspace(0, 2 * math.pi, steps, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def stroke(points: Outline, widths: Sequence[float], steps: int = 8) -> Points:
    """The outline of a brush stroke along a smooth line; `widths` are spread evenly from its start to its end."""
    line = smooth(points, closed=False, steps=steps)
    along = np.gradient(line, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    half = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    return np.concatenate([line + normal * half, (line - normal * half)[::-1]])


def mirrored(points: Outline) -> Points:
    """The same shape on the other side of the vertical axis."""
    return np.asarray(points, dtype=float) * [-1, 1]


class Canvas:
    """An RGB image that is painted shape by shape.

    Args:
        size: Side of the image in pixels.
        background: Its first colour.
    """

    def __init__(self, size: int, background: Colour) -> None:
        self.image = Image.new("RGB", (size, size), background)
        self.scale = size / UNITS
        self.pose(0, 0)

    def pose(
        self, x: float, y: float, degrees: float = 0, pivot: tuple[float, float] = (0, 0), zoom: float = 1
    ) -> None:
        """Set where the origin of the next shapes lies, and how they are turned and enlarged about `pivot`."""
        turn = math.radians(degrees)
        self._turn = zoom * np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        self._pivot, self._origin = np.array(pivot), np.array([x, y])

    def fill(
        self,
        shape: Outline,
        ink: Colour,
        alpha: float = 1.0,
        *,
        blur: float = 0.0,
        clip: Image.Image | None = None,
    ) -> None:
        """Paint a shape.

        Args:
            shape: Its outline, shape (n, 2), in units of the canvas.
            ink: Its colour.
            alpha: Opacity, 0 to 1; nothing is painted at or below 0.
            blur: Softness of the edge in units.
            clip: Where painting is allowed, from `region`.
        """
        placed = None if alpha <= 0 else self._mask(shape, blur, round(255 * min(1.0, alpha)))
        if placed is None:
            return
        mask, box = placed
        if clip is not None:
            mask = ImageChops.multiply(mask, clip.crop(box))
        self.image.paste(ink, box, mask)

    def region(self, shape: Outline) -> Image.Image:
        """A shape as a mask of the whole canvas, for `clip`."""
        whole = Image.new("L", self.image.size)
        placed = self._mask(shape, 0, 255)
        if placed is not None:
            whole.paste(placed[0], placed[1])
        return whole

    def _mask(self, shape: Outline, blur: float, level: int) -> tuple[Image.Image, tuple[int, int, int, int]] | None:
        points = (np.asarray(shape, dtype=float) - self._pivot) @ self._turn + self._pivot + self._origin
        points, blur = points * self.scale, blur * self.scale
        side, pad = self.image.size[0], 3 * blur + 1
        low = np.clip(np.floor(points.min(axis=0) - pad), 0, side).astype(int)
        high = np.clip(np.ceil(points.max(axis=0) + pad), 0, side).astype(int)
        width, height = (int(n) for n in high - low)
        if width <= 0 or height <= 0:
            return None
        fine = 1 if blur > 1 else SUPERSAMPLING
        mask = Image.new("L", (width * fine, height * fine))
        ImageDraw.Draw(mask).polygon(((points - low) * fine).ravel().tolist(), fill=level)
        mask = mask.reduce(fine) if fine > 1 else mask
        mask = mask.filter(ImageFilter.GaussianBlur(blur)) if blur else mask
        return mask, (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
