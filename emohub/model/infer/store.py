"""The folder that `emohub embed` writes: one Parquet file per shard, and `manifest.json`, which is written last.

Where the manifest is, the embeddings are complete. Columns:

- `item`: the image's id, `split`: the dataset's split,
- `embedding`: fixed-size list of float32, the tower's pooled output as it comes,
- `scores`: fixed-size list of float32, intensities above a neutral face in the order of the manifest's `labels`,
- `dimensions`: fixed-size list of float32 in the order of the manifest's `dimensions`, where the model has them.

With the dtype bfloat16 the embeddings are bfloat16 values in the same float32 column: no reader has to decode
anything, and nothing is wasted, as the byte-stream-split encoding sets the empty half of each number apart and
compression removes it.
"""

import importlib.metadata
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from emohub.errors import BuildError, listed
from emohub.model.infer.engine import Part
from emohub.model.infer.shards import Images, Shard
from emohub.model.repo import ModelRepo

MANIFEST, STARTED, LOCK = "manifest.json", ".started.json", ".lock"
PACKAGES = ("emohub", "torch", "transformers", "onnxruntime", "pillow")
_FIELDS = {"embedding": "embeds", "scores": "scores", "dimensions": "dimensions"}
_WRITING = ".writing"


def schema_of(repo: ModelRepo) -> pa.Schema:
    """Columns and their types."""

    def floats(size: int) -> pa.DataType:
        return pa.list_(pa.float32(), size)

    columns = [("item", pa.string()), ("split", pa.string()), ("embedding", floats(repo.width))]
    columns.append(("scores", floats(len(repo.labels))))
    return pa.schema(columns + ([("dimensions", floats(len(repo.dimensions)))] if repo.dimensions else []))


def write_shard(out: Path, shard: Shard, parts: Sequence[Part], repo: ModelRepo) -> None:
    """One Parquet file in the order of the dataset, whole or not there; what is left out stands in its metadata."""
    schema = schema_of(repo)
    order = np.argsort([row for part in parts for row in part.rows], kind="stable")
    items = np.array([item for part in parts for item in part.items], dtype=object)[order]
    columns = [pa.array(items, pa.string()), pa.array([shard.split] * len(items), pa.string())]
    for name in schema.names[2:]:
        values = np.concatenate([getattr(part.scored, _FIELDS[name]) for part in parts])[order]
        flat = pa.array(np.ascontiguousarray(values, "float32").ravel())
        columns.append(pa.FixedSizeListArray.from_arrays(flat, schema.field(name).type.list_size))
    bad = [[item, why] for _, item, why in sorted(one for part in parts for one in part.bad)]
    about = {"labels": repo.labels, "dimensions": repo.dimensions, "left_out": bad}
    table = pa.table(columns, schema.with_metadata({"emohub": json.dumps(about)}))
    temporary = out / f".{shard.name}{_WRITING}"
    with open(temporary, "wb") as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            use_dictionary=["split"],
            use_byte_stream_split=[f"{name}.list.element" for name in schema.names[2:]],
        )
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, out / shard.name)


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold the folder, which is made if it is not there; a killed process lets go of it.

    Raises:
        BuildError: it holds something else, or another process writes it.
    """
    if out.exists() and not out.is_dir():
        raise BuildError(f"{out} is a file. Choose another --out.")
    known = out.is_dir() and any((out / name).is_file() for name in (MANIFEST, STARTED, LOCK))
    if out.is_dir() and any(out.iterdir()) and not known:
        raise BuildError(f"{out} exists and was not made by `emohub embed`. Choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise BuildError(f"Another run is writing {out}. Wait for it, or choose another --out.") from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def plan_of(images: Images, repo: ModelRepo, shards: Sequence[Shard]) -> dict[str, Any]:
    """All that decides the rows; a run is resumed only where this is the same."""
    return {
        "dataset": {
            "source": images.source,
            "config": images.config,
            "revision": images.revision,
            "splits": images.rows(),
            "fingerprint": images.fingerprint,
        },
        "model": {"source": repo.source, "revision": repo.revision, "sha256": repo.digests()},
        "backend": repo.backend,
        "dtype": repo.dtype,
        "shards": {shard.name: shard.rows for shard in shards},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def begin(out: Path, plan: dict[str, Any]) -> dict[str, Any] | None:
    """Note the plan, or check it against the one that began this folder.

    Returns:
        The manifest if all is done already.

    Raises:
        BuildError: the plan is another one; says what differs.
    """
    for name in (MANIFEST, STARTED):
        if (path := out / name).is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            if changed := _differences({key: before.get(key) for key in plan}, plan):
                raise BuildError(
                    f"{out} was begun with other settings:\n{listed(changed)}\n"
                    "Run with those again, choose another --out, or remove the folder."
                )
            if name == MANIFEST and all((out / shard).is_file() for shard in plan["shards"]):
                (out / STARTED).unlink(missing_ok=True)
                return before
    (out / MANIFEST).unlink(missing_ok=True)  # a shard was taken away since
    for path in out.glob(f".*{_WRITING}"):
        path.unlink()
    _write_json(out / STARTED, plan)
    return None


def _differences(before: Any, now: Any, at: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = list(dict.fromkeys([*before, *now]))
        return [line for key in keys for line in _differences(before.get(key), now.get(key), f"{at}.{key}".strip("."))]
    return [] if before == now else [f"{at}: was {before}, is {now}"]


def finish(out: Path, plan: dict[str, Any], repo: ModelRepo, shards: Sequence[Shard], run: Any) -> dict[str, Any]:
    """Write the manifest from what the shards say, and nothing after it."""
    rows: dict[str, int] = {}
    left_out: list[dict[str, str]] = []
    for shard in shards:
        footer = pq.read_metadata(out / shard.name)
        rows[shard.split] = rows.get(shard.split, 0) + footer.num_rows
        bad = json.loads(footer.metadata[b"emohub"])["left_out"]
        left_out += [{"split": shard.split, "item": item, "why": why} for item, why in bad]
    names = {"labels": list(repo.labels), "dimensions": list(repo.dimensions)}
    manifest = {**plan, **names, "rows": rows, "left_out": left_out, "run": run}
    _write_json(out / MANIFEST, manifest)
    (out / STARTED).unlink()
    return manifest


def _write_json(path: Path, content: Any) -> None:
    temporary = path.with_name(f".{path.name}{_WRITING}")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)
