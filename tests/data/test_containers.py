"""Containers walked without decoding: whole files pass, cut, broken and oversized ones do not."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emohub.data import containers, media
from emohub.data.containers import MAX_PIXELS
from emohub.data.media import check_image, check_video
from emohub.errors import MediaError
from tests.data.media_files import (
    IMAGES,
    JPEG,
    PNG_START,
    SOF_AT,
    SOS_AT,
    SUFFIXES,
    VIDEOS,
    WEBP,
    boxes,
    encoded,
    picture,
    png,
    rebuilt,
    sound,
)

# ---- What follows a picture


TAILS = {
    "zeros": bytes(512),
    "line break": b"\r\n",
    "video": VIDEOS["h264"],
    "picture": IMAGES["jpeg"],
    "text": b"<script>",
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "jpeg restarts", "jpeg several pictures", "png", "webp"])
def test_what_follows_a_whole_picture_is_ignored(name, tail):
    for verify in ("structure", "full"):
        assert check_image(IMAGES[name] + TAILS[tail], verify) == SUFFIXES[name.split()[0]]


@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "png"])  # WebP knows its length only, not its content
def test_a_cut_picture_is_refused_whatever_follows(name):
    for tail in TAILS.values():
        with pytest.raises(MediaError):
            check_image(IMAGES[name][: len(IMAGES[name]) // 2 + 20] + tail, "full")


def first_picture(data):
    """Length of the first picture of an MPO, which ends where the second begins."""
    return data.index(b"\xff\xd8", 2)


def test_a_jpeg_whose_further_pictures_are_gone_is_whole():
    data = IMAGES["jpeg several pictures"]
    end = first_picture(data)
    for kept in (end, end + 1, end + 100, len(data) - 1):
        assert check_image(data[:kept], "full") == "jpg"
    for kept in range(0, end, 7):
        with pytest.raises(MediaError):
            check_image(data[:kept])


def test_the_scans_of_a_jpeg_are_limited(monkeypatch):
    data = IMAGES["jpeg progressive"]
    scans = data.count(b"\xff\xda")
    monkeypatch.setattr(containers, "MAX_SCANS", scans)
    check_image(data, "full")
    monkeypatch.setattr(containers, "MAX_SCANS", scans - 1)
    with pytest.raises(MediaError, match=f"more than {scans - 1} scans"):
        check_image(data)


# ---- Cuts and noise


@given(data=st.data())
@pytest.mark.parametrize("name", [name for name in IMAGES if name != "jpeg several pictures"])
@settings(max_examples=40, derandomize=True)
def test_any_cut_of_an_image_is_refused(name, data):
    whole = IMAGES[name]
    kept = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MediaError):
        check_image(whole[:kept])


@pytest.mark.parametrize("name", ["jpeg of one pixel", "jpeg exif thumbnail", "png of one pixel", "webp of one pixel"])
def test_every_cut_of_a_small_image_is_refused(name):
    for kept in range(len(IMAGES[name])):
        with pytest.raises(MediaError):
            check_image(IMAGES[name][:kept])


@given(data=st.data())
@pytest.mark.parametrize("name", ["mpeg4", "h264", "moov first"])
@settings(max_examples=40, derandomize=True)
def test_any_cut_of_a_video_is_refused(name, data):
    whole = VIDEOS[name]
    kept = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MediaError):
        check_video(whole[:kept])


# ---- Bombs and limits


def with_jpeg_size(data, width, height):
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def with_canvas(data, width, height):
    at = data.index(b"VP8X") + 12
    return data[:at] + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little") + data[at + 6 :]


def with_lossy_size(data, width, height):
    at = data.index(b"\x9d\x01\x2a") + 3
    return data[:at] + struct.pack("<HH", width, height) + data[at + 4 :]


def with_lossless_size(data, width, height):
    at = data.index(b"VP8L") + 9
    return data[:at] + struct.pack("<I", width - 1 | height - 1 << 14) + data[at + 4 :]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(100_000, 100_000), "100,000 × 100,000"),
        (png(1, MAX_PIXELS + 1), "1 × 64,000,001"),
        (with_jpeg_size(IMAGES["jpeg"], 65_500, 65_500), "65,500 × 65,500"),
        (with_canvas(IMAGES["webp alpha"], 2**24, 2**24), "16,777,216 × 16,777,216"),
        (with_lossy_size(IMAGES["webp"], 16_383, 16_383), "16,383 × 16,383"),
        (with_lossless_size(IMAGES["webp lossless"], 16_384, 16_384), "16,384 × 16,384"),
    ],
    ids=["png", "png thin", "jpeg", "webp canvas", "webp lossy", "webp lossless"],
)
def test_a_bomb_is_refused_with_its_size_and_is_not_opened(data, size, monkeypatch):
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(MediaError, match=f"{size} px is over the limit of 64,000,000 px"):
        check_image(data, "full")


@pytest.mark.parametrize("data", [png(0, 5), with_jpeg_size(IMAGES["jpeg"], 5, 0)], ids=["png", "jpeg"])
def test_a_picture_has_a_pixel(data):
    with pytest.raises(MediaError, match="at least one pixel"):
        check_image(data)


def test_the_pixel_limit_itself_is_allowed():
    assert check_image(png(8_000, 8_000)) == "png"


def test_the_frames_of_an_animation_count_together(monkeypatch):
    pixels = 24 * 17
    monkeypatch.setattr(containers, "MAX_PIXELS", 2 * pixels)
    assert check_image(IMAGES["webp animated"], "full") == "webp"
    monkeypatch.setattr(containers, "MAX_PIXELS", 2 * pixels - 1)
    with pytest.raises(MediaError, match="together"):
        check_image(IMAGES["webp animated"], "full")


def test_a_video_keeps_to_the_pixel_limit(monkeypatch):
    monkeypatch.setattr(containers, "MAX_PIXELS", 64 * 48)
    check_video(VIDEOS["h264"], "full")
    monkeypatch.setattr(containers, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(MediaError, match="64 × 48 px is over the limit"):
        check_video(VIDEOS["h264"])


def test_the_decoder_keeps_to_the_pixel_limit_whatever_the_container_says(monkeypatch):
    at = VIDEOS["mpeg4"].index(b"mp4v", VIDEOS["mpeg4"].index(b"stsd")) + 28
    small = VIDEOS["mpeg4"][:at] + struct.pack(">HH", 4, 4) + VIDEOS["mpeg4"][at + 4 :]
    monkeypatch.setattr(containers, "MAX_PIXELS", 100)
    with pytest.raises(MediaError):
        check_video(small, "full")


@pytest.mark.parametrize("check", [check_image, check_video])
def test_an_empty_file_is_refused(check):
    with pytest.raises(MediaError, match="empty"):
        check(b"")


@pytest.mark.parametrize(
    ("check", "limit", "data"),
    [(check_image, "MAX_IMAGE_BYTES", IMAGES["png"]), (check_video, "MAX_VIDEO_BYTES", VIDEOS["mpeg4"])],
)
def test_the_byte_limit(check, limit, data, monkeypatch):
    monkeypatch.setattr(media, limit, len(data))
    check(data)
    monkeypatch.setattr(media, limit, len(data) - 1)
    with pytest.raises(MediaError, match=f"{len(data):,} bytes are over the limit of {len(data) - 1:,}"):
        check(data)


def test_the_number_of_parts_is_limited(monkeypatch):
    monkeypatch.setattr(containers, "MAX_PARTS", 50)
    with pytest.raises(MediaError, match="more than 50 parts"):
        check_image(png(1, 1, b"\0\0", chunks=[(b"tEXt", b"")] * 50))


# ---- Formats


OTHERS = {
    "GIF": encoded(picture(), "GIF"),
    "BMP": encoded(picture(), "BMP"),
    "TIFF": encoded(picture(), "TIFF"),
    "ICO": encoded(picture(32, 32), "ICO"),
    "AVI": b"RIFF\x10\0\0\0AVI LIST",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0",
    "AVIF": b"\0\0\0\x18ftypavif\0\0\0\0",
    "WebM": b"\x1aE\xdf\xa3\x01\0\0\0",
    "PDF": b"%PDF-1.7\n",
    "ZIP": b"PK\x03\x04\x14\0",
    "HTML": b"\n<!DOCTYPE html><title>404</title>",
    "SVG": b'<?xml version="1.0"?><svg/>',
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "text": b"Not Found",
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(("check", "taken"), [(check_image, "an image must be JPEG, PNG, WebP"), (check_video, "MP4")])
def test_another_format_is_refused_by_name(name, check, taken):
    with pytest.raises(MediaError, match=f"the content is .*{name}.*; .*{taken}"):
        check(OTHERS[name])


def test_an_unknown_format_is_shown():
    with pytest.raises(MediaError, match=r"unknown format \(starts with b'\\x00\\x9a'\)"):
        check_image(b"\x00\x9a")


def test_an_image_is_no_video_and_a_video_no_image():
    with pytest.raises(MediaError, match="content is MP4; an image must be"):
        check_image(VIDEOS["mpeg4"])
    with pytest.raises(MediaError, match="content is JPEG; a video must be MP4"):
        check_video(IMAGES["jpeg"])


# ---- Broken structure


SOF = JPEG[SOF_AT : SOF_AT + 19]
IHDR = png(1, 1)[8:33]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (JPEG[:SOF_AT] + SOF + JPEG[SOF_AT:], "2 frame headers"),
        (JPEG[:SOF_AT] + JPEG[SOF_AT + 19 :], "0 frame headers"),
        (JPEG[:SOF_AT] + b"\xff\xc0\x00\x04\x08\x00" + JPEG[SOF_AT + 19 :], "frame header is too short"),
        (JPEG[:SOF_AT] + b"junk" + JPEG[SOF_AT:], "starts no segment"),
        (JPEG[:SOF_AT] + b"\xff\xd9", "starts no segment"),
        (JPEG[:SOF_AT] + b"\xff\xfe\x00\x01" + JPEG[SOF_AT:], "shorter than its own header"),
        (JPEG[:SOF_AT], "no scan"),
        (JPEG[: SOS_AT + 40], "end marker"),
        (JPEG[:-2] + bytes(2), "end marker"),
        (PNG_START + IHDR[:8], "truncated"),
        (PNG_START + png(1, 1)[33:], "does not start with an IHDR"),
        (PNG_START + IHDR + IHDR + png(1, 1)[33:], "second IHDR"),
        (PNG_START + IHDR + png(1, 1)[-12:], "no IDAT"),
        (png(1, 1)[:-12], "no IEND"),
        (WEBP[:12] + b"XXXX" + WEBP[16:], "first chunk is b'XXXX'"),
        (WEBP[:23] + b"\0" + WEBP[24:], "key frame"),
        (IMAGES["webp lossless"][:20] + b"\0" + IMAGES["webp lossless"][21:], "signature"),
        (WEBP[:4] + struct.pack("<I", len(WEBP)) + WEBP[8:], "truncated WebP"),
        (b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10), "no image chunk"),
        (WEBP[:16] + struct.pack("<I", len(WEBP)) + WEBP[20:], "over the end"),
    ],
)
def test_a_broken_image_is_refused_with_the_reason(data, reason):
    with pytest.raises(MediaError, match=reason):
        check_image(data)


def test_jpeg_fill_bytes_and_bare_markers_are_allowed():
    assert check_image(JPEG[:SOF_AT] + b"\xff\x01\xff\xff" + JPEG[SOF_AT:]) == "jpg"


def test_a_webp_may_leave_out_its_last_pad_byte():
    payload = WEBP[20:]
    odd = payload.rstrip(b"\0") if len(payload.rstrip(b"\0")) % 2 else payload[:-1]
    data = b"RIFF" + struct.pack("<I", 12 + len(odd)) + b"WEBPVP8 " + struct.pack("<I", len(odd)) + odd
    assert check_image(data) == check_image(data + b"\0") == "webp"


def large_size(box):
    return struct.pack(">I", 1) + box[4:8] + struct.pack(">Q", len(box) + 8) + box[8:]


@pytest.mark.parametrize("verify", ["structure", "full"])
def test_the_three_sizes_of_a_box(verify):
    first = VIDEOS["moov first"]
    assert list(boxes(first))[-1][0] == b"mdat"
    check_video(rebuilt(first, lambda kind, box: bytes(4) + box[4:] if kind == b"mdat" else box), verify)
    last = VIDEOS["mpeg4"]
    free = next(box for kind, box in boxes(last) if kind == b"free")
    widened = rebuilt(last, lambda kind, box: {b"mdat": large_size(box), b"free": b""}.get(kind, box))
    assert len(free) == 8 and len(widened) == len(last)  # the frames stay where moov says
    check_video(widened, verify)


def test_ftyp_need_not_come_first():
    box = struct.pack(">I", 8) + b"free"
    moved = rebuilt(VIDEOS["mpeg4"], lambda kind, b: {b"ftyp": box + b, b"free": b""}.get(kind, b))
    check_video(moved, "full")


@pytest.mark.parametrize("lost", [b"ftyp", b"moov", b"mdat"])
def test_a_video_has_its_boxes(lost):
    with pytest.raises(MediaError, match=f"no {lost.decode()} box"):
        check_video(rebuilt(VIDEOS["mpeg4"], lambda kind, box: b"" if kind == lost else box))


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"\0\0\0\x07free", "shorter than its own header"),
        (b"\0\0\0\x01free" + bytes(8), "shorter than its own header"),
        (b"\0\0\0\x01free\xff\xff\xff\xff\xff\xff\xff\xff", "over the end"),
        (b"\0\0\0\x01free\0", "too few for a header"),
        (b"\0\0\0", "too few for a header"),
        (b"\0\0\1\0free", "runs 248 bytes over the end"),
    ],
)
def test_a_broken_box_is_refused_with_the_reason(tail, reason):
    with pytest.raises(MediaError, match=reason):
        check_video(VIDEOS["mpeg4"] + tail)


def test_a_video_has_a_video_stream():
    with pytest.raises(MediaError, match="no video stream"):
        check_video(sound())
