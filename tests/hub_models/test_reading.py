"""The rule that reads pictures, against pixels that follow from the formats' definitions."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from emohub.hub.folders import load_shared
from tests.hub_models.odd_pictures import CUT, PICTURES, grey, picture, with_alpha

rule = load_shared("hub_models", "empathic_insight_face", "reading_empathic_insight_face")
SEVERAL = {"animated.gif", "animated.png", "animated.webp", "pages.tif"}
WHITENED = {"alpha.png", "alpha.webp", "alpha-grey.png", "alpha.tif", "key16.png", "palette-clear.png"}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_it_shows(name: str) -> None:
    data, shown = PICTURES[name]
    read = rule.read_image(rule.open_image(data))
    assert read.image.mode == "RGB" and read.image.info == {} and not read.image.getexif()
    np.testing.assert_allclose(np.asarray(read.image).astype(float), shown, atol=1 if name in WHITENED else 0)
    assert (read.whitened, read.further) == (name in WHITENED, name in SEVERAL)


@pytest.mark.parametrize("name", CUT)
def test_a_cut_picture_is_refused(name: str) -> None:
    with pytest.raises((OSError, SyntaxError)):
        rule.to_rgb(rule.open_image(CUT[name]))


@pytest.mark.parametrize("name", PICTURES)
def test_reading_twice_changes_nothing(name: str) -> None:
    once = rule.to_rgb(rule.open_image(PICTURES[name][0]))
    assert rule.to_rgb(once).tobytes() == once.tobytes()


MODES = {
    "I;16": (grey().astype(np.uint16) * 257, grey()),
    "I": (grey().astype(np.int32) << 23, grey()),
    "negative": (-grey().astype(np.int32), 0 * grey()),
    "F": (grey() / 255, grey()),
    "not a number": (np.where(grey() > 100, np.nan, grey()).astype(np.float32), np.where(grey() > 100, 0, grey())),
    "far above": (grey().astype(np.float32) / grey().max() * 1e9, np.rint(grey() / grey().max() * 255)),
}


@pytest.mark.parametrize("name", MODES)
def test_deep_grey_in_memory(name: str) -> None:
    values, shown = MODES[name]
    read = np.asarray(rule.to_rgb(Image.fromarray(values)))
    assert (read == np.asarray(shown)[..., None]).all()


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA", "YCbCr", "HSV", "CMYK"])
def test_rarer_modes(mode: str) -> None:
    through = {"La": "LA", "RGBa": "RGBA"}.get(mode)
    image = (with_alpha().convert(through) if through else picture()).convert(mode)
    assert rule.to_rgb(image).mode == "RGB"


def test_unsigned_32_bits_of_a_tiff() -> None:
    out = io.BytesIO()
    Image.fromarray((grey().astype(np.uint32) << 24).view(np.int32)).save(out, "TIFF")
    signed, unsigned = (struct.pack("<HHIHH", 339, 3, 1, kind, 0) for kind in (2, 1))
    assert out.getvalue().count(signed) == 1
    read = rule.to_rgb(rule.open_image(out.getvalue().replace(signed, unsigned)))
    assert (np.asarray(read) == grey()[..., None]).all()


def test_the_argument_keeps_its_pixels() -> None:
    image = Image.open(io.BytesIO(PICTURES["exif6.png"][0]))
    before = np.asarray(image).copy()
    rule.to_rgb(image)
    assert (np.asarray(image) == before).all() and image.getexif()[0x0112] == 6


def test_a_frame_that_was_chosen_stays() -> None:
    image = Image.open(io.BytesIO(PICTURES["animated.png"][0]))
    image.seek(1)
    assert rule.to_rgb(image).tobytes() == picture(seed=1).tobytes()


def test_other_formats_are_not_opened() -> None:
    with pytest.raises(OSError):
        rule.open_image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
