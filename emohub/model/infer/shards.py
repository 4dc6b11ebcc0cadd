"""The images of a dataset config, cut into shards that are the same in every run.

The rows of a shard follow from the Parquet footers alone, so a run can be resumed, or spread over machines, without
reading any image twice.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_dataset_builder
from datasets.exceptions import DatasetNotFoundError
from huggingface_hub.errors import HfHubHTTPError

from emohub.data.source import HUB_ID
from emohub.errors import SourceError

ITEM, IMAGE = "item", "image"


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows `start` to `stop` of one row group of one Parquet file, a path or an hf:// address."""

    file: str
    group: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Shard:
    """The images of one file of embeddings.

    Attributes:
        name: `<split>-00000-of-00003.parquet`.
        split: Split of the dataset.
        rows: Images.
        pieces: Their row groups, in order.
    """

    name: str
    split: str
    rows: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Images:
    """The images of one config.

    Attributes:
        source: Hub id, or the folder's name.
        config: Name of the config.
        revision: Commit on the Hub, None for a folder.
        splits: Split → its row groups, each whole.
        fingerprint: SHA-256 over splits, names, sizes and footers of the files.
    """

    source: str
    config: str
    revision: str | None
    splits: dict[str, list[Piece]]
    fingerprint: str

    def rows(self) -> dict[str, int]:
        """Images in each split."""
        return {split: sum(piece.stop for piece in pieces) for split, pieces in self.splits.items()}


def find_images(
    dataset: str | Path, config: str | None = None, splits: Sequence[str] = (), revision: str | None = None
) -> Images:
    """Find the Parquet files of a config, as `load_dataset` would, and read their footers.

    Args:
        dataset: Folder of a dataset repo, as `emohub build dataset` writes it, or a Hub dataset id, which is streamed.
        config: Config; by default the dataset's own default.
        splits: Which splits; by default all.
        revision: Commit, branch or tag on the Hub.

    Raises:
        SourceError: no such dataset, config or split, no Parquet files, or no images with ids.
    """
    builder = _builder(str(dataset), config, revision)
    files = {str(split): list(map(str, paths)) for split, paths in (builder.config.data_files or {}).items()}
    if unknown := [split for split in splits if split not in files]:
        raise SourceError(f"{dataset} has no splits {unknown}; valid: {', '.join(files)}.")
    files = {split: paths for split, paths in files.items() if not splits or split in splits}
    if other := [path for paths in files.values() for path in paths if not path.endswith(".parquet")]:
        raise SourceError(
            f"{dataset} is not stored as Parquet ({other[0]}). Give a repo that `emohub build dataset` wrote, or for "
            "a Hub dataset its converted branch: --dataset-revision refs/convert/parquet."
        )
    digest, pieces = hashlib.sha256(), {}
    for split, paths in files.items():
        pieces[split] = [piece for path in paths for piece in _pieces(path, split, str(dataset), digest)]
    name = Path(dataset).resolve().name if Path(dataset).is_dir() else str(dataset)
    first = next(iter(files.values()), [""])[0]
    commit = first.split("@", 1)[1].split("/", 1)[0] if first.startswith("hf://") and "@" in first else None
    return Images(name, builder.config.name, commit, pieces, digest.hexdigest())


def _builder(dataset: str, config: str | None, revision: str | None) -> Any:
    local = Path(dataset).is_dir()
    if not local and not HUB_ID.fullmatch(dataset):
        raise SourceError(f"{dataset!r} is not a folder. Give a dataset repo's folder, or a Hub id such as ORG/NAME.")
    path = str(Path(dataset).resolve()) if local else dataset
    try:
        return load_dataset_builder(path, config, revision=None if local else revision)
    except ValueError as error:  # its text names the configs that there are
        raise SourceError(f"{dataset}: {' '.join(str(error).split())} Pass one as --config.") from error
    except (DatasetNotFoundError, FileNotFoundError, HfHubHTTPError, ConnectionError, NotImplementedError) as error:
        raise SourceError(
            f"{dataset!r} cannot be loaded as a dataset: {error}. Check the spelling and the connection, or log in "
            "with `hf auth login` if it is gated."
        ) from error


def open_file(path: str) -> Any:
    """A Parquet file for reading: local, or on the Hub."""
    return fsspec.open(path, "rb").open() if "://" in path else open(path, "rb")


def _pieces(path: str, split: str, dataset: str, digest: Any) -> list[Piece]:
    """The row groups of a file; its name, size and footer go into the digest."""
    try:
        with open_file(path) as file:
            parquet = pq.ParquetFile(file)
            _check_columns(parquet.schema_arrow, dataset)
            groups = [parquet.metadata.row_group(index).num_rows for index in range(parquet.num_row_groups)]
            size = file.seek(-8, 2) + 8
            (length,) = struct.unpack("<I", file.read(4))
            file.seek(-8 - length, 2)
            digest.update(f"{split}\0{path.rsplit('/', 1)[-1]}\0{size}\0".encode() + file.read(length))
    except (pa.ArrowException, OSError, struct.error) as error:
        raise SourceError(f"{path} is not a readable Parquet file: {error}. Build or download it again.") from error
    return [Piece(path, index, 0, rows) for index, rows in enumerate(groups) if rows]


def _check_columns(schema: pa.Schema, dataset: str) -> None:
    names = dict(zip(schema.names, schema.types, strict=True))
    image = names.get(IMAGE)
    stored = image is not None and pa.types.is_struct(image) and image.get_field_index("bytes") >= 0
    if not stored or ITEM not in names:
        raise SourceError(
            f"{dataset}: this config has the columns {', '.join(names)}; embeddings need {ITEM!r}, the id, and "
            f"{IMAGE!r}, the bytes. Choose a --config with images; for videos there is `emohub predict`."
        )


def cut(images: Images, size: int) -> list[Shard]:
    """Cut every split into shards of `size` rows; the last of a split may be shorter."""
    shards = []
    for split, pieces in images.splits.items():
        total = sum(piece.stop for piece in pieces)
        count = -(-total // size)
        for number in range(count):
            start, stop = number * size, min(total, (number + 1) * size)
            name = f"{split}-{number:05d}-of-{count:05d}.parquet"
            shards.append(Shard(name, split, stop - start, between(pieces, start, stop)))
    return shards


def between(pieces: Sequence[Piece], start: int, stop: int) -> tuple[Piece, ...]:
    """The pieces that make up rows `start` to `stop` of a list of pieces.

    >>> between([Piece("a", 0, 0, 5), Piece("a", 1, 2, 9)], 4, 7)
    (Piece(file='a', group=0, start=4, stop=5), Piece(file='a', group=1, start=2, stop=4))
    """
    found, at = [], 0
    for piece in pieces:
        rows = piece.stop - piece.start
        first, last = max(start - at, 0), min(stop - at, rows)
        if first < last:
            found.append(Piece(piece.file, piece.group, piece.start + first, piece.start + last))
        at += rows
    return tuple(found)


def read_rows(pieces: Sequence[Piece]) -> Iterator[tuple[str, bytes]]:
    """Item and image bytes, row by row; a column chunk is read page by page, not at once.

    Raises:
        SourceError: a file is broken, or a row has no id.
    """
    for piece in pieces:
        try:
            with open_file(piece.file) as file:
                yield from _rows_of(pq.ParquetFile(file), piece)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"{piece.file} cannot be read: {error}. Build or download it again.") from error


def _rows_of(parquet: pq.ParquetFile, piece: Piece) -> Iterator[tuple[str, bytes]]:
    at = 0
    for batch in parquet.iter_batches(32, row_groups=[piece.group], columns=[ITEM, f"{IMAGE}.bytes"]):
        chosen = batch.slice(
            max(piece.start - at, 0), max(min(piece.stop - at, len(batch)) - max(piece.start - at, 0), 0)
        )
        for item, image in zip(chosen.column(ITEM), chosen.column(IMAGE), strict=True):
            name = item.as_py()
            if name is None or name == "":
                raise SourceError(f"{piece.file}: a row of row group {piece.group} has no {ITEM}.")
            data = image["bytes"] if image.is_valid else None
            yield str(name), (data.as_py() if data is not None else None) or b""
        at += len(batch)
        if at >= piece.stop:
            return
