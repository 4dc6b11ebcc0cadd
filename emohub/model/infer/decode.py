"""From bytes to pixels in threads, ahead of whoever consumes them and never far ahead.

Decoding and resizing release Python's lock, so they run beside the tower. What waits is bounded by batches, not by
what memory there is: see `overlapped`.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image

from emohub.errors import MediaError

AHEAD = 2
MAX_WORKERS = 32
_POLL = 0.1  # seconds between two looks at whether the consumer is gone

Key = TypeVar("Key")
Payload = TypeVar("Payload")


@dataclass(slots=True)
class Batch(Generic[Key]):
    """Pixels that are ready.

    Attributes:
        keys: Whose rows of `pixels` these are.
        pixels: (len(keys), 3, height, width) float32.
        bad: Images that could not be decoded, and why.
    """

    keys: list[Key]
    pixels: np.ndarray
    bad: list[tuple[Key, str]]


def to_pixels(image: Image.Image, processor: Any) -> np.ndarray:
    """What the image processor makes of an image, (3, height, width) float32."""
    return processor(images=image, return_tensors="np")["pixel_values"][0]


def default_workers() -> int:
    """One thread a core that this process may use."""
    return min(MAX_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def overlapped(
    groups: Iterable[Sequence[tuple[Key, Payload]]],
    load: Callable[[Payload], np.ndarray],
    buffer: Callable[[int], np.ndarray],
    *,
    workers: int | None = None,
    ahead: int = AHEAD,
) -> Iterator[Batch[Key]]:
    """Load groups of images in threads and yield them in order.

    One thread walks `groups`, `workers` threads load. At most `ahead + 2` groups exist at any time: `ahead` in the
    queue, one that waits to get in, and one that the consumer works on. Threads end when the consumer does.

    Args:
        groups: Lists of (key, payload); each becomes one batch.
        load: Makes (3, height, width) of a payload; a `MediaError` puts the image on the batch's bad list.
        buffer: Gives room for n images.
        workers: Threads that load; by default one a core.
        ahead: Groups in the queue.

    Raises:
        Exception: whatever `groups` raises, and what `load` raises but for `MediaError`.
    """
    ready: Queue[_Waiting[Key] | BaseException | None] = Queue(maxsize=ahead)
    gone = Event()
    pool = ThreadPoolExecutor(workers or default_workers(), thread_name_prefix="emohub-decode")
    feeder = Thread(target=_feed, args=(groups, load, buffer, pool, ready, gone), name="emohub-read", daemon=True)
    feeder.start()
    try:
        while (waiting := ready.get()) is not None:
            if isinstance(waiting, BaseException):
                raise waiting
            yield waiting.finished()
            del waiting
    finally:
        gone.set()
        pool.shutdown(wait=False, cancel_futures=True)
        feeder.join()
        pool.shutdown()


@dataclass(slots=True)
class _Waiting(Generic[Key]):
    """A batch whose images are being loaded into its pixels."""

    keys: list[Key]
    pixels: np.ndarray
    done: list[Future[str | None]]

    def finished(self) -> Batch[Key]:
        faults = [future.result() for future in self.done]
        good = [index for index, fault in enumerate(faults) if fault is None]
        if len(good) == len(self.keys):
            return Batch(self.keys, self.pixels, [])
        bad = [(key, fault) for key, fault in zip(self.keys, faults, strict=True) if fault is not None]
        return Batch([self.keys[index] for index in good], self.pixels[good], bad)


def _feed(groups: Iterable, load: Callable, buffer: Callable, pool: Any, ready: Queue, gone: Event) -> None:
    def into(room: np.ndarray, payload: Any) -> str | None:
        try:
            room[...] = load(payload)
        except MediaError as error:
            return str(error)
        return None

    def put(waiting: Any) -> bool:
        while not gone.is_set():
            try:
                ready.put(waiting, timeout=_POLL)
                return True
            except Full:
                continue
        return False

    try:
        for group in groups:
            pixels = buffer(len(group))
            done = [pool.submit(into, pixels[index], payload) for index, (_, payload) in enumerate(group)]
            if not put(_Waiting([key for key, _ in group], pixels, done)):
                return
            del group, pixels, done
        put(None)
    except BaseException as error:  # also a pool that takes no more work, because the consumer is gone
        put(error)
