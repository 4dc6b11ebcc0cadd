"""Process shards on one machine; `emohub.model.infer.raytask` does the same on many."""

import os
import platform
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from emohub.data.images import decode
from emohub.data.parquet import read_rows
from emohub.data.shards import Shard
from emohub.model.infer.backends import Backend, Scored, load_backend, load_processor
from emohub.model.infer.decode import overlapped, to_pixels
from emohub.model.repo import ModelRepo

BATCH_SIZE = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """Execution settings; none changes a row by more than rounding.

    Attributes:
        batch_size: Images per forward pass.
        workers: Threads that decode; None is one per core.
        device: Device of the tower; None takes a GPU if there is one.
        address: Of a Ray cluster; None starts one on this machine.
        actors: Model replicas on Ray; None is one per GPU, or one per machine.
    """

    batch_size: int = BATCH_SIZE
    workers: int | None = None
    device: str | None = None
    address: str | None = None
    actors: int | None = None


@dataclass(slots=True)
class Part:
    """Results for some rows of a shard.

    Attributes:
        shard: Name of the shard.
        rows: Positions in the shard, without skipped ones.
        items: Ids of these rows.
        scored: Their embeddings and scores.
        bad: (position, item, why) of images that cannot be decoded.
        workers: Processes that computed it.
    """

    shard: str
    rows: list[int]
    items: list[str]
    scored: Scored
    bad: list[tuple[int, str, str]]
    workers: frozenset[str]


def run_local(todo: Sequence[Shard], repo: ModelRepo, settings: Settings) -> Generator[Part]:
    """One process: threads read, decode and resize ahead while the tower computes."""
    if not todo:
        return
    backend, processor = load_backend(repo, settings.device), load_processor(repo)
    groups = (group for shard in todo for group in grouped(shard, settings.batch_size))
    workers = frozenset({process_name()})

    def load(data: bytes) -> np.ndarray:
        return to_pixels(decode(data), processor)

    for batch in overlapped(groups, load, backend.buffer, workers=settings.workers):
        shard = (batch.keys or [key for key, _ in batch.bad])[0][0]
        rows, items = [row for _, row, _ in batch.keys], [item for _, _, item in batch.keys]
        bad = [(row, item, why) for (_, row, item), why in batch.bad]
        yield Part(shard, rows, items, score(backend, batch.pixels, repo), bad, workers)


def process_name() -> str:
    """Name of this process, unique across machines."""
    return f"{platform.node()}:{os.getpid()}"


def grouped(shard: Shard, size: int) -> Iterator[list[tuple[tuple[str, int, str], bytes]]]:
    """The images of a shard, `size` at a time: ((shard, row, item), bytes)."""
    group = []
    for row, (item, data) in enumerate(read_rows(shard.pieces)):
        group.append(((shard.name, row, item), data))
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def score(backend: Backend, pixels: np.ndarray, repo: ModelRepo) -> Scored:
    """Run the model; zero images give empty arrays."""
    if len(pixels):
        return backend(pixels)
    return Scored(*(np.empty((0, size), "float32") for size in (repo.width, len(repo.labels), len(repo.dimensions))))
