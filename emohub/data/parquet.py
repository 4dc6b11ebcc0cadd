"""The rows of a dataset config with media, read from its Parquet files, here or on the Hub.

Which rows there are follows from the footers alone, so work on them can be cut, resumed and spread over machines
without reading any image twice.
"""

import hashlib
import struct
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, load_dataset_builder
from datasets.exceptions import DatasetNotFoundError
from huggingface_hub.errors import HfHubHTTPError

from emohub.data.source import HUB_ID
from emohub.errors import SourceError

ITEM, IMAGE, VIDEO = "item", "image", "video"


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows `start` to `stop` of one row group of one Parquet file, a path or an hf:// address."""

    file: str
    group: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one config with media.

    Attributes:
        source: Hub id, or the folder's name.
        config: Name of the config.
        revision: Commit on the Hub, None for a folder.
        media: The column with the media, "image" or "video"; empty where none was asked for.
        splits: Split → its row groups, each whole.
        fingerprint: SHA-256 over splits, names, sizes and footers of the files.
    """

    source: str
    config: str
    revision: str | None
    media: str
    splits: dict[str, list[Piece]]
    fingerprint: str

    def counts(self) -> dict[str, int]:
        """Rows in each split."""
        return {split: sum(piece.stop for piece in pieces) for split, pieces in self.splits.items()}


def find_rows(
    dataset: str | Path,
    config: str | None = None,
    splits: Sequence[str] = (),
    revision: str | None = None,
    *,
    media: Sequence[str] = (IMAGE,),
) -> Rows:
    """Find the Parquet files of a config, as `load_dataset` would, and read their footers.

    Args:
        dataset: Folder of a dataset repo, as `emohub build dataset` writes it, or a Hub dataset id, which is streamed.
        config: Config; by default the dataset's own default.
        splits: Which splits; by default all.
        revision: Commit, branch or tag on the Hub.
        media: Which columns of media will do: "image", "video"; none: a config without media will do.

    Raises:
        SourceError: no such dataset, config or split, no Parquet files, or no ids or none of the media.
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
    digest, pieces, found = hashlib.sha256(), dict[str, list[Piece]](), next(iter(media), "")
    for split, paths in files.items():
        pieces[split] = []
        for path in paths:
            groups, found = _pieces(path, split, str(dataset), digest, media)
            pieces[split] += groups
    name = Path(dataset).resolve().name if Path(dataset).is_dir() else str(dataset)
    first = next(iter(files.values()), [""])[0]
    commit = first.split("@", 1)[1].split("/", 1)[0] if first.startswith("hf://") and "@" in first else None
    return Rows(name, builder.config.name, commit, found, pieces, digest.hexdigest())


def check_dataset(dataset: str) -> None:
    """Refuse what is neither a folder nor a Hub id.

    Raises:
        SourceError: it is neither.
    """
    if not Path(dataset).is_dir() and not HUB_ID.fullmatch(dataset):
        raise SourceError(f"{dataset!r} is not a folder. Give a dataset repo's folder, or a Hub id such as ORG/NAME.")


def _builder(dataset: str, config: str | None, revision: str | None) -> Any:
    check_dataset(dataset)
    local = Path(dataset).is_dir()
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


def broken(path: str, error: Exception) -> SourceError:
    """What to raise where a Parquet file cannot be read."""
    found = " ".join(str(error).split()).rstrip(".")
    return SourceError(f"{path} cannot be read: {found}. Build or download it again.")


def _pieces(path: str, split: str, dataset: str, digest: Any, media: Sequence[str]) -> tuple[list[Piece], str]:
    """The row groups of a file, and its column with media; its name, size and footer go into the digest."""
    try:
        with open_file(path) as file:
            parquet = pq.ParquetFile(file)
            column = _media_column(parquet.schema_arrow, dataset, media)
            groups = [parquet.metadata.row_group(index).num_rows for index in range(parquet.num_row_groups)]
            size = file.seek(-8, 2) + 8
            (length,) = struct.unpack("<I", file.read(4))
            file.seek(-8 - length, 2)
            digest.update(f"{split}\0{path.rsplit('/', 1)[-1]}\0{size}\0".encode() + file.read(length))
    except (pa.ArrowException, OSError, struct.error) as error:
        raise SourceError(f"{path} is not a readable Parquet file: {error}. Build or download it again.") from error
    return [Piece(path, index, 0, rows) for index, rows in enumerate(groups) if rows], column


def _media_column(schema: pa.Schema, dataset: str, media: Sequence[str]) -> str:
    columns = dict(zip(schema.names, schema.types, strict=True))
    if not media and ITEM in columns:
        return ""
    for name in media:
        stored = columns.get(name)
        if stored is not None and pa.types.is_struct(stored) and stored.get_field_index("bytes") >= 0:
            if ITEM in columns:
                return name
    if not media:
        raise SourceError(f"{dataset}: this config has the columns {', '.join(columns)}, and no {ITEM!r}, the id.")
    wanted = " or ".join(map(repr, media))
    videos = "; for videos there is `emohub predict`" if VIDEO not in media else ""
    raise SourceError(
        f"{dataset}: this config has the columns {', '.join(columns)}; needed are {ITEM!r}, the id, and {wanted}, the "
        f"bytes. Choose a --config with {'images' if IMAGE in media else 'videos'}{videos}."
    )


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


def read_rows(
    pieces: Sequence[Piece], media: str = IMAGE, wanted: Container[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Item and bytes, row by row; a column chunk is read page by page, not at once.

    Args:
        pieces: Which rows.
        media: The column with the bytes.
        wanted: Ids of the items to read; None reads all. Row groups without any are not read.

    Raises:
        SourceError: a file is broken, or a row has no id.
    """

    def rows_of(parquet: pq.ParquetFile, piece: Piece) -> Iterator[dict[str, Any]]:
        if wanted is None or any(row[ITEM] in wanted for row in _rows_of(parquet, piece, [ITEM], 1000)):
            yield from _rows_of(parquet, piece, [ITEM, f"{media}.bytes"], 32)

    for row in _read(pieces, rows_of):
        if wanted is None or row[ITEM] in wanted:
            yield row[ITEM], (row[media] or {}).get("bytes") or b""


def read_columns(pieces: Sequence[Piece], columns: Sequence[str], at_once: int = 1000) -> Iterator[dict[str, Any]]:
    """Rows; columns that a file lacks are left out.

    Args:
        pieces: Which rows.
        columns: Names of columns.
        at_once: Rows in memory; a few where a column has media.

    Raises:
        SourceError: a file is broken, or a row has no id.
    """
    yield from _read(pieces, lambda parquet, piece: _rows_of(parquet, piece, columns, at_once))


def read_named(
    pieces: Sequence[Piece], kinds: tuple[type, ...] = (object,), at_once: int = 1000
) -> Iterator[dict[str, Any]]:
    """Rows with the names of their classes instead of numbers.

    Args:
        pieces: Which rows, one or more, of files of one schema.
        kinds: Only columns of these kinds of features, such as `Value`; by default all.
        at_once: Rows in memory; a few where a column has media.

    Raises:
        SourceError: a file is broken, or a row has no id.
    """
    with open_file(pieces[0].file) as file:
        features = Features.from_arrow_schema(pq.read_schema(file))
    columns = [name for name, feature in features.items() if isinstance(feature, kinds)]
    classes = {name: features[name] for name in columns if isinstance(features[name], ClassLabel)}
    for row in read_columns(pieces, columns, at_once):
        names = {name: one.int2str(row[name]) for name, one in classes.items() if row.get(name) is not None}
        yield row | names


def _read(
    pieces: Sequence[Piece], rows_of: Callable[[pq.ParquetFile, Piece], Iterator[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """The rows of each piece; a file is opened once for all pieces that follow each other in it.

    Its footer is as long as it has row groups: read again for each of them, time would grow with their square.
    """
    for name, of_file in groupby(pieces, key=lambda piece: piece.file):
        try:
            with open_file(name) as file:
                parquet = pq.ParquetFile(file)
                for piece in of_file:
                    yield from rows_of(parquet, piece)
        except (pa.ArrowException, OSError) as error:
            raise broken(name, error) from error


def _rows_of(parquet: pq.ParquetFile, piece: Piece, columns: Sequence[str], at_once: int) -> Iterator[dict[str, Any]]:
    at = 0
    for batch in parquet.iter_batches(at_once, row_groups=[piece.group], columns=list(columns)):
        start = max(piece.start - at, 0)
        chosen = batch.slice(start, max(min(piece.stop - at, len(batch)) - start, 0))
        for number in range(len(chosen)):
            row = {name: column[number].as_py() for name, column in zip(chosen.schema.names, chosen, strict=True)}
            if row.get(ITEM) in (None, ""):
                raise SourceError(f"{piece.file}: a row of row group {piece.group} has no {ITEM}.")
            yield {**row, ITEM: str(row[ITEM])}
        at += len(batch)
        if at >= piece.stop:
            return
