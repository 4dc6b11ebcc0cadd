"""What `emohub predict` reads: image files, folders, globs, and the frames of videos."""

import glob
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from emohub.data.containers import MAX_PIXELS
from emohub.data.images import SUFFIXES, decode, read_bytes
from emohub.data.media import MAX_VIDEO_BYTES, check_video
from emohub.errors import MediaError, SourceError, listed
from emohub.hub.folders import load_shared

VIDEOS = (".m4v", ".mov", ".mp4")
_RULE = load_shared("spaces", "_shared", "frames")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture to score.

    Attributes:
        source: The file, as the user named it or as it was found.
        seconds: Time in a video, None for an image.
        image: The frame of a video; None for an image, which is read where it is decoded.
    """

    source: str
    seconds: float | None = None
    image: Image.Image | None = None

    def load(self) -> Image.Image:
        """The picture, read by the model's rule: upright and in RGB.

        Raises:
            MediaError: it cannot be read or decoded.
        """
        return self.image if self.image is not None else decode(read_bytes(Path(self.source)))


def find_files(inputs: Sequence[str]) -> list[Path]:
    """Files as given, images and videos below folders, and what globs match; each once, in that order.

    Raises:
        SourceError: an input names nothing; all of them are listed.
    """
    found: dict[Path, None] = {}
    problems = []
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES + VIDEOS and one.is_file())
        elif path.exists():
            files = [path]
        else:
            files = sorted(Path(one) for one in glob.glob(name, recursive=True) if Path(one).is_file())
        if not files:
            what = (
                "holds no image or video" if path.is_dir() else "is neither a file, a folder nor a glob that matches"
            )
            problems.append(f"{name} {what}")
        found |= dict.fromkeys(files)
    if problems or not found:
        kinds = ", ".join(SUFFIXES + VIDEOS)
        raise SourceError(
            f"Nothing to predict on:\n{listed(problems or ['no input'])}\n"
            f"Give files ({kinds}), folders of them, or globs in quotes."
        )
    return list(found)


def frames_of(path: Path, fps: float | None) -> Iterator[Frame]:
    """An image as it is, a video's frames one after the other.

    Args:
        path: File; its suffix says what it should be, its content is checked.
        fps: Frames a second to take from a video, the first at or after each tick; None takes all.

    Raises:
        MediaError: a video that cannot be read or decoded; an image is read later.
    """
    if path.suffix.lower() not in VIDEOS:
        yield Frame(str(path))
        return
    data = read_bytes(path, MAX_VIDEO_BYTES)
    check_video(data)
    try:
        yield from _video_frames(str(path), data, fps)
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(f"the video does not decode: {error}") from error


def _video_frames(source: str, data: bytes, fps: float | None) -> Iterator[Frame]:
    limit = {"max_pixels": str(MAX_PIXELS)}
    with av.open(io.BytesIO(data), "r", format="mp4", metadata_errors="replace", options=limit) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = limit
        rate = float(stream.average_rate or 25)
        tick, start = 0, None
        for number, frame in enumerate(container.decode(stream)):
            time = frame.time if frame.time is not None else number / rate
            start = time if start is None else start
            seconds = time - start
            if fps is not None and seconds * fps < tick - 1e-6:
                continue
            tick = math.floor(seconds * (fps or 0) + 1e-6) + 1
            yield Frame(source, round(seconds, 3), _RULE.upright(frame))
