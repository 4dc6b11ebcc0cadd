"""The folder that `emohub embed` writes: one Parquet file per shard, and `manifest.json`, which is written last.

If the manifest exists, the embeddings are complete. Columns:

- `item`: the image's id, `split`: the dataset's split,
- `embedding`: fixed-size list of float32, the tower's pooled output, not normalised,
- `scores`: fixed-size list of float32, intensities above a neutral face in the order of the manifest's `labels`,
- `dimensions`: fixed-size list of float32 in the order of the manifest's `dimensions`, if the model has any.

With the dtype bfloat16 the embeddings are bfloat16 values in the same float32 column: every reader can read them, and
the byte-stream-split encoding lets the compression remove the zero half of each number.
"""

import importlib.metadata
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.parquet import Rows
from emohub.data.runs import Run, replacing_file
from emohub.data.shards import Shard
from emohub.hub.json_files import parse_json
from emohub.model.infer.engine import Part
from emohub.model.repo import ModelRepo

PACKAGES = ("emohub", "torch", "transformers", "onnxruntime", "pillow")
_FIELDS = {"embedding": "embeds", "scores": "scores", "dimensions": "dimensions"}


def schema_of(repo: ModelRepo) -> pa.Schema:
    """Columns and their types."""

    def floats(size: int) -> pa.DataType:
        return pa.list_(pa.float32(), size)

    columns = [("item", pa.string()), ("split", pa.string()), ("embedding", floats(repo.width))]
    columns.append(("scores", floats(len(repo.labels))))
    return pa.schema(columns + ([("dimensions", floats(len(repo.dimensions)))] if repo.dimensions else []))


def write_shard(out: Path, shard: Shard, parts: Sequence[Part], repo: ModelRepo) -> None:
    """Write one Parquet file in the order of the dataset, whole or not at all; its metadata lists skipped images."""
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
    with replacing_file(out / shard.name, durable=True) as path:
        pq.write_table(
            table,
            path,
            compression="zstd",
            use_dictionary=["split"],
            use_byte_stream_split=[f"{name}.list.element" for name in schema.names[2:]],
        )


def plan_of(images: Rows, repo: ModelRepo, shards: Sequence[Shard]) -> dict[str, Any]:
    """Everything that decides the rows; a run is resumed only with the same plan."""
    return {
        "dataset": {
            "source": images.source,
            "config": images.config,
            "revision": images.revision,
            "splits": images.counts(),
            "fingerprint": images.fingerprint,
        },
        "model": {"source": repo.source, "revision": repo.revision, "sha256": repo.digests()},
        "backend": repo.backend,
        "dtype": repo.dtype,
        "shards": {shard.name: shard.rows for shard in shards},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def finish(run: Run, repo: ModelRepo, shards: Sequence[Shard], figures: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest: names, rows and images left out, as the shards hold them, and figures of the run."""
    rows: dict[str, int] = {}
    left_out: list[dict[str, str]] = []
    for shard in shards:
        footer = pq.read_metadata(run.folder / shard.name)
        rows[shard.split] = rows.get(shard.split, 0) + footer.num_rows
        bad = parse_json(footer.metadata[b"emohub"])["left_out"]
        left_out += [{"split": shard.split, "item": item, "why": why} for item, why in bad]
    names = {"labels": list(repo.labels), "dimensions": list(repo.dimensions)}
    return run.finish(**names, rows=rows, left_out=left_out, run=figures)
