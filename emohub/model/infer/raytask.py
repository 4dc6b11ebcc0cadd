"""The same rows as `emohub.model.infer.engine`, computed by many processes or machines through Ray Data.

Two stages: tasks read, decode and resize one batch each, wherever a core is free; a fixed pool of actors runs the
towers. Ray bounds the queue between them. Batches are those of the local engine, and the caller restores their order,
so the files are the same; rows from machines that round differently agree to about 1e-5.

On a cluster, every machine needs `pip install "emohub[ray]"`, and must see dataset and model at the same path, or
both as Hub ids. `out` is written by the machine that runs the command.

What Ray listens on: a head node that is started with `ray start --head` opens its ports (6379 and a range for the
workers) on all interfaces, and so does `ray.init()`, even with a node address of 127.0.0.1; whoever may talk to them
can run code. Keep a cluster in a private network, with the same `RAY_AUTH_TOKEN` on every machine. Without an address,
`run` starts Ray for this machine alone, bound to 127.0.0.1, without dashboard and without usage reports, and stops it
at the end.
"""

import logging
import os
import platform
import socket
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch

from emohub.data.images import decode
from emohub.data.parquet import Piece, between, read_rows
from emohub.data.shards import Shard
from emohub.errors import EmohubError, MediaError, ModelError
from emohub.model.infer.backends import Scored, load_backend, load_processor
from emohub.model.infer.decode import default_workers, to_pixels
from emohub.model.infer.engine import Part, Settings, process_name, score
from emohub.model.repo import ModelRepo, open_repo

logger = logging.getLogger(__name__)

LOCALHOST = "127.0.0.1"
DECODE_CPUS = 1
TOWER_CPUS = 0  # towers and decoders share the cores, as in one process; and equal numbers would fuse both stages
# Ray's switch for keeping to this machine; it is named for where it is the default, and is read on import.
LOCAL_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def run(todo: Sequence[Shard], repo: ModelRepo, settings: Settings) -> Generator[Part]:
    """Spread shards over Ray and yield their parts as they come.

    Raises:
        EmohubError: Ray is not installed, or no cluster answers at the address.
    """
    if not todo:
        return
    with connected(settings.address) as ray:
        replicas = Replicas.on(ray, settings.device, settings.actors)
        units = [unit for shard in todo for unit in _units(shard, settings.batch_size)]
        rows = (
            ray.data.from_items(units, override_num_blocks=len(units))
            .map_batches(_decoded, batch_size=1, num_cpus=DECODE_CPUS, fn_kwargs={"repo": repo})
            .map_batches(
                _Tower,
                batch_size=None,
                compute=ray.data.ActorPoolStrategy(size=replicas.count),
                fn_constructor_args=(repo, "cuda" if replicas.on_gpu else "cpu", replicas.on_each_machine),
                num_cpus=TOWER_CPUS,
                num_gpus=1 if replicas.on_gpu else None,
            )
        )
        for batch in rows.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=1):
            yield from _parts(batch)


@dataclass(frozen=True)
class Replicas:
    """Copies of a model on a cluster.

    Attributes:
        count: How many, each in an actor.
        on_gpu: Whether each has a GPU.
        on_each_machine: How many share a machine at most.
    """

    count: int
    on_gpu: bool
    on_each_machine: int

    @classmethod
    def on(cls, ray: Any, device: str | None, actors: int | None) -> "Replicas":
        """As many as wanted; otherwise one per GPU, or one per machine.

        Raises:
            EmohubError: a GPU is wanted, and the cluster has none.
        """
        gpus = int(ray.cluster_resources().get("GPU", 0))
        if device and device.startswith("cuda") and not gpus:
            raise EmohubError(f"device is {device!r}, and the Ray cluster has no GPU. Leave --device out.")
        on_gpu = bool(gpus) and device != "cpu"
        machines = sum(node["Alive"] for node in ray.nodes())
        count = actors or (gpus if on_gpu else machines)
        return cls(count, on_gpu, -(-count // machines))


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster or started here; one that was running before is left as it is."""
    late = "ray" in sys.modules
    for name, value in {"RAY_USAGE_STATS_ENABLED": "0", **({} if address else LOCAL_ONLY)}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise EmohubError(f'The engine "ray" needs Ray ({error}). Install it: pip install "emohub[ray]".') from error
    before = ray.is_initialized()
    if late and not before and not address:
        logger.warning("Ray was imported too early to be bound to %s: it listens on all interfaces.", LOCALHOST)
    local = {"address": "local", "_node_ip_address": LOCALHOST, "include_dashboard": False}
    try:
        if address and not before:
            _reach(address)
        if not before:
            ray.init(**({"address": address} if address else local), log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise EmohubError(
            f"No Ray cluster for address {address!r}: {error}. Start one with `ray start --head` and give its "
            "address as HOST:6379, with its RAY_AUTH_TOKEN set, or leave --address out to use this machine alone."
        ) from error
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    try:
        yield ray
    finally:
        if not before:
            ray.shutdown()


def _reach(address: str) -> None:
    """Look whether anyone listens at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if port.isdigit():
        socket.create_connection((host.removeprefix("ray://"), int(port)), timeout=10).close()


def _units(shard: Shard, size: int) -> list[dict[str, Any]]:
    """One batch each: which rows of which shard, and where they are."""
    starts = range(0, shard.rows, size)
    pieces = {start: between(shard.pieces, start, start + size) for start in starts}
    return [
        {
            "shard": shard.name,
            "start": start,
            "pieces": [[piece.file, str(piece.group), str(piece.start), str(piece.stop)] for piece in pieces[start]],
        }
        for start in starts
    ]


@cache
def _processor(repo: ModelRepo) -> Any:
    return load_processor(_at_hand(repo))


def _at_hand(repo: ModelRepo) -> ModelRepo:
    """The repo as this machine has it; from the Hub, the very commit that was checked where the run began."""
    if repo.folder.is_dir():
        return repo
    if repo.revision is None:
        raise ModelError(f"{platform.node()} has no {repo.folder}. Put the model at the same path, or on the Hub.")
    here = open_repo(
        repo.source, backend=repo.backend, dtype=repo.dtype, revision=repo.revision, trust_remote_code=True
    )
    return replace(here, files=repo.files)  # what was checked there is what runs here


def _decoded(unit: dict[str, Any], repo: ModelRepo) -> dict[str, Any]:
    """One unit → its images: `why` says what is wrong with one, its pixels are zero then."""
    pieces = [Piece(file, int(group), int(start), int(stop)) for file, group, start, stop in unit["pieces"][0]]
    rows = list(read_rows(pieces))
    pixels, why = np.zeros((len(rows), 3, *repo.side), "float32"), [""] * len(rows)
    for index, (_, data) in enumerate(rows):
        try:
            pixels[index] = to_pixels(decode(data), _processor(repo))
        except MediaError as error:
            why[index] = str(error)
    start = int(unit["start"][0])
    return {
        "shard": [unit["shard"][0]] * len(rows),
        "row": np.arange(start, start + len(rows)),
        "item": [item for item, _ in rows],
        "why": why,
        "pixels": pixels,
        "decoder": [process_name()] * len(rows),
    }


def share_cores(neighbours: int) -> None:
    """Let PyTorch use this actor's share of its machine; Ray would allow one thread."""
    torch.set_num_threads(max(1, default_workers() // neighbours))


class _Tower:
    """The model in an actor."""

    def __init__(self, repo: ModelRepo, device: str, neighbours: int):
        share_cores(neighbours)
        self.repo, self.backend = repo, load_backend(_at_hand(repo), device)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        good = np.array([not why for why in batch["why"]])
        scored = score(self.backend, np.ascontiguousarray(batch.pop("pixels")[good]), self.repo)
        found = {}
        for name in ("embeds", "scores", "dimensions"):
            values = getattr(scored, name)
            found[name] = np.zeros((len(good), values.shape[1]), "float32")
            found[name][good] = values
        return {**batch, **found, "tower": [process_name()] * len(good)}


def _parts(batch: dict[str, Any]) -> Iterator[Part]:
    """A block's rows as parts, one a shard."""
    good = np.array([not why for why in batch["why"]])
    for shard in dict.fromkeys(batch["shard"]):
        mine = np.array([name == shard for name in batch["shard"]])
        at, bad = np.flatnonzero(mine & good), np.flatnonzero(mine & ~good)
        yield Part(
            str(shard),
            [int(batch["row"][index]) for index in at],
            [str(batch["item"][index]) for index in at],
            Scored(*(np.asarray(batch[name][at]) for name in ("embeds", "scores", "dimensions"))),
            [(int(batch["row"][index]), str(batch["item"][index]), str(batch["why"][index])) for index in bad],
            frozenset({str(name) for which in ("decoder", "tower") for name in batch[which][mine]}),
        )
