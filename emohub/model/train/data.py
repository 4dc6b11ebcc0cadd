"""Training data: embeddings from Parquet and labels from a dataset repo, joined on the image's id.

Embeddings come as `emohub embed` writes them: Parquet shards with the columns `item` (string) and `embedding` (a list
of numbers of one length). Labels come from a repo that `emohub build dataset` made; its images are not read.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emohub.data.runs import MANIFEST, STARTED
from emohub.data.source import fetch
from emohub.data.taxonomy import NAMES
from emohub.errors import SourceError, listed
from emohub.hub.json_files import parse_json, read_json

# Config of the dataset repo → column with one number, or null, per emotion.
LABELS = {"big": "intensities", "binary": "labels"}
SPLITS = ("train", "validation")
ROWS = 8192  # of a shard at a time


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Embeddings and the labels of their images, by raters or a model.

    Attributes:
        items: Ids of the images, (images,).
        embeddings: (images, in), float32.
        labels: By config and split, (images, 40) float32 in the order of the taxonomy; NaN where unknown,
            which includes every image that is not in that split.
        sources: Digests and names of the inputs, for the record.
    """

    items: Sequence[str]
    embeddings: np.ndarray
    labels: Mapping[tuple[str, str], np.ndarray]
    sources: dict[str, Any]


def read_training_data(embeddings: Sequence[Path], dataset: str, configs: Sequence[str]) -> TrainingData:
    """Read the labels of some configs and the embeddings of their images.

    Args:
        embeddings: Folders of Parquet shards; of an image in several, the first embedding is used.
        dataset: Folder of a dataset repo, or its Hub id.
        configs: Of `LABELS`.

    Raises:
        SourceError: files or columns are missing, labels are out of range, or images have no embedding.
    """
    repo, left_out = fetch(dataset), read_manifests(embeddings)[1]
    tables = {(config, split): _read_labels(repo, config, split) for config in configs for split in SPLITS}
    for config in configs:
        if not tables[config, "train"][0]:
            raise SourceError(
                f"{dataset} has no rows in {config}/train-*.parquet; found {_found_in(repo)}. "
                f"Build them with `emohub build dataset emonet-face --config {config}`."
            )
    items = list(dict.fromkeys(name for names, _ in tables.values() for name in names if name not in left_out))
    at = {item: row for row, item in enumerate(items)}
    matrix = read_embeddings(embeddings, items)
    labels = {}
    for key, (names, values) in tables.items():
        labels[key] = np.full((len(items), len(NAMES)), np.nan, dtype=np.float32)
        there = [row for row, name in enumerate(names) if name in at]
        labels[key][[at[names[row]] for row in there]] = values[there]
    sources = {
        "embeddings": {
            "folders": [path.resolve().name for path in embeddings],
            "left_out": len({name for names, _ in tables.values() for name in names} & left_out),
            "sha256": _digest(items, matrix),
        },
        "dataset": {
            "name": dataset if not Path(dataset).is_dir() else repo.resolve().name,
            "rows": {f"{config}/{split}": len(names) for (config, split), (names, _) in tables.items()},
            "positives": {config: positives for config in configs if (positives := _positives(repo, config))},
            "sha256": _digest(items, *labels.values()),
        },
    }
    return TrainingData(items, matrix, labels, sources)


def read_embeddings(folders: Sequence[Path], items: Sequence[str] | None = None) -> np.ndarray:
    """Embeddings of the items, in their order; without items, of all, in the order of the files.

    Args:
        folders: Folders with Parquet shards, also in subfolders.
        items: Ids; each needs an embedding.

    Returns:
        (items, in), float32.

    Raises:
        SourceError: no shards, wrong columns, lengths that differ, numbers that are not finite, or missing items.
    """
    shards = [shard for folder in folders for shard in _shards(folder)]
    if items is None:
        items = list(dict.fromkeys(name for shard in shards for name in _items(shard)))
    at = {item: row for row, item in enumerate(items)}
    seen, matrix = np.zeros(len(items), dtype=bool), np.empty((len(items), 0), dtype=np.float32)
    for shard in shards:
        for names, values in _batches(shard):
            if not matrix.shape[1]:
                matrix = np.empty((len(items), values.shape[1]), dtype=np.float32)
            if values.shape[1] != matrix.shape[1]:
                raise SourceError(
                    f"{shard}: embeddings of {values.shape[1]} numbers, elsewhere {matrix.shape[1]}. "
                    "Give folders that were embedded with the same model."
                )
            for name, value in zip(names, values, strict=True):
                row = at.get(name)
                if row is not None and not seen[row]:
                    seen[row], matrix[row] = True, value
    _check(folders, matrix, items, seen)
    return matrix


def read_manifests(folders: Sequence[Path]) -> tuple[dict[str, Any], set[str]]:
    """Read the `manifest.json` beside the shards; folders may have none.

    Returns:
        The model that computed the embeddings, "source" and "revision" among its entries, or {}; and the items that
        were skipped because their images are broken.

    Raises:
        SourceError: a run of `emohub embed` is not finished, or the folders are of different models.
    """
    models, left_out = [], set()
    for folder in folders:
        if any(folder.rglob(STARTED)):
            raise SourceError(f"{folder} is not finished. Run the same `emohub embed` again to resume it.")
        for path in sorted(folder.rglob(MANIFEST)):
            manifest = read_json(path)
            models += [manifest["model"]] if manifest.get("model") else []
            left_out |= {one["item"] for one in manifest.get("left_out", ())}
    if any(model != models[0] for model in models):
        raise SourceError(
            f"The embeddings are of different models: {sorted({str(model.get('source')) for model in models})}. "
            "Embed every config with the same one."
        )
    return (models or [{}])[0], left_out


def _check(folders: Sequence[Path], matrix: np.ndarray, items: Sequence[str], seen: np.ndarray) -> None:
    where = ", ".join(map(str, folders))
    if missing := [item for item, there in zip(items, seen.tolist(), strict=True) if not there]:
        raise SourceError(
            f"{len(missing):,} of {len(items):,} images have no embedding in {where}:\n{listed(missing, 5)}\n"
            "Run `emohub embed` on every config that is trained on, and give each folder as --embeddings."
        )
    if len(bad := np.flatnonzero(~np.isfinite(matrix).all(axis=1))):
        raise SourceError(
            f"{len(bad):,} embeddings in {where} are not finite:\n{listed([items[int(row)] for row in bad], 5)}\n"
            "Embed these images again."
        )


def _shards(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SourceError(f"--embeddings {folder} is not a folder. Give the --out of `emohub embed`.")
    shards = [path for path in sorted(folder.rglob("*.parquet")) if not path.name.startswith(".")]
    if not shards:
        raise SourceError(f"{folder} holds no *.parquet; found {_found_in(folder)}. Give the --out of `emohub embed`.")
    return shards


def _found_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())[:10]


def _items(shard: Path) -> list[str]:
    with _opened(shard, ("item",)) as file:
        return file.read(columns=["item"]).column(0).to_pylist()


def _batches(shard: Path) -> Iterator[tuple[list[str], np.ndarray]]:
    with _opened(shard, ("item", "embedding")) as file:
        for batch in file.iter_batches(ROWS, columns=["item", "embedding"]):
            if len(batch):
                yield batch.column(0).to_pylist(), _matrix(batch.column(1), f"{shard}: embedding")


def _opened(path: Path, columns: Sequence[str]) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"{path} is not a complete Parquet file: {error}. Write it again.") from error
    if missing := [name for name in columns if name not in file.schema_arrow.names]:
        raise SourceError(f"{path} lacks the columns {missing}; found {file.schema_arrow.names}.")
    return file


def _matrix(column: pa.Array, what: str) -> np.ndarray:
    """A column of lists of one length as (rows, length) float32, null as NaN."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or _fixed(column.type)):
        raise SourceError(f"{what} is {column.type}; must be a list of numbers.")
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if column.null_count or len(lengths) != 1 or not lengths[0]:
        raise SourceError(f"{what}: lists of length {sorted(lengths, key=str)[:5]}; all must have one length.")
    values = column.flatten()
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        raise SourceError(f"{what} holds {values.type}; must hold numbers.")
    return values.to_numpy(zero_copy_only=False).astype(np.float32, copy=False).reshape(len(column), lengths[0])


def _fixed(kind: pa.DataType) -> bool:
    return pa.types.is_fixed_size_list(kind)


def _read_labels(repo: Path, config: str, split: str) -> tuple[list[str], np.ndarray]:
    items: list[str] = []
    parts = [np.empty((0, len(NAMES)), dtype=np.float32)]
    for path in sorted((repo / config).glob(f"{split}-*.parquet")):
        with _opened(path, ("item", LABELS[config])) as file:
            table = file.read(columns=["item", LABELS[config]]).combine_chunks()
        if len(table):
            items += table.column(0).to_pylist()
            parts.append(_matrix(table.column(1).combine_chunks(), f"{path}: {LABELS[config]}"))
            _check_labels(path, config, parts[-1])
    return items, np.concatenate(parts)


def _check_labels(path: Path, config: str, values: np.ndarray) -> None:
    highest = {"big": 7, "binary": 1}[config]
    if values.shape[1] != len(NAMES):
        raise SourceError(f"{path}: {values.shape[1]} labels a row, must be {len(NAMES)}, one per emotion.")
    if len(bad := values[(values < 0) | (values > highest)]):
        raise SourceError(f"{path}: {len(bad):,} labels outside 0–{highest}, for example {bad[0]}. Build it again.")


def _positives(repo: Path, config: str) -> str | None:
    """The `--positives` that a config was built with, as `build.json` records it; None if it has no such choice."""
    try:
        record = parse_json((repo / "build.json").read_text(encoding="utf-8"))
        found = record["configs"][config].get("positives")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return None if found is None else str(found)


def _digest(items: Sequence[str], *arrays: np.ndarray) -> str:
    digest = hashlib.sha256("\n".join(items).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
