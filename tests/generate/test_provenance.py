"""What a file says about its origin, in standard places, and that it can be taken out without touching a pixel."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emohub.data.images import decode
from emohub.generate.provenance import DESCRIPTION, FORMATS, SOFTWARE, SOURCE_TYPES, TRAINED, bare, encode, read

ABOUT = {"model": "org/model", "revision": "abc", "seed": 7, "prompt_id": "p-000001", "note": 'é 😀 "quoted"'}


@pytest.fixture
def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


@pytest.mark.parametrize("form", FORMATS)
def test_it_is_written_and_read(form: str, picture: Image.Image) -> None:
    data = encode(picture, form, "a photo of awe", ABOUT)
    assert read(data) == ABOUT
    with Image.open(io.BytesIO(data)) as opened:
        exif = opened.getexif()
        assert exif[DESCRIPTION] == "a photo of awe" and exif[SOFTWARE].startswith("emohub ")
        xmp = opened.info["xmp"]
    assert f'"{SOURCE_TYPES}{TRAINED}"' in (xmp.decode() if isinstance(xmp, bytes) else xmp)


@pytest.mark.parametrize("form", FORMATS)
def test_an_annotator_gets_the_pixels_alone(form: str, picture: Image.Image) -> None:
    data = encode(picture, form, "a photo of SECRET", ABOUT | {"more": "SECRET"})
    clean = bare(data)
    assert (np.asarray(decode(clean)) == np.asarray(decode(data))).all() and read(clean) == {}
    assert all(word not in clean for word in (b"SECRET", "SECRET".encode("utf-16-le"), b"Iptc", b"emohub"))


def test_png_is_lossless(picture: Image.Image) -> None:
    assert (np.asarray(decode(encode(picture, "png", "x", {}))) == np.asarray(picture)).all()


@given(
    data=st.binary(max_size=200), start=st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1"])
)
def test_damaged_files_do_no_harm(data: bytes, start: bytes) -> None:
    assert start + data == bare(start + data) or len(bare(start + data)) < len(start + data)


def test_other_files_say_nothing() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    assert read(out.getvalue()) == {} and bare(out.getvalue()) == out.getvalue()
