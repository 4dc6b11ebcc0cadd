"""The frames of a video that are scored."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
from PIL import Image

from errors import Refused
from frames import upright

# How a file begins → what FFmpeg may take it for. Playlists and the like, which point to other files, are not here.
CONTAINERS = (((4, 8), b"ftyp", "mp4"), ((0, 4), b"\x1aE\xdf\xa3", "matroska"))
MAX_PIXELS = 4096 * 2304
SOON = 1e-6
ADVICE = "Send a whole MP4, MOV or WebM file."


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its time from the start in seconds, and the upright picture in RGB."""

    seconds: float
    image: Image.Image


@dataclass(frozen=True, slots=True)
class Plan:
    """Which frames are taken: about `count` of them, one every `step` seconds, out of `seconds`."""

    seconds: float
    step: float
    count: int


def plan(data: bytes, per_second: float, longest: float, most: int) -> Plan:
    """Look at a video's head and say which frames to take.

    Args:
        data: The file.
        per_second: Frames a second that are asked for.
        longest: Seconds that a video may last.
        most: Frames that are scored at most; a longer video is sampled less often.

    Raises:
        Refused: no such video, without pictures, or too long.
    """
    with _opened(data) as container:
        stream = container.streams.video[0]
        declared, base = (
            (stream.duration, stream.time_base) if stream.duration else (container.duration, 1 / av.time_base)
        )
    # What a browser records does not say how long it is: then decoding stops at the limit.
    seconds = float((declared or 0) * (base or 0)) or longest
    if seconds > longest + 0.5:
        raise _too_long(seconds, longest)
    step = max(1 / per_second, seconds / most)
    return Plan(seconds, step, max(1, round(seconds / step)))


def frames(data: bytes, chosen: Plan, longest: float, most: int) -> Iterator[Frame]:
    """The first frame at or after every tick of a plan.

    Raises:
        Refused: damaged, or it is longer than it declares and than the limit.
    """
    tick, start, taken = 0, None, 0
    with _opened(data) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        rate = float(stream.average_rate or 25)
        try:
            for number, frame in enumerate(container.decode(stream)):
                time = frame.time if frame.time is not None else number / rate
                start = time if start is None else start
                seconds = time - start
                if seconds > longest + 0.5:
                    raise _too_long(seconds, longest)
                if seconds < tick * chosen.step - SOON or taken == most:
                    continue
                tick, taken = int(seconds / chosen.step + SOON) + 1, taken + 1
                yield Frame(round(seconds, 2), upright(frame))
        except (av.FFmpegError, ValueError) as error:
            if not isinstance(error, Refused):
                raise Refused(f"The video is damaged, or its pictures are too large. {ADVICE}") from error
            raise
    if not taken:
        raise Refused(f"No picture could be read from the video. {ADVICE}")


def _opened(data: bytes) -> av.container.InputContainer:
    kind = next((kind for (start, end), magic, kind in CONTAINERS if data[start:end] == magic), None)
    if kind is None:
        raise Refused(f"This is not a video that can be read here. {ADVICE}")
    try:
        container = av.open(io.BytesIO(data), "r", format=kind, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise Refused(f"The video is damaged. {ADVICE}") from error
    if not container.streams.video:
        container.close()
        raise Refused(f"The file has no pictures in it, perhaps only sound. {ADVICE}")
    return container


def _too_long(seconds: float, longest: float) -> Refused:
    return Refused(
        f"The video lasts {seconds:,.0f} seconds or more; up to {longest:g} are taken. Cut the part out that matters."
    )
