"""From an upload to results: decode, find faces, cut them out, score."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from PIL import Image

from decoding import Decoder
from errors import Refused
from faces import Box, FaceFinder, cut
from film import Film
from pictures import data_uri, marked
from scoring import Scorer, ranked
from settings import Settings

OVERVIEW, CROP, FRAME = 640, 240, 320  # px of the copies that are shown
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Face:
    """A scored face: its frame and the scored square, in pixels of the picture; a small copy; (40,) scores."""

    box: Box
    square: Box
    copy: str
    scores: np.ndarray


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What is known of a picture.

    Attributes:
        size: Width and height of the upright picture.
        copy: A small copy with numbered frames, as a data URI.
        faces: The scored faces, from left to right, or the whole picture as the only one.
        found: How many faces there were.
        whole: Whether the whole picture was scored.
        notes: What a visitor should know.
        unscored: The file itself where no face was found, in case that its whole is to be scored.
    """

    size: tuple[int, int]
    copy: str
    faces: tuple[Face, ...]
    found: int
    whole: bool
    notes: tuple[str, ...]
    unscored: bytes = b""


@dataclass(frozen=True, slots=True)
class VideoResult:
    """What is known of a video.

    Attributes:
        seconds: (frames,) time of every scored frame.
        scores: (frames, 40), NaN where the frame has no face.
        copies: A small copy of every frame with its face framed, as data URIs.
        notes: What a visitor should know.
        film: The frames as an MP4, with framed faces and their strongest emotions.
    """

    seconds: tuple[float, ...]
    scores: np.ndarray
    copies: tuple[str, ...]
    notes: tuple[str, ...]
    film: bytes = b""


class Studio:
    """The model, the detector and the limits."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.scorer = Scorer(settings.model)
        self.find = FaceFinder()
        self.decoder = Decoder(settings)

    def picture(self, data: bytes, whole: bool = False) -> PictureResult:
        """Score every face of a picture, the largest ones if there are many, or the whole picture.

        Raises:
            Refused: no such picture, damaged, or too large.
        """
        decoded = self.decoder.picture(data)
        image = decoded.image
        boxes = [] if whole else self.find(image)
        scored = sorted(boxes[: self.settings.faces])
        faces = (self._whole(image),) if whole else tuple(self._face(image, box) for box in scored)
        notes = [*decoded.notes, *self._left_out(len(boxes))]
        copy = data_uri(marked(image, scored, OVERVIEW), OVERVIEW)
        return PictureResult(image.size, copy, faces, len(boxes), whole, tuple(notes), b"" if faces else data)

    def video(self, data: bytes, per_second: float, progress: Progress = lambda done, of: None) -> VideoResult:
        """Score the largest face of sampled frames.

        Args:
            data: The file.
            per_second: Frames a second; fewer where the video is long.
            progress: Called with the number of scored frames and how many there will be.

        Raises:
            Refused: no such video, damaged, too long, or without a face.
        """
        chosen, frames = self.decoder.video(data, per_second)
        seconds: list[float] = []
        scores: list[np.ndarray] = []
        copies: list[str] = []
        film = Film(chosen.step)
        with closing(frames):
            for frame in frames:
                progress(len(seconds), max(chosen.count, len(seconds) + 1))
                boxes = self.find(frame.image)[:1]
                seconds.append(frame.seconds)
                scores.append(self.scorer(cut(frame.image, boxes[0])[0]) if boxes else np.full(self.width, np.nan))
                copies.append(data_uri(marked(frame.image, boxes, FRAME), FRAME))
                film.add(frame.image, boxes, self._strongest(scores[-1]) if boxes else ())
        table = np.array(scores)
        seen = int((~np.isnan(table[:, 0])).sum())
        if not seen:
            raise Refused(f"No face was found in any of the {len(seconds)} frames. Send a video that shows a face.")
        notes = [f"{len(seconds)} frames, one every {chosen.step:.2g} s; in each the largest face is scored."]
        notes += [f"{len(seconds) - seen} of them show no face: there the lines have gaps."] * (seen < len(seconds))
        return VideoResult(tuple(seconds), table, tuple(copies), tuple(notes), film.finish())

    @property
    def width(self) -> int:
        """How many scores a face has."""
        return len(self.scorer.labels)

    def largest(self, data: bytes) -> Face | None:
        """The largest face of a picture, scored; None where there is none.

        Raises:
            Refused: no such picture, damaged, or too large.
        """
        image = self.decoder.picture(data).image
        boxes = self.find(image)
        return self._face(image, boxes[0]) if boxes else None

    def _strongest(self, scores: np.ndarray) -> list[tuple[str, float]]:
        return [(self.scorer.labels[index], float(scores[index])) for index in ranked(scores)]

    def _face(self, image: Image.Image, box: Box) -> Face:
        crop, square = cut(image, box)
        return Face(box, square, data_uri(crop, CROP), self.scorer(crop))

    def _whole(self, image: Image.Image) -> Face:
        everything = (0, 0, image.width, image.height)
        return Face(everything, everything, data_uri(image, CROP), self.scorer(image))

    def _left_out(self, found: int) -> list[str]:
        most = self.settings.faces
        return [f"{found} faces were found; the {most} largest are scored."] if found > most else []
