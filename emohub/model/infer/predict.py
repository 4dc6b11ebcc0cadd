"""`emohub predict`: scores of images and videos, human-readable, as CSV or as JSON lines."""

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from emohub.errors import EmohubError, MediaError, listed
from emohub.model.infer.backends import load_backend, load_processor
from emohub.model.infer.decode import overlapped, to_pixels
from emohub.model.infer.engine import score
from emohub.model.infer.faces import FaceCropper
from emohub.model.infer.frames import Frame, find_files, frames_of
from emohub.model.repo import AUTO, open_repo

logger = logging.getLogger(__name__)

BATCH_SIZE = 8
FPS = 1.0

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Scores of one picture.

    Attributes:
        source: The file.
        seconds: Time in a video, None for an image.
        face: Left, top, width and height of the face crop, in pixels; None without face detection.
        scores: Emotion → intensity above a neutral face, about 0…7, in the model's order.
        dimensions: The model's further scores by name; often none.
    """

    source: str
    seconds: float | None
    face: Box | None
    scores: dict[str, float]
    dimensions: dict[str, float]

    def top(self, k: int | None = None) -> list[tuple[str, float]]:
        """The `k` highest scores, highest first; None gives all."""
        return sorted(self.scores.items(), key=lambda pair: -pair[1])[:k]


def predict(
    inputs: Sequence[str | Path],
    model: str | Path,
    *,
    fps: float | None = FPS,
    face: bool = False,
    backend: str = AUTO,
    dtype: str = "float32",
    batch_size: int = BATCH_SIZE,
    workers: int | None = None,
    device: str | None = None,
    skip_bad: bool = False,
    model_revision: str | None = None,
    trust_remote_code: bool = False,
) -> Iterator[Prediction]:
    """Score images and the frames of videos, one after the other, in order.

    Args:
        inputs: Files, folders (everything below), globs.
        model: Folder of a model repo, or a Hub model id.
        fps: Frames per second to take from a video; None takes all.
        face: Crop to the largest face first; a picture without one counts as bad.
        backend: "auto", "torch", "onnx" or "onnx-int8"; see `emohub.model.repo.open_repo`.
        dtype: "float32" or "bfloat16".
        batch_size: Pictures per forward pass.
        workers: Threads that decode.
        device: "cpu", "cuda" …; by default a GPU where there is one.
        skip_bad: Skip bad pictures with a warning instead of failing.
        model_revision: Commit, branch or tag on the Hub.
        trust_remote_code: Run the model repo's code even if it differs from this emohub's.

    Yields:
        One prediction per picture.

    Raises:
        SourceError: an input matches no file.
        ModelError: the model repo cannot be run.
        MediaError: pictures that cannot be scored, and `skip_bad` is off; names them.
        EmohubError: a number out of range, or no detector for `face`.
    """
    if fps is not None and not 0 < fps < float("inf"):
        raise EmohubError(f"fps is {fps}; must be above 0.")
    if batch_size < 1 or (workers or 1) < 1:
        raise EmohubError(f"batch_size is {batch_size}, workers {workers}; must be 1 or more.")
    files = find_files([str(one) for one in inputs])
    repo = open_repo(
        model,
        backend=backend,
        dtype=dtype,
        device=device,
        revision=model_revision,
        trust_remote_code=trust_remote_code,
    )
    cropper = FaceCropper() if face else None
    engine, processor = load_backend(repo, device), load_processor(repo)
    bad, boxes, lock = _Bad(skip_bad), dict[int, Box](), Lock()

    def load(numbered: tuple[int, Frame]) -> np.ndarray:
        number, frame = numbered
        image = frame.load()
        if cropper is not None:
            image, box = cropper(image)
            with lock:
                boxes[number] = box
        return to_pixels(image, processor)

    frames = enumerate(_frames(files, fps, bad))
    groups = _grouped(
        (((number, frame.source, frame.seconds), (number, frame)) for number, frame in frames), batch_size
    )
    for batch in overlapped(groups, load, engine.buffer, workers=workers, ahead=1):
        for (_, source, seconds), why in batch.bad:
            bad.add(source, seconds, why)
        scored = score(engine, batch.pixels, repo)
        for (number, source, seconds), scores, dimensions in zip(
            batch.keys, scored.scores.tolist(), scored.dimensions.tolist(), strict=True
        ):
            named = dict(zip(repo.labels, scores, strict=True)), dict(zip(repo.dimensions, dimensions, strict=True))
            yield Prediction(source, seconds, boxes.pop(number, None), *named)
    bad.report()


class _Bad:
    """Pictures that could not be scored: an error at once, or a warning at the end."""

    def __init__(self, skip: bool) -> None:
        self.skip = skip
        self.lines: list[str] = []

    def add(self, source: str, seconds: float | None, why: object) -> None:
        line = f"{source}{'' if seconds is None else f' at {seconds:g} s'}: {why}"
        if not self.skip:
            raise MediaError(f"{line}. Fix or remove it, or skip such pictures with --skip-bad.")
        self.lines.append(line)

    def report(self) -> None:
        if self.lines:
            logger.warning("%d pictures skipped:\n%s", len(self.lines), listed(self.lines))


def _frames(files: Iterable[Path], fps: float | None, bad: _Bad) -> Iterator[Frame]:
    for path in files:
        try:
            yield from frames_of(path, fps)
        except MediaError as error:
            bad.add(str(path), None, error)


def _grouped(pairs: Iterable, size: int) -> Iterator[list]:
    pairs = iter(pairs)
    while group := list(itertools.islice(pairs, size)):
        yield group
