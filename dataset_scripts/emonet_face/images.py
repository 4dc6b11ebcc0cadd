"""EmoNet-Face images in every layout upstream ships, found first and read later, byte for byte.

Layouts: image files (with an ImageFolder `metadata.csv` or `metadata.jsonl`), `part-0P/NNNN.json` with a base64 JPEG,
WebDataset tars, and Parquet of a Hub dataset, whose columns are found by type because the cards promise other names.
"""

import base64
import hashlib
import itertools
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from unicodedata import normalize

import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.problems import ProblemLog
from emohub.data.source import item_id
from emohub.hub.json_files import parse_json

from .votes import PART_SIZE

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
UNREAD = f"is not one of {', '.join(IMAGE_SUFFIXES)}; convert or remove it"
OTHER_IMAGES = tuple(".apng .avif .bmp .gif .heic .heif .jfif .jp2 .jpe .jxl .ppm .svg .tif .tiff".split())
BATCH = 64  # rows of Parquet in memory at once
BLOCK = 512  # of a tar
MAX_MEMBER = 64 * 2**20  # bytes of one file in a tar, or of one JSON
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Where one image is.

    Attributes:
        id: the name upstream gave it, without suffix; empty where the layout has lost it.
        file: the file that holds it; text, because a Path takes ten times the memory.
        at: where in that file, in the terms of its layout.
    """

    id: str
    file: str
    at: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Base name of the file."""
        return Path(self.file).name

    @property
    def place(self) -> tuple[str, tuple[int, ...]]:
        """Sort key: the order in which images are stored."""
        return self.file, self.at


def image_layouts(folder: Path) -> Iterator[list[Path]]:
    """The files of each layout that a folder may hold, sorted; a layout that it does not hold is an empty list."""
    for pattern in ("part-*/*.json", "**/*.tar", "**/*.parquet"):
        yield sorted(folder.glob(pattern))
    yield sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def index_images(files: Sequence[Path], log: ProblemLog) -> list[ImageRef]:
    """Every image in the files, without reading pixels; files that cannot be read go to the log."""
    refs: list[ImageRef] = []
    for file in files:
        try:
            refs += _LAYOUTS[file.suffix.lower()].index(file, log)
        except (OSError, ValueError, tarfile.TarError, pa.ArrowException) as error:
            log.add(file.name, f"cannot be read: {error}")
    return refs


def read_images(refs: Sequence[ImageRef], log: ProblemLog) -> Iterator[tuple[ImageRef, bytes, Fields]]:
    """The bytes of each image and what its layout holds about it, in the order in which they are stored.

    What cannot be read goes to the log; an image that is missing is yielded as empty bytes.
    """
    for name, group in itertools.groupby(sorted(refs, key=lambda ref: ref.place), key=lambda ref: ref.file):
        file, wanted = Path(name), list(group)
        layout = _LAYOUTS[file.suffix.lower()]
        read = layout.read(file, wanted)
        for done, ref in enumerate(wanted, start=1):
            try:
                data, fields = next(read)
            except (OSError, ValueError, LookupError, TypeError, RecursionError, pa.ArrowException) as error:
                log.add(ref.id or file.name, f"cannot be read: {type(error).__name__}: {error}", ref.id or None)
                read = layout.read(file, wanted[done:])
                continue
            yield ref, data, fields


def content_id(data: bytes) -> str:
    """An id from the bytes alone, for layouts that have lost the file name."""
    return hashlib.sha256(data).hexdigest()


# -- image files -----------------------------------------------------------------------------------


def _index_file(file: Path, log: ProblemLog) -> list[ImageRef]:
    return [ImageRef(item_id(file.name), str(file))]


def _read_file(file: Path, refs: Sequence[ImageRef]) -> Iterator[tuple[bytes, Fields]]:
    for _ in refs:
        yield file.read_bytes(), {}


# -- part-0P/NNNN.json -----------------------------------------------------------------------------


def _index_part(file: Path, log: ProblemLog) -> list[ImageRef]:
    part, index = file.parent.name.removeprefix("part-"), file.stem
    if not (part.isdecimal() and index.isdecimal() and int(index) < PART_SIZE):
        raise ValueError(f"it is in {file.parent.name}; a part file is part-0P/NNNN.json, NNNN below {PART_SIZE}")
    return [ImageRef(f"{PART_SIZE * int(part) + int(index):05d}", str(file))]


def _read_part(file: Path, refs: Sequence[ImageRef]) -> Iterator[tuple[bytes, Fields]]:
    for _ in refs:
        if (size := file.stat().st_size) > MAX_MEMBER:
            raise ValueError(f"{size:,} bytes are more than the limit of {MAX_MEMBER:,}")
        fields = parse_json(file.read_bytes())
        yield base64.b64decode(fields["image"]["bytes"], validate=True), fields


# -- WebDataset tars -------------------------------------------------------------------------------


def _index_tar(file: Path, log: ProblemLog) -> list[ImageRef]:
    """Members of one key belong together; members that look like images and are not read go to the log."""
    shared, end = str(file), 0
    images: dict[PurePosixPath, tuple[int, int]] = {}
    texts: dict[PurePosixPath, tuple[int, int]] = {}
    with tarfile.open(file, "r:") as tar:
        for member in tar:
            end = max(end, member.offset_data + -(-member.size // BLOCK) * BLOCK)
            if member.isdir():
                continue
            path = _member_path(member)
            stem, suffix = _split_name(path.name)
            found = images if suffix in IMAGE_SUFFIXES else texts if suffix == ".json" else None
            if found is None:
                if suffix in OTHER_IMAGES:
                    log.add(f"{file.name} member {member.name}", UNREAD)
                continue
            if (key := path.with_name(stem)) in found:
                raise ValueError(f"two members with the key '{key}'")
            found[key] = (member.offset_data, member.size)
    _check_end(file, end)
    return [
        ImageRef(normalize("NFC", key.name), shared, images.get(key, (0, 0)) + texts.get(key, (0, 0)))
        for key in dict.fromkeys([*images, *texts])
    ]


def _member_path(member: tarfile.TarInfo) -> PurePosixPath:
    if not member.isfile() or member.size > MAX_MEMBER:
        raise ValueError(f"member {member.name!r} is not a plain file of at most {MAX_MEMBER:,} bytes")
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"member {member.name!r} leads out of the folder")
    return path


def _split_name(name: str) -> tuple[str, str]:
    """Key and suffix: WebDataset splits at the first dot, names with further dots are split at the last one.

    Empty for the resource forks that macOS adds as `._NAME`.
    """
    if name.startswith("._"):
        return "", ""
    for stem, dot, suffix in (name.partition("."), name.rpartition(".")):
        if stem and (known := dot + suffix.lower()) in (*IMAGE_SUFFIXES, *OTHER_IMAGES, ".json"):
            return stem, known
    return "", ""


def _check_end(file: Path, end: int) -> None:
    """A tar ends with two blocks of zeros; without them members may be missing."""
    with open(file, "rb") as tar:
        tar.seek(end)
        if tar.read(2 * BLOCK) != bytes(2 * BLOCK):
            raise ValueError(f"the mark of its end is missing at byte {end:,}: it was cut off. Download it again")


def _read_tar(file: Path, refs: Sequence[ImageRef]) -> Iterator[tuple[bytes, Fields]]:
    with open(file, "rb") as tar:
        for ref in refs:
            at, size, text_at, text_size = ref.at
            tar.seek(text_at)
            fields = parse_json(tar.read(text_size)) if text_size else {}
            if not isinstance(fields, dict):
                raise ValueError(f"its json is not an object: {str(fields)[:60]}")
            tar.seek(at)
            yield tar.read(size), fields


# -- Parquet of a Hub dataset ----------------------------------------------------------------------


def image_column(schema: pa.Schema) -> str:
    """The column that holds images: by its type, for the files do not keep to the names on the cards."""
    for field in schema:
        if pa.types.is_struct(field.type) and {"bytes", "path"} <= {child.name for child in field.type}:
            return field.name
    raise ValueError(f"no column of images; columns are {', '.join(f'{f.name}: {f.type}' for f in schema)}")


def _index_parquet(file: Path, log: ProblemLog) -> list[ImageRef]:
    with pq.ParquetFile(file) as parquet:
        column, shared = image_column(parquet.schema_arrow), str(file)
        refs = []
        for group in range(parquet.num_row_groups):
            names = parquet.read_row_group(group, columns=[f"{column}.path"]).column(0).to_pylist()
            stems = [Path(normalize("NFC", cell["path"])).stem if cell and cell["path"] else "" for cell in names]
            refs += [ImageRef(stem, shared, (group, row)) for row, stem in enumerate(stems)]
    return refs


def _read_parquet(file: Path, refs: Sequence[ImageRef]) -> Iterator[tuple[bytes, Fields]]:
    with pq.ParquetFile(file) as parquet:
        column = image_column(parquet.schema_arrow)
        for group, wanted in itertools.groupby(refs, key=lambda ref: ref.at[0]):
            rows = {ref.at[1] for ref in wanted}
            at = 0
            for batch in parquet.iter_batches(BATCH, row_groups=[group]):
                for fields in (batch.slice(i, 1).to_pylist()[0] for i in range(batch.num_rows) if at + i in rows):
                    yield (fields.pop(column) or {}).get("bytes") or b"", fields
                at += batch.num_rows


@dataclass(frozen=True, slots=True)
class _Layout:
    index: Callable[[Path, ProblemLog], list[ImageRef]]
    read: Callable[[Path, Sequence[ImageRef]], Iterator[tuple[bytes, Fields]]]


_LAYOUTS = {
    ".json": _Layout(_index_part, _read_part),
    ".tar": _Layout(_index_tar, _read_tar),
    ".parquet": _Layout(_index_parquet, _read_parquet),
    **{suffix: _Layout(_index_file, _read_file) for suffix in IMAGE_SUFFIXES},
}
