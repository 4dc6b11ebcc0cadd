"""From uploaded bytes to an upright RGB picture, and from a picture to a small JPEG inside the page."""

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from errors import Refused
from faces import Box
from reading import open_image, read_image

QUALITY = 85
FRAME = "#f97316"
FIRST, WHITE = "Only the first of its frames was scored.", "Transparent parts were made white."
ADVICE = "Send a whole JPEG, PNG, WebP, GIF, BMP or TIFF file: export the picture anew, or take another."


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded upload.

    Attributes:
        image: Upright, RGB.
        notes: What was done to it that a visitor should know.
    """

    image: Image.Image
    notes: tuple[str, ...]


def decode(data: bytes, megapixels: float) -> Picture:
    """Read a picture by the model's rule.

    Args:
        data: The file.
        megapixels: The size, in millions of pixels, above which nothing is decoded.

    Raises:
        Refused: no such picture, damaged, or too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked right below
            opened = open_image(data)
    except Image.DecompressionBombError as error:
        raise _too_large("far more", megapixels) from error
    except Exception as error:
        raise Refused(f"This is not a picture that can be read here. {ADVICE}") from error
    with opened:
        pixels = opened.width * opened.height / 1e6
        if pixels > megapixels:
            raise _too_large(f"{opened.width:,} × {opened.height:,} = {pixels:,.0f} million", megapixels)
        try:
            read = read_image(opened)
        except Exception as error:  # fed with damaged bytes, a decoder may raise anything
            raise Refused(f"The picture is damaged and does not decode. {ADVICE}") from error
    notes = {FIRST: read.further, WHITE: read.whitened}
    return Picture(read.image, tuple(note for note, holds in notes.items() if holds))


def _too_large(pixels: str, megapixels: float) -> Refused:
    return Refused(f"The picture has {pixels} pixels; up to {megapixels:g} million are taken. Send a smaller copy.")


def marked(image: Image.Image, boxes: Sequence[Box], side: int) -> Image.Image:
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


def data_uri(image: Image.Image, side: int) -> str:
    """The picture as a JPEG of at most `side` pixels that is in the page itself and in no file."""
    small = image.copy()
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
