"""Media checks against whole files, and against what can be wrong in them."""

import io
import random
import warnings
import zlib

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emohub.data.media import check_image, check_video, safe_name
from emohub.errors import MediaError
from tests.data.media_files import (
    IMAGES,
    JPEG,
    SOF_AT,
    SUFFIXES,
    VIDEOS,
    WEBP,
    png,
    rebuilt,
)


@pytest.mark.parametrize("verify", ["structure", "full"])
@pytest.mark.parametrize("name", IMAGES)
def test_a_real_image_passes_and_gives_its_suffix(name, verify):
    assert check_image(IMAGES[name], verify) == SUFFIXES[name.split()[0]]


@pytest.mark.parametrize("verify", ["structure", "full"])
@pytest.mark.parametrize("name", VIDEOS)
def test_a_real_video_passes(name, verify, capfd):
    check_video(VIDEOS[name], verify)
    assert capfd.readouterr() == ("", "")


def test_the_thumbnail_is_really_there():
    assert IMAGES["jpeg exif thumbnail"].count(b"\xff\xd9") >= 2


def test_pillow_is_left_as_it_was():
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    check_image(IMAGES["png"], "full")
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


# ---- Noise


STARTS = [b"", *(whole[:n] for whole in (*IMAGES.values(), *VIDEOS.values()) for n in (4, 16, 40, 200))]


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=200))
@settings(max_examples=300, derandomize=True)
def test_noise_raises_media_errors_only(start, rest):
    for check in (check_image, check_video):
        for verify in ("structure", "full"):
            try:
                check(start + rest, verify)
            except MediaError as error:
                assert str(error)


@given(name=st.sampled_from(sorted(IMAGES)), at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
@settings(max_examples=200, derandomize=True)
def test_one_wrong_byte_in_an_image_raises_media_errors_only(name, at, byte):
    data = bytearray(IMAGES[name])
    data[int(at * len(data))] = byte
    for verify in ("structure", "full"):
        try:
            check_image(bytes(data), verify)
        except MediaError as error:
            assert str(error)


@given(name=st.sampled_from(sorted(VIDEOS)), at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
@settings(max_examples=100, derandomize=True)
def test_one_wrong_byte_in_a_video_raises_media_errors_only(name, at, byte):
    head = rebuilt(VIDEOS[name], lambda kind, box: box if kind != b"mdat" else box[:8])
    data = bytearray(VIDEOS[name])
    data[-1 - int(at * len(head))] = byte
    try:
        check_video(bytes(data), "full")
    except MediaError as error:
        assert str(error)


# ---- What only "full" finds


def with_wrong_crc(data):
    at = data.index(b"IDAT") + 4 + int.from_bytes(data[data.index(b"IDAT") - 4 : data.index(b"IDAT")], "big")
    return data[:at] + bytes(byte ^ 0xFF for byte in data[at : at + 4]) + data[at + 4 :]


ROW = b"\0" + bytes(8)
BROKEN_PIXELS = {
    "png checksum": with_wrong_crc(png(8, 8, ROW * 8)),
    "png not zlib": png(8, 8, ROW * 8).replace(zlib.compress(ROW * 8), bytes(len(zlib.compress(ROW * 8)))),
    "png text bomb": png(8, 8, ROW * 8, chunks=[(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**22)))]),
    "jpeg without its tables": JPEG[: JPEG.index(b"\xff\xdb")] + JPEG[SOF_AT:],
    "webp lossy": WEBP[:30] + random.Random(0).randbytes(len(WEBP) - 30),
    "webp lossless": IMAGES["webp lossless"][:25] + bytes(len(IMAGES["webp lossless"]) - 25),
    "jpeg with a warning": JPEG[:2] + b"\xff\xe2\x00\x0eMPF\0II*\0\x08\0\0\0" + JPEG[2:],
}


@pytest.mark.parametrize("name", BROKEN_PIXELS)
def test_damage_inside_passes_structure_and_fails_full(name):
    check_image(BROKEN_PIXELS[name])
    with pytest.raises(MediaError, match="does not decode"):
        check_image(BROKEN_PIXELS[name], "full")


def test_what_full_does_not_find():
    """Limits that the docstring of the module names, held here so that a stricter decoder is noticed."""
    large = IMAGES["jpeg large"]
    half = len(large) // 2
    assert check_image(large[:half] + bytes(len(large) - half - 2) + large[-2:], "full") == "jpg"
    assert check_image(png(8, 8, ROW * 2), "full") == "png"


@pytest.mark.parametrize("codec", ["mpeg4", "h264"])
@pytest.mark.parametrize("damage", [bytes, random.Random(0).randbytes], ids=["zeros", "noise"])
def test_damaged_frames_pass_structure_and_fail_full(codec, damage, capfd):
    def damaged(kind, box):
        half = len(box) // 2  # the frames at the start stay, as opening a file reads some
        return box[:half] + damage(len(box) - half) if kind == b"mdat" else box

    data = rebuilt(VIDEOS[codec], damaged)
    check_video(data)
    with pytest.raises(MediaError, match="the MP4 does not decode"):
        check_video(data, "full")
    assert capfd.readouterr() == ("", "")


def test_damage_that_a_player_would_conceal_fails_full():
    data = bytearray(VIDEOS["mpeg4"])
    middle = data.index(b"mdat") + 5000
    data[middle : middle + 200] = bytes(200)
    with av.open(io.BytesIO(data)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 6
    with pytest.raises(MediaError, match="does not decode"):
        check_video(bytes(data), "full")


# ---- Names


@pytest.mark.parametrize(
    "name", ["a", "face 001.jpg", ".hidden", "a..b.png", "...", "émotion-😀.webp", "x" * 255, "é" * 127, "ab:c"]
)
def test_a_plain_base_name_comes_back(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("a/b.jpg", "separator"),
        ("/etc/passwd", "separator"),
        ("a\\b.jpg", "separator"),
        ("\\\\host\\share", "separator"),
        ("../a.jpg", "separator"),
        ("..", "folder"),
        (".", "folder"),
        ("C:a.jpg", "drive"),
        ("a\0.jpg", "control"),
        ("a\n.jpg", "control"),
        ("a\x7f.jpg", "control"),
        ("a\x85.jpg", "control"),
        ("a\ud800.jpg", "Unicode"),
        ("x" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
        (None, "not text"),
        (float("nan"), "not text"),
    ],
)
def test_an_unsafe_name_is_refused_and_shown(name, reason):
    with pytest.raises(MediaError, match=reason) as caught:
        safe_name(name)
    assert repr(name)[:200] in str(caught.value)


@given(name=st.text(max_size=300))
@settings(max_examples=200, derandomize=True)
def test_a_name_that_passes_stays_in_its_folder(name, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    try:
        path = folder / safe_name(name)
    except MediaError:
        return
    assert path.parent == folder and path.name == name
