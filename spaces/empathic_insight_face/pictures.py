"""From uploaded bytes to an upright RGB picture, and from a picture to a small JPEG inside the page."""

import base64
import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from errors import Refused

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
QUALITY = 85
ADVICE = "Send a whole JPEG, PNG, WebP or GIF file: export the picture anew, or take another."


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
    """Decode a picture: the first of an animation, upright by EXIF, transparent parts white, 16 bits brought to 8.

    Args:
        data: The file.
        megapixels: The size, in millions of pixels, above which nothing is decoded.

    Raises:
        Refused: no such picture, damaged, or too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked right below
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large("far more", megapixels) from error
    except Exception as error:
        raise Refused(f"This is not a picture that can be read here. {ADVICE}") from error
    with opened:
        pixels = opened.width * opened.height / 1e6
        if pixels > megapixels:
            raise _too_large(f"{opened.width:,} × {opened.height:,} = {pixels:,.0f} million", megapixels)
        animated = getattr(opened, "n_frames", 1) > 1
        try:
            upright = ImageOps.exif_transpose(opened)
            image, clear = _rgb(upright)
        except Exception as error:  # fed with damaged bytes, a decoder may raise anything
            raise Refused(f"The picture is damaged and does not decode. {ADVICE}") from error
    notes = {"Animated: only its first picture was scored.": animated, "Transparent parts were made white.": clear}
    return Picture(image, tuple(note for note, holds in notes.items() if holds))


def _too_large(pixels: str, megapixels: float) -> Refused:
    return Refused(f"The picture has {pixels} pixels; up to {megapixels:g} million are taken. Send a smaller copy.")


def _rgb(image: Image.Image) -> tuple[Image.Image, bool]:
    """In RGB, and whether anything was transparent."""
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB"), False
    if not image.has_transparency_data:
        return image.convert("RGB"), False
    layered = image.convert("RGBA")
    if layered.getchannel("A").getextrema()[0] == 255:
        return layered.convert("RGB"), False
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB"), True


def data_uri(image: Image.Image, side: int) -> str:
    """The picture as a JPEG of at most `side` pixels that stands in the page itself and in no file."""
    small = image.copy()
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
