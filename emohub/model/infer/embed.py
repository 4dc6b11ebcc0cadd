"""`emohub embed`: an embedding and scores for every image of a dataset config, in Parquet.

`store` describes the files. A shard is written under a temporary name and renamed, so it is complete or absent: an
interrupted run resumes after its last complete shard.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tqdm import tqdm

from emohub.data.parquet import find_rows
from emohub.data.runs import run_folder
from emohub.data.shards import Shard, cut
from emohub.errors import BuildError, EmohubError, MediaError, listed
from emohub.model.infer import store
from emohub.model.infer.engine import BATCH_SIZE, Part, Settings, run_local
from emohub.model.repo import AUTO, ModelRepo, open_repo

SHARD_SIZE = 1024


def _run_ray(todo: Sequence[Shard], repo: ModelRepo, settings: Settings) -> Generator[Part]:
    """Many processes or machines, through Ray Data."""
    from emohub.model.infer.raytask import run

    return run(todo, repo, settings)


Engine = Callable[[Sequence[Shard], ModelRepo, Settings], Generator[Part]]
ENGINES: Mapping[str, Engine] = {"local": run_local, "ray": _run_ray}


def embed_dataset(
    dataset: str | Path,
    model: str | Path,
    out: Path,
    *,
    config: str | None = None,
    splits: Sequence[str] = (),
    engine: str = "local",
    backend: str = AUTO,
    dtype: str = "float32",
    batch_size: int = BATCH_SIZE,
    shard_size: int = SHARD_SIZE,
    workers: int | None = None,
    device: str | None = None,
    address: str | None = None,
    actors: int | None = None,
    skip_bad: bool = False,
    dataset_revision: str | None = None,
    model_revision: str | None = None,
    trust_remote_code: bool = False,
) -> dict[str, Any]:
    """Embed and score every image of a dataset config; resume an earlier run of the same settings.

    Args:
        dataset: Folder of a dataset repo, or a Hub dataset id, which is streamed.
        model: Folder of a model repo, or a Hub model id.
        out: Output folder; an earlier run with the same settings is resumed.
        config: Config of the dataset; by default its default.
        splits: Splits; by default all.
        engine: "local", or "ray" to spread the work over a Ray cluster (see `emohub.model.infer.raytask`).
        backend: "auto", "torch", "onnx" or "onnx-int8"; see `emohub.model.repo.open_repo`.
        dtype: "float32", or "bfloat16": what the tower computes in ("torch") and embeddings are stored with.
        batch_size: Images per forward pass.
        shard_size: Images per file; an interrupted run repeats at most one file.
        workers: Threads that decode.
        device: "cpu", "cuda" …; by default a GPU where there is one.
        address: Of a running Ray cluster, for the engine "ray".
        actors: Model replicas, for the engine "ray".
        skip_bad: Skip images that cannot be decoded and list them in the manifest, instead of failing.
        dataset_revision: Commit, branch or tag of the dataset on the Hub.
        model_revision: Commit, branch or tag of the model on the Hub.
        trust_remote_code: Run the model repo's code even if it differs from this emohub's.

    Returns:
        The manifest.

    Raises:
        SourceError: no such dataset, config or split, or no images in it.
        ModelError: the model repo cannot be run.
        BuildError: `out` holds something else or another run, or another process is writing it.
        MediaError: an image cannot be decoded, and `skip_bad` is off; complete shards are kept.
    """
    _check_numbers(engine, batch_size=batch_size, shard_size=shard_size, workers=workers, actors=actors)
    images = find_rows(dataset, config, splits, dataset_revision)
    repo = open_repo(
        model,
        backend=backend,
        dtype=dtype,
        device=device or ("cuda" if address else None),  # the machines of a cluster, not this one, run the model
        revision=model_revision,
        trust_remote_code=trust_remote_code,
    )
    shards = cut(images, shard_size)
    settings = Settings(batch_size, workers, device, address, actors)
    plan = store.plan_of(images, repo, shards)
    with run_folder(out, plan, "emohub embed", outputs=plan["shards"]) as run:
        if run.record is not None:
            return run.record
        todo = [shard for shard in shards if not (out / shard.name).is_file()]
        done_before = sum(shard.rows for shard in shards if shard not in todo)
        figures = _run(out, todo, done_before, repo, ENGINES[engine](todo, repo, settings), skip_bad)
        return store.finish(run, repo, shards, {"engine": engine, "batch_size": batch_size, **figures})


def _check_numbers(engine: str, **numbers: int | None) -> None:
    if engine not in ENGINES:
        raise EmohubError(f"engine is {engine!r}; valid: {', '.join(map(repr, ENGINES))}.")
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise EmohubError(f"{name} is {value}; must be 1 or more.")


def _run(
    out: Path, todo: Sequence[Shard], done_before: int, repo: ModelRepo, parts: Generator[Part], skip_bad: bool
) -> dict[str, Any]:
    """Write every shard as soon as all its rows have arrived; memory is bounded by the shards in progress."""
    wanted = {shard.name: shard for shard in todo}
    waiting: dict[str, list[Part]] = {}
    left = sum(shard.rows for shard in todo)
    workers: set[str] = set()
    start = time.perf_counter()
    progress = tqdm(total=done_before + left, initial=done_before, desc="embed", unit="image", smoothing=0.1)
    with closing(parts), progress:
        for part in parts:
            shard, workers = wanted[part.shard], workers | part.workers
            if part.bad and not skip_bad:
                raise MediaError(_bad_images(shard, part))
            gathered = waiting.setdefault(shard.name, [])
            gathered.append(part)
            progress.update(len(part.rows) + len(part.bad))
            if sum(len(one.rows) + len(one.bad) for one in gathered) == shard.rows:
                store.write_shard(out, shard, waiting.pop(shard.name), repo)
    if missing := [shard.name for shard in todo if not (out / shard.name).is_file()]:
        raise BuildError(f"The engine returned too few rows for {missing}. Run the same command again.")
    return {"images": left, "seconds": round(time.perf_counter() - start, 3), "processes": len(workers)}


def _bad_images(shard: Shard, part: Part) -> str:
    lines = listed([f"item {item!r} of the split {shard.split!r}: {why}" for _, item, why in part.bad])
    return f"Images that cannot be decoded:\n{lines}\nFix the files, or skip such images with --skip-bad."
