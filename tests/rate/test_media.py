"""What is sent for an image or a video: true types, upright, not larger than allowed."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emohub.data.images import decode
from emohub.errors import EmohubError, MediaError
from emohub.rate.media import MediaSettings, _middles, encoded, sampled_frames
from tests.data.media_files import movie


def picture(form: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: object) -> bytes:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (size[1], size[0], 4), "uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def sent(data: bytes, **settings: int) -> tuple[str, bytes]:
    (media,) = encoded(data, video=False, settings=MediaSettings(**settings))
    return media.mime, media.data


@pytest.mark.parametrize(("form", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_a_plain_picture_is_sent_as_it_is(form: str, mime: str) -> None:
    data = picture(form)
    assert sent(data) == (mime, data)


@pytest.mark.parametrize("form", ["WebP", "GIF", "BMP", "TIFF"])
def test_other_formats_become_what_every_server_reads(form: str) -> None:
    mime, data = sent(picture(form, mode="P" if form == "GIF" else "RGB"))
    assert mime == "image/jpeg" and Image.open(io.BytesIO(data)).format == "JPEG"


def test_what_is_sent_shows_what_the_model_sees() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    transparent = picture("PNG", mode="RGBA")
    for data in (picture("JPEG", exif=turned), transparent):
        mime, found = sent(data)
        shown, seen = Image.open(io.BytesIO(found)), decode(data)
        assert mime == "image/jpeg" and shown.size == seen.size and shown.mode == "RGB"
        assert np.abs(np.asarray(shown, "int16") - np.asarray(seen, "int16")).mean() < 6


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 120))
def test_the_longest_side_is_bounded_and_the_shape_stays(width: int, height: int, most: int) -> None:
    _, data = sent(picture("PNG", (width, height)), max_side=most)
    found = Image.open(io.BytesIO(data)).size
    assert max(found) == min(most, max(width, height))
    scale = max(found) / max(width, height)
    assert abs(found[0] - width * scale) <= 1 and abs(found[1] - height * scale) <= 1


@given(st.integers(1, 500), st.integers(1, 40))
def test_frames_are_evenly_spread(have: int, count: int) -> None:
    found = _middles(have, count)
    assert len(found) == min(have, count) and 0 <= found[0] and found[-1] < have
    assert count > 1 or found == [have // 2]
    gaps = np.diff(found)
    assert gaps.size == 0 or gaps.max() - gaps.min() <= 1


def test_a_video_is_frames_or_itself() -> None:
    data = movie(frames=10)
    frames = encoded(data, video=True, settings=MediaSettings(frames=3))
    assert [frame.mime for frame in frames] == ["image/jpeg"] * 3 and len({frame.sha256 for frame in frames}) == 3
    (whole,) = encoded(data, video=True, settings=MediaSettings(video_url=True))
    assert (whole.mime, whole.data) == ("video/mp4", data) and whole.url.startswith("data:video/mp4;base64,")
    assert len(sampled_frames(data, 99)) == 10


@pytest.mark.parametrize("video", [False, True])
def test_damaged_media_are_an_error(video: bool) -> None:
    data = movie(frames=4) if video else picture("JPEG")
    for bad in (b"", data[:100], b"\0" * 500):
        with pytest.raises(MediaError):
            encoded(bad, video=video, settings=MediaSettings())


def test_bad_settings_are_refused() -> None:
    with pytest.raises(EmohubError, match="--max-side is 0"):
        MediaSettings(max_side=0)
    with pytest.raises(EmohubError, match="--frames is -1"):
        MediaSettings(frames=-1)
