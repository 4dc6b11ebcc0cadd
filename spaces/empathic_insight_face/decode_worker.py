"""Decodes one file in a process of its own, with limits on computing time and memory; `decoding.py` starts it.

The file comes on the standard input. The answer goes to the standard output: lines of JSON, and after a line with a
`size` the pixels, height × width × 3 bytes. Nothing else is shared with the parent.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from PIL import Image

from errors import TOO_MUCH, Refused

Answer = tuple[dict[str, Any], Image.Image | None]
MB = 1 << 20


def main() -> None:
    """Decode what comes in; `sys.argv[1]` is JSON with `kind`, `options`, `cpu_seconds` and `memory_mb`."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what libraries print does not get into the answer
        task = json.loads(sys.argv[1])
        limit(task["cpu_seconds"], task["memory_mb"])
        try:
            for head, image in KINDS[task["kind"]](sys.stdin.buffer.read(), **task["options"]):
                write(out, head, image)
        except Refused as error:
            write(out, {"refused": str(error)})
        except MemoryError:
            write(out, {"refused": TOO_MUCH})
        else:
            write(out, {"end": True})


def limit(cpu_seconds: float, memory_mb: float) -> None:
    """Let the system end this process beyond so much, and let it write no file; without effect on Windows."""
    try:
        import resource
    except ImportError:
        return
    seconds = max(1, round(cpu_seconds))
    for kind, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, round(memory_mb * MB)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def picture(data: bytes, megapixels: float) -> Iterator[Answer]:
    """One picture with its notes."""
    from pictures import decode

    read = decode(data, megapixels)
    yield {"notes": read.notes}, read.image


def video(data: bytes, per_second: float, longest: float, most: int) -> Iterator[Answer]:
    """The plan, then the frames with their times."""
    from video import frames, plan

    chosen = plan(data, per_second, longest, most)
    yield asdict(chosen), None
    for frame in frames(data, chosen, longest, most):
        yield {"seconds": frame.seconds}, frame.image


KINDS: dict[str, Callable[..., Iterator[Answer]]] = {"picture": picture, "video": video}


def write(out: BinaryIO, head: dict[str, Any], image: Image.Image | None = None) -> None:
    """One line, and the pixels where there is a picture."""
    if image is not None:
        head = head | {"size": image.size}
    out.write(json.dumps(head).encode() + b"\n")
    if image is not None:
        out.write(image.tobytes())
    out.flush()


if __name__ == "__main__":
    main()
