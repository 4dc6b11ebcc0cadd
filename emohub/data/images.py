"""Encoded images, of any repo, folder or file, read by the rule that ships with the model."""

from pathlib import Path

from PIL import Image

from emohub.data.containers import check_format, check_image_structure, check_pixels, check_size
from emohub.data.media import MAX_IMAGE_BYTES
from emohub.errors import MediaError
from emohub.hub.folders import load_shared

_RULE = load_shared("hub_models", "empathic_insight_face", "reading_empathic_insight_face")
FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF")  # what the rule opens, as `containers` names it
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def decode(data: bytes) -> Image.Image:
    """Decode an image as the pipeline of a model repo does: its first frame, upright, on white, in RGB.

    Args:
        data: A file of one of `FORMATS`, at most `MAX_IMAGE_BYTES` long.

    Raises:
        MediaError: another format, cut short, too large, or not decodable.
    """
    check_size(data, MAX_IMAGE_BYTES)
    check_image_structure(data, check_format(data, FORMATS, "an image"))
    try:
        with _RULE.open_image(data) as image:
            check_pixels(*image.size)
            read: Image.Image = _RULE.to_rgb(image)
            return read
    except MediaError:
        raise
    except Exception as error:  # fed with damaged bytes, a decoder may raise anything
        raise MediaError(f"it does not decode: {type(error).__name__}: {error}") from error


def read_bytes(path: Path, limit: int = MAX_IMAGE_BYTES) -> bytes:
    """A file's bytes, of at most `limit`.

    Raises:
        MediaError: it cannot be read, is not a file, or is too large.
    """
    try:
        if not path.is_file():
            raise MediaError("not a file")
        if (size := path.stat().st_size) > limit:
            raise MediaError(f"{size:,} bytes are over the limit of {limit:,}")
        return path.read_bytes()
    except OSError as error:
        raise MediaError(f"it cannot be read: {error.strerror or error}") from error
