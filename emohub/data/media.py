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
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import av
from PIL import Image, ImageSequence

from emohub.data import containers
from emohub.errors import MediaError

Verify = Literal["structure", "full"]

MAX_IMAGE_BYTES = 32 * 2**20
MAX_VIDEO_BYTES = 512 * 2**20
MAX_NAME_BYTES = 255
SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WebP": "webp"}  # the images that a dataset ships


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
            more than `containers.MAX_PIXELS` (under "full": over all frames), cut short or, under "full", not
            decodable. Whatever follows the end of the picture is ignored.
    """
    containers.check_size(data, MAX_IMAGE_BYTES)
    name = containers.check_format(data, tuple(SUFFIXES), "an image")
    containers.check_image_structure(data, name)
    if verify == "full":
        _decode_image(data, name)
    return SUFFIXES[name]


def check_video(data: bytes, verify: Verify = "structure") -> None:
    """Check that bytes are one whole MP4 (ISO base media) file with a video stream.

    Args:
        data: The bytes of the file.
        verify: "structure" walks the boxes and opens the container. "full" also decodes every frame of the first
            video stream, with the decoder told to stop at the first error instead of concealing it.

    Raises:
        MediaError: If the bytes are empty, over `MAX_VIDEO_BYTES`, no MP4, cut short, without a video stream, with
            frames of less than one pixel or of more than `containers.MAX_PIXELS` or, under "full", not decodable.
    """
    containers.check_size(data, MAX_VIDEO_BYTES)
    if containers.format_of(data) is not None:  # None: ftyp may come after another box
        containers.check_format(data, ("MP4",), "a video")
    found = containers.boxes(data)
    missing = [kind.decode() for kind in (b"ftyp", b"moov", b"mdat") if kind not in found]
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
        warnings.filterwarnings("ignore", "Corrupt EXIF data")  # nor about its pixels
        with Image.open(io.BytesIO(data), formats=(name.upper(),)) as image:
            image.verify()  # PNG: the checksums, which decoding skips
        with Image.open(io.BytesIO(data), formats=(name.upper(),)) as image:
            if name == "JPEG":  # Pillow takes the pictures that a phone appends for frames, even where they are gone
                image.load()
                return
            pixels, most = 0, containers.MAX_PIXELS
            for frame in ImageSequence.Iterator(image):
                pixels += frame.width * frame.height
                if pixels > most:  # many frames make a bomb too, and a later one may be larger than the first
                    raise MediaError(f"its frames have more than {most:,} px together")
                frame.load()


def _open_video(data: bytes, decode: bool) -> None:
    """Open with the MP4 demuxer alone, as probing could pick one that follows links; PyAV's logging is off already."""
    limit = {
        "max_pixels": str(containers.MAX_PIXELS)
    }  # holds where the coded size differs from the one in the container
    with av.open(io.BytesIO(data), "r", format="mp4", metadata_errors="replace", options=limit) as container:
        if not container.streams.video:
            raise MediaError("the MP4 has no video stream")
        stream = container.streams.video[0]
        containers.check_pixels(stream.width, stream.height)
        if decode:
            stream.codec_context.options = limit | {"err_detect": "explode"}
            frames = sum(1 for _ in container.decode(stream))
            if frames == 0:
                raise MediaError("the video stream of the MP4 has no frame")
