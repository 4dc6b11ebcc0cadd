"""The one rule from an encoded picture to what the model sees: upright, 8 bits a channel, on white, RGB.

The pipeline reads by it, and so does whatever else feeds the model: equal files give equal pixels everywhere.
"""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # names of Pillow's plugins
ORIENTATION = 0x0112  # EXIF tag
SAMPLE_FORMAT, UNSIGNED = 339, 1  # TIFF tag, and what its absence means
_Way = Image.Transpose
UPRIGHT = {
    2: _Way.FLIP_LEFT_RIGHT,
    3: _Way.ROTATE_180,
    4: _Way.FLIP_TOP_BOTTOM,
    5: _Way.TRANSPOSE,
    6: _Way.ROTATE_270,
    7: _Way.TRANSVERSE,
    8: _Way.ROTATE_90,
}
# Values of white where the mode does not say it: the smallest that no pixel exceeds.
WHOLE, REAL = (0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF), (1.0, 255.0, 65535.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """A picture that was read.

    Attributes:
        image: Upright, RGB, without metadata.
        whitened: Whether any of it was transparent, and is white now.
        further: Whether the file holds further frames or pages, which were left out.
    """

    image: Image.Image
    whitened: bool
    further: bool


def open_image(data: bytes) -> Image.Image:
    """Open an encoded picture of one of `FORMATS`; no pixel is decoded yet.

    Raises:
        OSError: another format, or broken.
    """
    return Image.open(BytesIO(data), formats=FORMATS)


def read_image(image: Image.Image) -> Reading:
    """Decode an opened picture, or convert one that is decoded; the argument keeps its pixels.

    The first frame of an animation counts, or the one that the caller went to. EXIF turns the picture upright. More
    than 8 bits of grey are scaled linearly: 16-bit modes from 65,535; 32-bit ones from the smallest of `WHOLE`, floats
    from the smallest of `REAL`, that no pixel exceeds. Transparent parts, also of palettes and by key, become white.

    Args:
        image: Of any mode that Pillow can convert to RGB.

    Raises:
        OSError: truncated or damaged.
        ValueError: a mode without a way to RGB.
    """
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    flat, whitened = _on_white(_eight_bits(image))
    read = flat.convert("RGB") if turn is None else flat.convert("RGB").transpose(turn)
    read.info = {}  # what it says about turning and transparency is done
    # A phone's JPEG may carry a depth map or a second exposure: no animation.
    further = image.format not in ("JPEG", "MPO") and bool(getattr(image, "is_animated", False))
    return Reading(read, whitened, further)


def to_rgb(image: Image.Image) -> Image.Image:
    """`read_image(image).image`."""
    return read_image(image).image


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a broken EXIF block turns nothing; viewers show such a picture as it is stored
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or of floats, as 8 bits, with its transparent value as alpha; other modes as they are."""
    if image.mode == "F":
        return Image.fromarray(_scaled(np.nan_to_num(np.asarray(image), nan=0.0)))
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    grey = Image.fromarray(_top_bits(values, image))
    if (key := image.info.get("transparency")) is not None:
        grey.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    return grey


def _top_bits(values: np.ndarray, image: Image.Image) -> np.ndarray:
    """The upper 8 bits of whole numbers, as Pillow itself takes them of 16-bit colour."""
    deep = image.mode != "I" or image.format == "PNG"  # no PNG has more than 16 bits
    kind = np.ravel(getattr(image, "tag_v2", {}).get(SAMPLE_FORMAT, UNSIGNED))
    if image.mode == "I" and image.format == "TIFF" and UNSIGNED in kind:
        values = values.view(np.uint32)  # Pillow has signed ones only
    values = np.clip(values.astype(np.int64), 0, None)
    white = 0xFFFF if deep else next(white for white in WHOLE if values.max() <= white)
    return (values * 256 // (white + 1)).astype(np.uint8)


def _scaled(values: np.ndarray) -> np.ndarray:
    top = float(values.max())
    white = next((white for white in REAL if top <= white), top)
    return np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8)


def _on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """Without alpha, and whether any pixel was transparent."""
    if image.mode == "La":
        image = image.convert("LA")
    if not image.has_transparency_data:
        return image, False
    layered = image.convert("RGBA")
    if layered.getchannel("A").getextrema()[0] == 255:
        return layered, False
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered), True
