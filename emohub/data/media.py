"""Image and video bytes, checked before they are passed through untouched.

A dataset builder ships media exactly as it received them, so it has to know that they are what they claim to be:
of a known format by content, whole to the last byte, and no bomb. `verify="structure"` reads the container only
and costs microseconds per image; `verify="full"` also decodes everything.

What neither check finds: libjpeg reads on through damaged scan data and invents pixels, H.264 damage may decode as a
picture, PIL fills in the rows that a sound but short PNG stream lacks; and a cut at the exact border of two movie
fragments, or in an MP4 box that runs "to the end of the file", leaves a valid MP4.
"""

import io
import re
import struct
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import av
from PIL import Image, ImageSequence

from emohub.errors import MediaError

Verify = Literal["structure", "full"]

MAX_IMAGE_BYTES = 32 * 2**20
MAX_VIDEO_BYTES = 512 * 2**20
MAX_PIXELS = 64_000_000  # below the size at which PIL itself warns
MAX_PARTS = 100_000  # chunks, segments or boxes in one file; bounds the time that a hostile file can take
MAX_NAME_BYTES = 255

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


def check_image(data: bytes, verify: Verify = "structure") -> str:
    """Check that bytes are one whole image, by content and not by name.

    Args:
        data: The bytes of the file.
        verify: "structure" reads the container only, without decoding: format, dimensions, completeness. "full" also
            decodes every pixel of every frame and checks the PNG checksums. It turns warnings into errors through
            the process-wide warnings filters, so run it in processes, not in threads.

    Returns:
        The file suffix for the content: "jpg", "png" or "webp".

    Raises:
        MediaError: If the bytes are empty, over `MAX_IMAGE_BYTES`, no JPEG, PNG or WebP, of less than one pixel or of
            more than `MAX_PIXELS` (under "full": over all frames), cut short, followed by anything but zero padding
            or, under "full", not decodable.
    """
    _check_bytes(data, MAX_IMAGE_BYTES)
    name = _format_of(data)
    if name is None or name not in _IMAGES:
        raise MediaError(f"{_named(data, name)}; an image must be {', '.join(_IMAGES)}")
    suffix, check_structure = _IMAGES[name]
    check_structure(data)
    if verify == "full":
        _decode_image(data, name)
    return suffix


def check_video(data: bytes, verify: Verify = "structure") -> None:
    """Check that bytes are one whole MP4 (ISO base media) file with a video stream.

    Args:
        data: The bytes of the file.
        verify: "structure" walks the boxes and opens the container. "full" also decodes every frame of the first
            video stream, with the decoder told to stop at the first error instead of concealing it.

    Raises:
        MediaError: If the bytes are empty, over `MAX_VIDEO_BYTES`, no MP4, cut short, without a video stream, with
            frames of less than one pixel or of more than `MAX_PIXELS` or, under "full", not decodable.
    """
    _check_bytes(data, MAX_VIDEO_BYTES)
    name = _format_of(data)
    if name not in ("MP4", None):  # None: ftyp may come after another box
        raise MediaError(f"{_named(data, name)}; a video must be MP4")
    boxes = {kind for kind, _, _ in _walk(data, 0, len(data), _mp4_box)}
    missing = [kind.decode() for kind in (b"ftyp", b"moov", b"mdat") if kind not in boxes]
    if missing:
        raise MediaError(f"incomplete MP4: no {', '.join(missing)} box")
    with _decoding("MP4"):
        _open_video(data, decode=verify == "full")


def safe_name(name: str) -> str:
    """Check a file name from an untrusted table: a plain base name, of at most `MAX_NAME_BYTES` bytes in UTF-8.

    Returns:
        The name, unchanged.

    Raises:
        MediaError: If the name could lead out of its folder (separator, drive letter, `.`, `..`), cannot be a file
            name (empty, too long, not UTF-8) or hides something (NUL, control characters).

    >>> safe_name("face 001.jpg")
    'face 001.jpg'
    """
    reason = next((reason for reason, is_bad in _BAD_NAMES if is_bad(name)), None)
    if reason:
        raise MediaError(f"unsafe file name {name!r:.300}: {reason}; give a plain base name such as 'face_001.jpg'")
    return name


_BAD_NAMES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("it is not text", lambda name: not isinstance(name, str)),  # an empty cell arrives as None or NaN
    ("it is empty", lambda name: not name),
    ("it has a path separator", lambda name: "/" in name or "\\" in name),
    ("it names a folder", lambda name: name in (".", "..")),
    ("it has a drive letter", lambda name: re.match("[A-Za-z]:", name) is not None),
    ("it has a control character", lambda name: any(unicodedata.category(char) == "Cc" for char in name)),
    ("it is not valid Unicode", lambda name: any("\ud800" <= char <= "\udfff" for char in name)),
    (f"it is over {MAX_NAME_BYTES} bytes", lambda name: len(name.encode()) > MAX_NAME_BYTES),
)


def _check_bytes(data: bytes, limit: int) -> None:
    if not data:
        raise MediaError("the file is empty")
    if len(data) > limit:
        raise MediaError(f"{len(data):,} bytes are over the limit of {limit:,}")


def _check_pixels(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise MediaError(f"{width} × {height} px is no picture")
    if width * height > MAX_PIXELS:
        raise MediaError(f"{width:,} × {height:,} px is over the limit of {MAX_PIXELS:,} px")


def _check_end(data: bytes, end: int, name: str) -> None:
    """After its end a file may have zero padding, nothing else; `end` is in bytes."""
    if len(data) < end:
        raise MediaError(f"truncated {name}: {end:,} bytes declared, {len(data):,} there")
    if data[end:].strip(b"\0"):
        raise MediaError(f"{len(data) - end:,} bytes of other data after the end of the {name}")


def _format_of(data: bytes) -> str | None:
    return next((name for name, pattern in FORMATS if pattern.match(data)), None)


def _named(data: bytes, name: str | None) -> str:
    return f"the content is {name}" if name else f"unknown format (starts with {data[:12]!r})"


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
    """Walk the segments up to the first scan, then look at the tail: entropy-coded data cannot contain an EOI.

    Segments are stepped over, so the EOI of a thumbnail in the EXIF segment is never seen.
    """
    frames = 0
    for marker, body, after in _walk(data, 2, len(data), _jpeg_segment):
        if marker in _JPEG_FRAMES:
            frames += 1
            if after - body < 6:
                raise MediaError("broken JPEG: its frame header is too short")
            height, width = struct.unpack_from(">xHH", data, body)
            _check_pixels(width, height)
        if marker == _JPEG_SOS:
            break
    else:
        raise MediaError("truncated JPEG: no scan")
    if frames != 1:  # with two, readers could disagree about the size
        raise MediaError(f"broken JPEG: {frames} frame headers before its scan, must be 1")
    whole = len(data) if data.endswith(_JPEG_EOI) else len(data.rstrip(b"\0"))
    if not data.endswith(_JPEG_EOI, after, whole):
        raise MediaError("truncated JPEG: it does not end with its end marker (EOI)")


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
            _check_pixels(*struct.unpack_from(">II", data, body))
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
    _check_pixels(*size(head))
    _check_end(data, end, "WebP")
    if not _WEBP_PIXELS & {kind for kind, _, _ in _walk(data, 12, end, _riff_chunk, align=2)}:
        raise MediaError("broken WebP: no image chunk")


# A format that is taken: its file suffix and its structure check. The names are also PIL's, in capitals.
_IMAGES: dict[str, tuple[str, Callable[[bytes], None]]] = {
    "JPEG": ("jpg", _check_jpeg),
    "PNG": ("png", _check_png),
    "WebP": ("webp", _check_webp),
}


# ---- MP4: ISO/IEC 14496-12, 4.2


def _mp4_box(data: bytes, at: int) -> tuple[bytes, int, int]:
    size, kind = struct.unpack_from(">I4s", data, at)
    if size == 0:  # up to the end of the file
        return kind, at + 8, len(data)
    if size == 1:
        (size,) = struct.unpack_from(">Q", data, at + 8)
        return kind, at + 16, at + size
    return kind, at + 8, at + size


# ---- Decoders


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Fed with damaged bytes, a decoder may raise anything; to the caller it is one thing."""
    try:
        yield
    except MediaError:
        raise
    except Exception as error:
        raise MediaError(f"the {name} does not decode: {type(error).__name__}: {error}") from error


def _decode_image(data: bytes, name: str) -> None:
    with _decoding(name), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # about our code, not about the image
        with Image.open(io.BytesIO(data), formats=(name.upper(),)) as image:
            image.verify()  # PNG: the checksums, which decoding skips
        with Image.open(io.BytesIO(data), formats=(name.upper(),)) as image:
            pixels = 0
            for frame in ImageSequence.Iterator(image):
                pixels += frame.width * frame.height
                if pixels > MAX_PIXELS:  # many frames make a bomb too, and a later one may be larger than the first
                    raise MediaError(f"its frames have more than {MAX_PIXELS:,} px together")
                frame.load()


def _open_video(data: bytes, decode: bool) -> None:
    """Open with the MP4 demuxer alone, as probing could pick one that follows links; PyAV's logging is off already."""
    limit = {"max_pixels": str(MAX_PIXELS)}  # holds where the coded size differs from the one in the container
    with av.open(io.BytesIO(data), "r", format="mp4", metadata_errors="replace", options=limit) as container:
        if not container.streams.video:
            raise MediaError("the MP4 has no video stream")
        stream = container.streams.video[0]
        _check_pixels(stream.width, stream.height)
        if decode:
            stream.codec_context.options = limit | {"err_detect": "explode"}
            frames = sum(1 for _ in container.decode(stream))
            if frames == 0:
                raise MediaError("the video stream of the MP4 has no frame")
