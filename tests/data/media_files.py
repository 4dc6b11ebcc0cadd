"""Images and videos that PIL and PyAV write, and tools to damage them."""

import io
import struct
import tempfile
import zlib
from pathlib import Path

import av
import numpy as np
from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"


def picture(width=24, height=17, mode="RGB"):
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(noise if mode == "RGBA" else noise[..., :3]).convert(mode)


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif_with_thumbnail():
    """An EXIF block whose IFD1 holds a whole JPEG, end marker included."""
    thumbnail = encoded(picture(8, 8), "JPEG")
    entries = struct.pack("<HHIIHHII", 0x0201, 4, 1, 44, 0x0202, 4, 1, len(thumbnail))
    return (
        b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HI", 0, 14) + struct.pack("<H", 2) + entries + bytes(4) + thumbnail
    )


def animated(kind):
    return encoded(picture(), kind, save_all=True, append_images=[picture().rotate(180)], duration=50)


IMAGES = {
    "jpeg": encoded(picture(), "JPEG"),
    "jpeg of one pixel": encoded(picture(1, 1), "JPEG"),
    "jpeg large": encoded(picture(300, 200), "JPEG", quality=95),
    "jpeg progressive": encoded(picture(90, 60), "JPEG", progressive=True),
    "jpeg cmyk": encoded(picture(mode="CMYK"), "JPEG"),
    "jpeg gray": encoded(picture(mode="L"), "JPEG"),
    "jpeg restarts": encoded(picture(90, 60), "JPEG", restart_marker_blocks=1),
    "jpeg exif thumbnail": encoded(picture(), "JPEG", exif=exif_with_thumbnail()),
    "jpeg comment": encoded(picture(), "JPEG", comment=b"\xff\xd9 \xff\xda not markers"),
    "jpeg several pictures": encoded(picture(), "MPO", save_all=True, append_images=[picture(9, 9)]),
    "png": encoded(picture(), "PNG"),
    "png of one pixel": encoded(picture(1, 1), "PNG"),
    "png large": encoded(picture(300, 200), "PNG"),
    "png alpha": encoded(picture(mode="RGBA"), "PNG"),
    "png palette": encoded(picture(mode="P"), "PNG", transparency=3),
    "png gray": encoded(picture(mode="L"), "PNG"),
    "png bilevel": encoded(picture(mode="1"), "PNG"),
    "png exif": encoded(picture(), "PNG", exif=exif_with_thumbnail()),
    "png animated": animated("PNG"),
    "webp": encoded(picture(), "WEBP"),
    "webp of one pixel": encoded(picture(1, 1), "WEBP"),
    "webp large": encoded(picture(300, 200), "WEBP"),
    "webp lossless": encoded(picture(), "WEBP", lossless=True),
    "webp alpha": encoded(picture(mode="RGBA"), "WEBP"),
    "webp exif": encoded(picture(), "WEBP", exif=exif_with_thumbnail()),
    "webp animated": animated("WEBP"),
}
SUFFIXES = {"jpeg": "jpg", "png": "png", "webp": "webp"}


def movie(codec="mpeg4", frames=6, **options):
    with tempfile.TemporaryDirectory() as folder:  # faststart reads the file again, by its name
        path = Path(folder, "a.mp4")
        with av.open(str(path), "w", options=options) as container:
            stream = container.add_stream(codec, rate=12)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for seed in range(frames):
                noise = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
            container.mux(stream.encode())
        return path.read_bytes()


def sound():
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


VIDEOS = {
    "mpeg4": movie(),
    "h264": movie("libx264"),
    "moov first": movie(movflags="faststart"),
    "fragmented": movie(movflags="frag_keyframe+empty_moov"),
}


def boxes(data):
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at : at + size]
        at += size


def rebuilt(data, change):
    """The file with each top-level box replaced by `change(kind, box)`."""
    return b"".join(change(kind, box) for kind, box in boxes(data))


def png(width, height, rows=b"", chunks=()):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return PNG_START + b"".join(chunk(*part) for part in parts)


JPEG, WEBP = IMAGES["jpeg"], IMAGES["webp"]
SOF_AT, SOS_AT = JPEG.index(b"\xff\xc0"), JPEG.index(b"\xff\xda")  # its frame header, its scan
