"""Containers of images and videos, walked without decoding: of which format, how large, whole to the last byte."""

import re
import struct
from collections.abc import Callable, Iterator, Sequence

from emohub.errors import MediaError

MAX_PIXELS = 64_000_000  # below the size at which PIL itself warns
MAX_PARTS = 100_000  # chunks, segments or boxes in one file; bounds the time that a hostile file can take
MAX_SCANS = 100  # of a progressive JPEG, each of which is decoded over the whole picture; encoders write about 10

# First match wins, so the narrow patterns stand before the wide ones.
FORMATS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        ("JPEG", rb"\xff\xd8\xff"),
        ("PNG", rb"\x89PNG\r\n\x1a\n"),
        ("WebP", rb"RIFF....WEBP"),
        ("AVI", rb"RIFF....AVI "),
        ("AVIF", rb"....ftypavi[fs]"),
        ("HEIC", rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)"),
        ("MP4", rb"....ftyp"),
        ("WebM or Matroska", rb"\x1aE\xdf\xa3"),
        ("GIF", rb"GIF8[79]a"),
        ("BMP", rb"BM.{4}\0\0\0\0"),
        ("TIFF", rb"II[*+]\0|MM\0[*+]"),
        ("ICO", rb"\x00\x00\x01\x00[^\x00]\x00"),
        ("JPEG XL", rb"\xff\x0a|\0\0\0\x0cJXL "),
        ("JPEG 2000", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  "),
        ("PDF", rb"%PDF-"),
        ("ZIP", rb"PK\x03\x04"),
        ("gzip", rb"\x1f\x8b"),
        ("a Git LFS pointer", rb"version https://git-lfs"),
        ("HTML", rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body))"),
        ("SVG or XML", rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg))"),
        ("text", rb"[\t\n\r\x20-\x7e]{64}|[\t\n\r\x20-\x7e]+\Z"),
    )
)

# A layout reads the header of the part at a position: its kind, where its payload starts, where it ends.
Layout = Callable[[bytes, int], tuple[bytes, int, int]]


def check_size(data: bytes, limit: int) -> None:
    """Check that there are bytes, and at most `limit`.

    Raises:
        MediaError: they are not.
    """
    if not data:
        raise MediaError("the file is empty")
    if len(data) > limit:
        raise MediaError(f"{len(data):,} bytes are over the limit of {limit:,}")


def check_pixels(width: int, height: int) -> None:
    """Check a picture's size against `MAX_PIXELS`.

    Raises:
        MediaError: too large, or without a pixel.
    """
    if width < 1 or height < 1:
        raise MediaError(f"{width} × {height} px: a picture has at least one pixel")
    if width * height > MAX_PIXELS:
        raise MediaError(f"{width:,} × {height:,} px is over the limit of {MAX_PIXELS:,} px")


def check_format(data: bytes, valid: Sequence[str], kind: str) -> str:
    """Recognise a file by its content.

    Args:
        data: The file.
        valid: Names in `FORMATS` that may be.
        kind: "an image" or "a video", for the message.

    Returns:
        The name of its format.

    Raises:
        MediaError: it is of another format.
    """
    name = format_of(data)
    if name is None or name not in valid:
        found = f"the content is {name}" if name else f"unknown format (starts with {data[:12]!r})"
        raise MediaError(f"{found}; {kind} must be {', '.join(valid)}")
    return name


SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "GIF": ".gif", "MP4": ".mp4"}


def format_of(data: bytes) -> str | None:
    """The name in `FORMATS` of what the bytes begin like."""
    return next((name for name, pattern in FORMATS if pattern.match(data)), None)


def suffix_of(data: bytes, item: str) -> str:
    """The ending of a file with these bytes, a dot first.

    Args:
        data: An image or video that browsers show.
        item: Whose it is, for the error.

    Raises:
        MediaError: there are none, or they are of another format.
    """
    form = format_of(data)
    if form not in SUFFIXES:
        found = form or ("of an unknown format" if data else "empty")
        raise MediaError(f"{item} is {found}; must be one of {', '.join(SUFFIXES)}.")
    return SUFFIXES[form]


def check_image_structure(data: bytes, name: str) -> None:
    """Walk the container of a JPEG, PNG or WebP; of other formats nothing is known before they are decoded.

    What follows the end of the picture is ignored, as every decoder does: phones append videos, depth maps, line
    breaks.

    Raises:
        MediaError: broken, cut short, or too large.
    """
    if name in _STRUCTURES:
        _STRUCTURES[name](data)


def boxes(data: bytes) -> set[bytes]:
    """Kinds of the top-level boxes of an MP4 (ISO/IEC 14496-12, 4.2).

    Raises:
        MediaError: a box is cut, or runs over the end.
    """
    return {kind for kind, _, _ in _walk(data, 0, len(data), _mp4_box)}


def _check_end(data: bytes, end: int, name: str) -> None:
    if len(data) < end:
        raise MediaError(f"truncated {name}: {end:,} bytes declared, {len(data):,} there")


def _walk(data: bytes, at: int, end: int, layout: Layout, align: int = 1) -> Iterator[tuple[bytes, int, int]]:
    """Yield the parts that follow one another from `at` up to `end`; a part that breaks the chain is an error."""
    for _ in range(MAX_PARTS):
        if at >= end:
            return
        try:
            kind, body, after = layout(data, at)
        except struct.error:
            raise MediaError(f"truncated: {end - at} bytes at byte {at:,} are too few for a header") from None
        if after < body:
            raise MediaError(f"broken: part {kind!r} at byte {at:,} is shorter than its own header")
        if after > end:
            raise MediaError(f"truncated: part {kind!r} at byte {at:,} runs {after - end:,} bytes over the end")
        yield kind, body, after
        at = after + (after - at) % align
    raise MediaError(f"more than {MAX_PARTS:,} parts in one file")


# ---- JPEG: ITU-T T.81, annex B

_JPEG_FRAMES = {bytes((0xFF, n)) for n in range(0xC0, 0xD0) if n not in (0xC4, 0xC8, 0xCC)}  # SOF0 to SOF15
_JPEG_BARE = {bytes((0xFF, n)) for n in (0x01, *range(0xD0, 0xD8))}  # TEM, RST0 to RST7: no length, no payload
_JPEG_FILL, _JPEG_SOS, _JPEG_EOI = b"\xff\xff", b"\xff\xda", b"\xff\xd9"
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # in entropy-coded data: neither stuffing, fill nor restart
_JPEG_NO_SEGMENT = {b"\xff\x00", b"\xff\xd8", _JPEG_EOI}


def _jpeg_segment(data: bytes, at: int) -> tuple[bytes, int, int]:
    (marker,) = struct.unpack_from("2s", data, at)
    if marker == _JPEG_FILL:
        return marker, at + 1, at + 1
    if marker in _JPEG_BARE:
        return marker, at + 2, at + 2
    if marker[0] != 0xFF or marker in _JPEG_NO_SEGMENT:
        raise MediaError(f"broken JPEG: {marker!r} at byte {at:,} starts no segment")
    (length,) = struct.unpack_from(">H", data, at + 2)
    return marker, at + 4, at + 2 + length


def _check_jpeg(data: bytes) -> None:
    """Walk the segments up to the first scan, then from marker to marker up to the end marker (EOI).

    Segments are stepped over, so the EOI of a thumbnail in the EXIF segment is never seen, and entropy-coded data
    cannot contain one.
    """
    frames = 0
    for marker, body, after in _walk(data, 2, len(data), _jpeg_segment):
        if marker in _JPEG_FRAMES:
            frames += 1
            if after - body < 6:
                raise MediaError("broken JPEG: its frame header is too short")
            height, width = struct.unpack_from(">xHH", data, body)
            check_pixels(width, height)
        if marker == _JPEG_SOS:
            break
    else:
        raise MediaError("truncated JPEG: no scan")
    if frames != 1:  # with two, readers could disagree about the size
        raise MediaError(f"broken JPEG: {frames} frame headers before its scan, must be 1")
    _find_jpeg_end(data, after)


def _find_jpeg_end(data: bytes, at: int) -> None:
    scans = 1
    while (found := _JPEG_MARKER.search(data, at)) and found[0] != _JPEG_EOI:
        scans += found[0] == _JPEG_SOS
        if scans > MAX_SCANS:
            raise MediaError(f"more than {MAX_SCANS} scans in one JPEG")
        *_, at = next(_walk(data, found.start(), len(data), _jpeg_segment))
    if not found:
        raise MediaError("truncated JPEG: its end marker (EOI) is missing")


# ---- PNG: W3C PNG specification, chapter 5


def _png_chunk(data: bytes, at: int) -> tuple[bytes, int, int]:
    length, kind = struct.unpack_from(">I4s", data, at)
    return kind, at + 8, at + 12 + length


def _check_png(data: bytes) -> None:
    """Walk the chunks up to IEND; the checksums are left to "full"."""
    kinds: set[bytes] = set()
    for kind, body, after in _walk(data, 8, len(data), _png_chunk):
        if not kinds:
            if kind != b"IHDR" or after - body != 13 + 4:
                raise MediaError("broken PNG: it does not start with an IHDR chunk of 13 bytes")
            check_pixels(*struct.unpack_from(">II", data, body))
        elif kind == b"IHDR":
            raise MediaError("broken PNG: a second IHDR chunk")
        kinds.add(kind)
        if kind == b"IEND":
            break
    else:
        raise MediaError("truncated PNG: no IEND chunk")
    if b"IDAT" not in kinds:
        raise MediaError("broken PNG: no IDAT chunk")
    _check_end(data, after, "PNG")


# ---- WebP: RFC 9649


def _riff_chunk(data: bytes, at: int) -> tuple[bytes, int, int]:
    kind, length = struct.unpack_from("<4sI", data, at)
    return kind, at + 8, at + 8 + length


def _lossy_size(head: bytes) -> tuple[int, int]:
    start, width, height = struct.unpack_from("<3x3sHH", head)
    if start != b"\x9d\x01\x2a":
        raise MediaError("broken WebP: its VP8 data does not start with a key frame")
    return width & 0x3FFF, height & 0x3FFF


def _lossless_size(head: bytes) -> tuple[int, int]:
    signature, bits = struct.unpack_from("<BI", head)
    if signature != 0x2F:
        raise MediaError("broken WebP: its VP8L data lacks its signature")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _canvas_size(head: bytes) -> tuple[int, int]:
    width, height = head[4:7], head[7:10]
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


# What a WebP may start with: the bytes that its header takes, and the width and height in it.
_WEBP_SIZES = {b"VP8 ": (10, _lossy_size), b"VP8L": (5, _lossless_size), b"VP8X": (10, _canvas_size)}
_WEBP_PIXELS = {b"VP8 ", b"VP8L", b"ANMF"}


def _check_webp(data: bytes) -> None:
    """Walk the chunks of the RIFF container; libwebp itself holds frames to the size that the first one declares."""
    if len(data) < 12 + 8:
        raise MediaError("truncated WebP: no chunk")
    end = 8 + int.from_bytes(data[4:8], "little")
    first = data[12:16]
    if first not in _WEBP_SIZES:
        raise MediaError(
            f"broken WebP: its first chunk is {first!r}, must be one of {', '.join(map(repr, _WEBP_SIZES))}"
        )
    taken, size = _WEBP_SIZES[first]
    head = data[20 : 20 + taken]
    if len(head) < taken:
        raise MediaError("truncated WebP: its header is cut")
    check_pixels(*size(head))
    _check_end(data, end, "WebP")
    if not _WEBP_PIXELS & {kind for kind, _, _ in _walk(data, 12, end, _riff_chunk, align=2)}:
        raise MediaError("broken WebP: no image chunk")


_STRUCTURES: dict[str, Callable[[bytes], None]] = {"JPEG": _check_jpeg, "PNG": _check_png, "WebP": _check_webp}


# ---- MP4: ISO/IEC 14496-12, 4.2


def _mp4_box(data: bytes, at: int) -> tuple[bytes, int, int]:
    size, kind = struct.unpack_from(">I4s", data, at)
    if size == 0:  # up to the end of the file
        return kind, at + 8, len(data)
    if size == 1:
        (size,) = struct.unpack_from(">Q", data, at + 8)
        return kind, at + 16, at + size
    return kind, at + 8, at + size
