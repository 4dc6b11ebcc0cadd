"""Pictures as cameras, phones and programs write them, and the RGB pixels that each of them shows."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 48, 36
ORIENTATION = 0x0112


def picture(mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Coarse coloured blocks, different in every corner."""
    blocks = np.random.default_rng(seed).integers(0, 256, (HEIGHT // 6, WIDTH // 6, 3), dtype=np.uint8)
    return Image.fromarray(blocks.repeat(6, 0).repeat(6, 1)).convert(mode)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def of_array(values: np.ndarray, kind: str) -> bytes:
    return encoded(Image.fromarray(values), kind)


def grey() -> np.ndarray:
    return np.asarray(picture("L"))


def as_rgb(values: np.ndarray) -> np.ndarray:
    return np.stack([values] * 3, axis=-1)


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def with_alpha() -> Image.Image:
    """Left third clear over a colour that must not be seen, middle third half clear."""
    image = picture("RGBA")
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, : WIDTH // 3], alpha[:, WIDTH // 3 : 2 * WIDTH // 3] = 0, 128
    image.putalpha(Image.fromarray(alpha))
    return image


def over_white(image: Image.Image) -> np.ndarray:
    """Alpha blending by its definition, in floating point."""
    rgba = np.asarray(image.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    return np.rint(rgba[..., :3] * alpha + 255 * (1 - alpha))


def turned(orientation: int, kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(picture(), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))


# What EXIF 2.3 (CIPA DC-008, tag 274) says of row 0 and column 0, as array operations on the stored picture.
SHOWN: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[:, ::-1].swapaxes(0, 1),
}


def png(depth: int, colour: int, rows: bytes, *chunks: tuple[bytes, bytes], width: int = 2) -> bytes:
    """A PNG of one row."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0)), *chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part) for part in (*parts, (b"IDAT", zlib.compress(b"\0" + rows)), (b"IEND", b""))
    )


def palette_with_clear_colour() -> tuple[bytes, np.ndarray]:
    image = picture().quantize(16)
    data = encoded(image, "PNG", transparency=3)
    shown = np.asarray(image.convert("RGB")).copy()
    shown[np.asarray(image) == 3] = 255
    return data, shown


def broken_exif() -> bytes:
    return encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 9)


JPEG = encoded(picture(), "JPEG", quality=95)
MPO = encoded(picture(), "MPO", quality=95, save_all=True, append_images=[picture(seed=1)])
MP4 = struct.pack(">I4s", 16, b"ftyp") + b"mp42\0\0\0\0" + struct.pack(">I4s", 1008, b"mdat") + bytes(range(250)) * 4
PALETTE, PALETTE_SHOWN = palette_with_clear_colour()
CLEAR = with_alpha()
HALF = grey().astype(np.float64) / 255
LONG = Image.fromarray(
    np.arange(100_000, dtype=np.uint32).reshape(10, 10_000).view(np.uint8)[:, :30_000].reshape(10, -1, 3)
)

# File → its bytes and the pixels that it shows. What holds transparency may differ by 1, which rounding costs.
PICTURES: dict[str, tuple[bytes, np.ndarray]] = {
    **{f"exif{n}.jpg": (turned(n), SHOWN[n](decoded(turned(n)))) for n in SHOWN},
    "exif6.png": (turned(6, "PNG"), SHOWN[6](np.asarray(picture()))),
    "exif8.webp": (turned(8, "WEBP"), SHOWN[8](decoded(turned(8, "WEBP")))),
    "exif-broken.jpg": (broken_exif(), decoded(broken_exif())),
    "plain.png": (encoded(picture(), "PNG"), np.asarray(picture())),
    "grey8.png": (of_array(grey(), "PNG"), as_rgb(grey())),
    "grey16.png": (of_array(grey().astype(np.uint16) * 257, "PNG"), as_rgb(grey())),
    "grey16-dark.png": (of_array(grey().astype(np.uint16), "PNG"), as_rgb(0 * grey())),
    "grey16.tif": (of_array(grey().astype(np.uint16) * 257, "TIFF"), as_rgb(grey())),
    "grey32-signed.tif": (of_array((grey().astype(np.int32) << 23) + 5, "TIFF"), as_rgb(grey())),
    "grey32-of-8.tif": (of_array(grey().astype(np.int32), "TIFF"), as_rgb(grey())),
    "grey32-of-16.tif": (of_array(grey().astype(np.int32) * 257, "TIFF"), as_rgb(grey())),
    "float1.tif": (of_array(HALF.astype(np.float32), "TIFF"), as_rgb(grey())),
    "float255.tif": (of_array(grey().astype(np.float32), "TIFF"), as_rgb(grey())),
    "float65535.tif": (of_array(grey().astype(np.float32) * 257, "TIFF"), as_rgb(grey())),
    "alpha.png": (encoded(CLEAR, "PNG"), over_white(CLEAR)),
    "alpha.webp": (encoded(CLEAR, "WEBP", lossless=True, exact=True), over_white(CLEAR)),
    "alpha-grey.png": (encoded(CLEAR.convert("LA"), "PNG"), over_white(CLEAR.convert("LA"))),
    "alpha.tif": (encoded(CLEAR, "TIFF"), over_white(CLEAR)),
    "key16.png": (
        png(16, 0, struct.pack(">2H", 257, 40_000), (b"tRNS", struct.pack(">H", 40_000))),
        np.array([[[1] * 3, [255] * 3]]),
    ),
    "palette.png": (encoded(picture().quantize(16), "PNG"), np.asarray(picture().quantize(16).convert("RGB"))),
    "palette-clear.png": (PALETTE, PALETTE_SHOWN),
    "palette.gif": (encoded(picture().quantize(16), "GIF"), np.asarray(picture().quantize(16).convert("RGB"))),
    "one-bit.png": (encoded(picture("1"), "PNG"), np.asarray(picture("1").convert("RGB"))),
    "cmyk.jpg": (encoded(picture("CMYK"), "JPEG", quality=95), decoded(encoded(picture("CMYK"), "JPEG", quality=95))),
    "mpo.jpg": (MPO, decoded(MPO)),
    "mpo-second-gone.jpg": (MPO[: MPO.index(b"\xff\xd8", 2)], decoded(MPO)),
    "motion.jpg": (JPEG + MP4, decoded(JPEG)),
    "line-break.jpg": (JPEG + b"\n", decoded(JPEG)),
    "line-break.png": (encoded(picture(), "PNG") + b"\r\n", np.asarray(picture())),
    "animated.gif": (
        encoded(picture().quantize(16), "GIF", save_all=True, append_images=[picture(seed=1)]),
        np.asarray(picture().quantize(16).convert("RGB")),
    ),
    "animated.png": (encoded(picture(), "PNG", save_all=True, append_images=[picture(seed=1)]), np.asarray(picture())),
    "animated.webp": (
        encoded(picture(), "WEBP", save_all=True, append_images=[picture(seed=1)], lossless=True),
        np.asarray(picture()),
    ),
    "pages.tif": (encoded(picture(), "TIFF", save_all=True, append_images=[picture(seed=1)]), np.asarray(picture())),
    "plain.bmp": (encoded(picture(), "BMP"), np.asarray(picture())),
    "long.png": (encoded(LONG, "PNG"), np.asarray(LONG)),
    "one-pixel.png": (encoded(Image.new("RGB", (1, 1), "red"), "PNG"), np.array([[[255, 0, 0]]])),
}
CUT: dict[str, bytes] = {
    "cut.jpg": JPEG[: len(JPEG) // 2],
    "cut.png": encoded(picture(), "PNG")[:-40],
    "cut.webp": encoded(picture(), "WEBP")[:-40],
    "cut.bmp": encoded(picture(), "BMP")[:-400],
    "cut.tif": encoded(picture(), "TIFF")[:600],
    "cut.gif": encoded(picture(), "GIF")[:-400],
}
