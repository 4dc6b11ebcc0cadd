"""Where a picture comes from, written into its file: EXIF for programs, IPTC's word for "made by a model" in XMP.

EXIF: the prompt in ImageDescription, emohub in Software, model, revision, seed and prompt id as JSON in UserComment.
XMP: Iptc4xmpExt:DigitalSourceType, https://cv.iptc.org/newscodes/digitalsourcetype/. Unlike C2PA's manifests this is
not signed: it tells, it does not prove.
"""

import io
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from PIL import Image, PngImagePlugin

from emohub import __version__
from emohub.hub.json_files import parse_json

DESCRIPTION, SOFTWARE, EXIF_IFD, COMMENT = 0x010E, 0x0131, 0x8769, 0x9286
ENCODING = b"UNICODE\x00"  # of UserComment; what follows is UTF-16, EXIF 2.32, 4.6.5
TRAINED, DRAWN = "trainedAlgorithmicMedia", "algorithmicMedia"  # by a model; by a program that was not trained
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="%s"/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
# Format → ending, options of Pillow's save.
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": (".jpg", {"format": "JPEG", "quality": 95, "subsampling": 0}),
    "png": (".png", {"format": "PNG"}),
}


def encode(picture: Image.Image, form: str, text: str, about: Mapping[str, Any], made: str = TRAINED) -> bytes:
    """A picture as a file that says where it comes from.

    Args:
        picture: In RGB.
        form: One of `FORMATS`.
        text: The prompt.
        about: Model, revision, seed, prompt id; values that JSON can hold.
        made: `TRAINED` or `DRAWN`.
    """
    xmp, info = XMP % (SOURCE_TYPES + made), PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp)  # where XMP stands in a PNG, by its specification, part 3
    exif = Image.Exif()
    exif[DESCRIPTION] = text
    exif[SOFTWARE] = f"emohub {__version__}"
    exif.get_ifd(EXIF_IFD)[COMMENT] = ENCODING + json.dumps(about, ensure_ascii=False).encode("utf-16-le")
    out = io.BytesIO()
    picture.save(out, exif=exif, xmp=xmp.encode(), pnginfo=info, **FORMATS[form][1])
    return out.getvalue()


def bare(data: bytes) -> bytes:
    """The same picture without what is written into it: an annotator must not find the prompt there.

    The pixels stay as they are, bit for bit. A file that is neither JPEG nor PNG, or is damaged, is returned as it is.
    """
    if data.startswith(b"\xff\xd8"):
        return _without(data, 2, _segments, _JPEG_TEXTS)
    return _without(data, 8, _chunks, _PNG_TEXTS) if data.startswith(b"\x89PNG\r\n\x1a\n") else data


_JPEG_TEXTS = (b"\xff\xe1", b"\xff\xed", b"\xff\xfe")  # EXIF and XMP, IPTC, comments
_PNG_TEXTS = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


def _segments(data: bytes, at: int) -> tuple[bytes, int]:
    """Mark and end of a JPEG's segment; the picture itself reaches to the end."""
    mark = data[at : at + 2]
    return mark, len(data) if mark == b"\xff\xda" else at + 2 + int.from_bytes(data[at + 2 : at + 4])


def _chunks(data: bytes, at: int) -> tuple[bytes, int]:
    """Type and end of a PNG's chunk."""
    return data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4])


def _without(
    data: bytes, start: int, part: Callable[[bytes, int], tuple[bytes, int]], texts: Collection[bytes]
) -> bytes:
    kept, at = [data[:start]], start
    while at < len(data):
        kind, end = part(data, at)
        if kind not in texts:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def read(data: bytes) -> dict[str, Any]:
    """What a file of `encode` says about itself; empty for other files."""
    with Image.open(io.BytesIO(data)) as image:
        comment = image.getexif().get_ifd(EXIF_IFD).get(COMMENT)
    if not isinstance(comment, bytes) or not comment.startswith(ENCODING):
        return {}
    try:
        return dict(parse_json(comment.removeprefix(ENCODING).decode("utf-16-le")))
    except (ValueError, TypeError):
        return {}
