"""The media of an item as they are sent: a picture, the frames of a video, or the video itself."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
from PIL import Image

from emohub.data.containers import MAX_PIXELS, check_format
from emohub.data.images import FORMATS, decode
from emohub.data.media import check_video
from emohub.errors import EmohubError, MediaError
from emohub.hub.folders import load_shared
from emohub.rate.questions import Media

_FRAMES = load_shared("spaces", "_shared", "frames")
_ORIENTATION = 0x0112  # of EXIF
AS_IT_IS = {"JPEG": "image/jpeg", "PNG": "image/png"}  # what every server reads
QUALITY = 95  # of the JPEG of a picture that was made smaller, turned or flattened


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """How media are sent.

    Attributes:
        max_side: Longest side of a picture in pixels; larger ones are made smaller.
        frames: Pictures that stand for a video, evenly spread over it.
        video_url: Send a video as it is, for servers that take `video_url`.
    """

    max_side: int = 1024
    frames: int = 8
    video_url: bool = False

    def __post_init__(self) -> None:
        for name, value in (("--max-side", self.max_side), ("--frames", self.frames)):
            if value < 1:
                raise EmohubError(f"{name} is {value}; must be 1 or more.")


def encoded(data: bytes, *, video: bool, settings: MediaSettings) -> tuple[Media, ...]:
    """What is sent for an item.

    Args:
        data: The image or video of the dataset.
        video: Whether it is a video.
        settings: How media are sent.

    Raises:
        MediaError: it does not decode.
    """
    if not video:
        return (_picture(data, settings.max_side),)
    check_video(data)
    if settings.video_url:
        return (Media(data, "video/mp4"),)
    return tuple(_jpeg(frame, settings.max_side) for frame in sampled_frames(data, settings.frames))


def _picture(data: bytes, max_side: int) -> Media:
    """A picture as it is where every server shows it as we do, else upright, on white, small enough, as a JPEG."""
    image = decode(data)
    with Image.open(io.BytesIO(data)) as opened:
        plain = opened.mode in ("RGB", "L") and opened.getexif().get(_ORIENTATION, 1) == 1
        plain = plain and not getattr(opened, "is_animated", False) and "transparency" not in opened.info
    mime = AS_IT_IS.get(check_format(data, FORMATS, "an image"))
    if mime and plain and max(image.size) <= max_side:
        return Media(data, mime)
    return _jpeg(image, max_side)


def _jpeg(image: Image.Image, max_side: int) -> Media:
    if max(image.size) > max_side:
        image = image.copy()
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return Media(buffer.getvalue(), "image/jpeg")


def sampled_frames(data: bytes, count: int) -> list[Image.Image]:
    """Frames of a video, evenly spread: the middles of `count` equal parts; fewer where it has fewer frames.

    Args:
        data: The encoded video.
        count: How many.

    Raises:
        MediaError: it does not decode, or has no frame.
    """
    try:
        times = _times(data)
        wanted = {times[index] for index in _middles(len(times), count)}
        with av.open(io.BytesIO(data), "r", options={"max_pixels": str(MAX_PIXELS)}) as container:
            return [_FRAMES.upright(frame) for frame in container.decode(video=0) if _time(frame) in wanted]
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise MediaError(f"the video does not decode: {error}") from error


def _times(data: bytes) -> Sequence[Fraction]:
    """The time of every frame."""
    with av.open(io.BytesIO(data), "r", options={"max_pixels": str(MAX_PIXELS)}) as container:
        found = sorted({_time(frame) for frame in container.decode(video=0)})
    if not found:
        raise MediaError("the video has no frames")
    return found


def _time(frame: av.VideoFrame) -> Fraction:
    if frame.pts is None:
        raise ValueError("a frame has no time")
    return frame.pts * Fraction(frame.time_base or 1)


def _middles(have: int, count: int) -> list[int]:
    """Indices of the middles of `count` equal parts of `have` frames.

    >>> _middles(10, 4), _middles(2, 4)
    ([1, 3, 6, 8], [0, 1])
    """
    return sorted({(2 * number + 1) * have // (2 * count) for number in range(count)})
