"""Decoding in another process: a file that makes it stuck, huge or crash costs that process and nothing else."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, suppress
from threading import Timer
from typing import IO, Any

from PIL import Image

from errors import TOO_MUCH, Refused
from pictures import Picture
from settings import FOLDER, Settings
from video import MAX_PIXELS, Frame, Plan

WORKER = FOLDER / "decode_worker.py"
PATIENCE = 5  # seconds to wait for a second of computing, on a machine that has other work
LINE = 100_000  # bytes
# What the process gets of the environment: no token, no key.
PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}

Answer = tuple[dict[str, Any], Image.Image | None]


class Decoder:
    """Decodes uploads within the limits of the settings."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def picture(self, data: bytes) -> Picture:
        """A picture, read by the model's rule.

        Raises:
            Refused: no such picture, damaged, or beyond a limit.
        """
        megapixels = self.settings.picture_megapixels
        answers = self._answers("picture", data, round(megapixels * 1e6), megapixels=megapixels)
        (head, image), *_ = answers
        if image is None:
            raise Refused(TOO_MUCH)
        return Picture(image, tuple(map(str, head["notes"])))

    def video(self, data: bytes, per_second: float) -> tuple[Plan, Generator[Frame]]:
        """Which frames are taken, and these frames one after the other; close the iterator when done.

        Raises:
            Refused: no such video, damaged, or beyond a limit; also while iterating.
        """
        limits = self.settings
        options = {"per_second": per_second, "longest": limits.video_seconds, "most": limits.frames}
        answers = self._answers("video", data, MAX_PIXELS, **options)
        head, _ = next(answers)
        return Plan(float(head["seconds"]), float(head["step"]), int(head["count"])), _frames(answers)

    def _answers(self, kind: str, data: bytes, pixels: int, **options: Any) -> Generator[Answer]:
        limits = {"cpu_seconds": self.settings.decode_seconds, "memory_mb": self.settings.decode_mb}
        task = json.dumps({"kind": kind, "options": options, **limits})
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, str(WORKER), task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=passed_on | ONE_THREAD,
            cwd=FOLDER,
        )
        assert process.stdin and process.stdout
        watch = _Watch(process, PATIENCE * self.settings.decode_seconds)
        try:
            with suppress(OSError):  # a process that ended early says so below
                watch.call(process.stdin.write, data)
                process.stdin.close()
            while not (head := _head(watch, process.stdout)).get("end"):
                yield head, _pixels(watch, process.stdout, head.get("size"), pixels)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            with suppress(OSError):
                process.stdin.close()


def _frames(answers: Generator[Answer]) -> Generator[Frame]:
    with closing(answers):
        for head, image in answers:
            if image is not None:
                yield Frame(float(head["seconds"]), image)


class _Watch:
    """Kills a process when so many seconds were spent waiting for it."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float):
        self.process, self.left = process, seconds

    def call(self, function: Any, *arguments: Any) -> Any:
        timer = Timer(max(self.left, 0), self.process.kill)
        timer.daemon = True
        start = time.monotonic()
        timer.start()
        try:
            return function(*arguments)
        finally:
            timer.cancel()
            self.left -= time.monotonic() - start


def _head(watch: _Watch, stream: IO[bytes]) -> dict[str, Any]:
    line = watch.call(stream.readline, LINE)
    if not line.endswith(b"\n"):
        raise Refused(TOO_MUCH)
    head: dict[str, Any] = json.loads(line)
    if "refused" in head:
        raise Refused(str(head["refused"]))
    return head


def _pixels(watch: _Watch, stream: IO[bytes], size: list[int] | None, most: int) -> Image.Image | None:
    if size is None:
        return None
    width, height = map(int, size)
    if not 0 < width * height <= most:
        raise Refused(TOO_MUCH)
    data = watch.call(stream.read, 3 * width * height)
    if len(data) < 3 * width * height:
        raise Refused(TOO_MUCH)
    return Image.frombytes("RGB", (width, height), data)
