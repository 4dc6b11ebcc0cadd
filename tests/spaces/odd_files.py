"""Pictures as people send them, and files that are none."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from tests.spaces.tiny_model import EXAMPLES

ORIENTATION, CLOCKWISE = 274, 6  # the EXIF tag, and "turn a quarter clockwise to see it"
ANIMATED = "Only the first of its frames was scored."
CLEAR = "Transparent parts were made white."
TEN = 10
CLOSE, EXACT = 0.05, 2e-6


def face(name: str = "surprise") -> Image.Image:
    return Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = CLOCKWISE
    return encoded(face().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)


def see_through() -> Image.Image:
    """The face with its left edge cut away."""
    image = face().convert("RGBA")
    image.paste((200, 0, 0, 0), (0, 0, 20, image.height))
    return image


def on_white() -> Image.Image:
    image = face()
    image.paste((255, 255, 255), (0, 0, 20, image.height))
    return image


def grey() -> Image.Image:
    return face().convert("L")


def sixteen_bits() -> bytes:
    return encoded(Image.fromarray(np.asarray(grey()).astype(np.uint16) * 257), "PNG")


def crowd(count: int) -> Image.Image:
    side = 200
    names = ("elation", "anger", "surprise", "sadness")
    picture = Image.new("RGB", (side * 4, side * -(-count // 4)), "white")
    for i in range(count):
        picture.paste(face(names[i % 4]).resize((side, side)), (side * (i % 4), side * (i // 4)))
    return picture


def decoded(data: bytes) -> Image.Image:
    """The bare pixels: `pipeline` would turn a picture by the EXIF data that it still carries."""
    return Image.fromarray(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@dataclass(frozen=True)
class Meaning:
    """What an unusual picture shows to a person, how many faces, what is said, how near the scores must be."""

    image: Callable[[], Image.Image]
    faces: int = 1
    notes: list[str] = field(default_factory=list)
    within: float = EXACT


GOOD: dict[str, Callable[[], bytes]] = {
    "rotated.jpg": rotated,
    "cmyk.jpg": lambda: encoded(face().convert("CMYK"), "JPEG", quality=95),
    "sixteen.png": sixteen_bits,
    "alpha.png": lambda: encoded(see_through(), "PNG"),
    "animated.gif": lambda: encoded(face(), "GIF", save_all=True, append_images=[face("anger"), face("sadness")]),
    "animated.webp": lambda: encoded(face(), "WEBP", save_all=True, append_images=[face("anger")], lossless=True),
    "palette.png": lambda: encoded(face().quantize(256), "PNG"),
    "ten.png": lambda: encoded(crowd(TEN), "PNG"),
    "twelve.png": lambda: encoded(crowd(12), "PNG"),
    "grey.png": lambda: encoded(Image.new("RGB", (50, 50), "grey"), "PNG"),
    "one-pixel.png": lambda: encoded(Image.new("RGB", (1, 1)), "PNG"),
    "wrong-name.txt": lambda: encoded(face(), "PNG"),
}
MEANING: dict[str, Meaning] = {
    "rotated.jpg": Meaning(lambda: decoded(rotated()).transpose(Image.Transpose.ROTATE_270)),
    "cmyk.jpg": Meaning(lambda: decoded(GOOD["cmyk.jpg"]())),
    "sixteen.png": Meaning(lambda: grey().convert("RGB")),
    "alpha.png": Meaning(on_white, notes=[CLEAR]),
    "animated.gif": Meaning(lambda: decoded(GOOD["animated.gif"]()), notes=[ANIMATED]),
    "animated.webp": Meaning(face, notes=[ANIMATED]),
    "palette.png": Meaning(lambda: decoded(GOOD["palette.png"]())),
    "ten.png": Meaning(lambda: crowd(TEN), faces=TEN),
    "twelve.png": Meaning(lambda: crowd(12), faces=12, notes=["12 faces were found; the 10 largest are scored."]),
    "grey.png": Meaning(lambda: Image.new("RGB", (50, 50), "grey"), faces=0),
    "one-pixel.png": Meaning(lambda: Image.new("RGB", (1, 1)), faces=0),
    "wrong-name.txt": Meaning(face),
}


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it has `width` × `height` pixels, and whose data would fill them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * 5_000_000, 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zipped() -> bytes:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("face.png", b"\0" * 20_000_000)
    return buffer.getvalue()


# File → how to make it, and what is said.
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "corrupt.jpg": (lambda: encoded(face(), "JPEG")[:2000], "damaged and does not decode"),
    "noise.jpg": (lambda: bytes(range(256)) * 40, "not a picture that can be read here"),
    "empty.png": (lambda: b"", "not a picture that can be read here"),
    "text.png": (lambda: b"hello", "not a picture that can be read here"),
    "drawing.svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture that can be read here"),
    "archive.jpg": (zipped, "not a picture that can be read here"),
    "bomb.png": (lambda: bomb(9_000, 9_000), "9,000 × 9,000 = 81 million pixels; up to 40 million"),
    "huge-bomb.png": (lambda: bomb(100_000, 100_000), "far more pixels; up to 40 million"),
    "large.jpg": (lambda: encoded(face(), "JPEG") + b"\0" * 11_000_000, r"10\.5 MB; up to 10 MB are taken"),
    "too-large.jpg": (lambda: encoded(face(), "JPEG") + b"\0" * 53_000_000, "exceeds the maximum file size"),
}
