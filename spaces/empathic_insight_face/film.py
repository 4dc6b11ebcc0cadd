"""A video to take away: the scored frames with the face framed and its strongest emotions written below."""

import io
from collections.abc import Sequence
from fractions import Fraction

import av
from PIL import Image, ImageDraw

from faces import Box
from pictures import FRAME, marked

SIDE, LINE, ROWS = 480, 26, 3  # px of the longer side, px of a row of text, rows
DARK, LIGHT = "#111827", "#f9fafb"


class Film:
    """Collects annotated frames and encodes them as they come (H.264 in MP4).

    Args:
        step: Seconds from one frame to the next.
    """

    def __init__(self, step: float):
        self.out = io.BytesIO()
        self.container = av.open(self.out, "w", format="mp4")
        self.stream = self.container.add_stream("libx264", rate=Fraction(1 / step).limit_denominator(1000))
        self.stream.pix_fmt = "yuv420p"
        self.size: tuple[int, int] | None = None

    def add(self, image: Image.Image, boxes: Sequence[Box], scores: Sequence[tuple[str, float]]) -> None:
        """One frame with at most `ROWS` emotions and their scores, strongest first."""
        picture = annotated(image, boxes, scores)
        if self.size is None:
            self.size = picture.size
            self.stream.width, self.stream.height = picture.size
        same = picture if picture.size == self.size else picture.resize(self.size)
        self.container.mux(self.stream.encode(av.VideoFrame.from_image(same)))

    def finish(self) -> bytes:
        """The whole file."""
        self.container.mux(self.stream.encode())
        self.container.close()
        return self.out.getvalue()


def annotated(image: Image.Image, boxes: Sequence[Box], scores: Sequence[tuple[str, float]]) -> Image.Image:
    """A copy with even sides, the framed face, and rows of text below it."""
    small = marked(image, boxes, SIDE)
    width, height = max(320, small.width + small.width % 2), small.height + LINE * ROWS + 10
    canvas = Image.new("RGB", (width, height + height % 2), DARK)
    canvas.paste(small, ((width - small.width) // 2, 0))
    draw = ImageDraw.Draw(canvas)
    rows = [(name, f"{score:.2f}") for name, score in scores[:ROWS]] or [("No face in this frame", "")]
    for number, (name, text) in enumerate(rows):
        top = small.height + 6 + number * LINE
        draw.text((10, top), _short(draw, name, width - 80), fill=LIGHT, font_size=17)
        draw.text((width - 10, top), text, fill=FRAME, font_size=17, anchor="ra")
    return canvas


def _short(draw: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """A text that is cut to fit."""
    while draw.textlength(text, font_size=17) > width:
        text = text[:-2].rstrip("… ") + "…"
    return text
