"""ImageFolder's `metadata.csv` and `metadata.jsonl`: the columns of every image, and all that does not fit."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emohub.data.problems import ProblemLog
from emohub.data.source import item_id, read_csv
from emohub.errors import MediaError, SourceError
from emohub.hub.json_files import parse_json

from .images import Fields

NAMES = ("metadata.csv", "metadata.jsonl")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the tables of one folder hold.

    Attributes:
        fields: Image id → columns.
        tables: The files, for the record of the build.
    """

    fields: Mapping[str, Fields] = field(default_factory=dict)
    tables: Sequence[Path] = ()


def read_metadata(
    root: Path, tables: Sequence[Path], images: Collection[str], log: ProblemLog, *, known: Collection[str] = ()
) -> Metadata:
    """Read metadata tables and compare them with the images.

    Everything that does not fit goes to the log: a table that is not one, two tables in one folder, an image without a
    row or with several, a row without an image.

    Args:
        root: The source; problems name files relative to it.
        tables: Files named as in `NAMES`.
        images: Ids of the images that the tables describe.
        log: Where problems go.
        known: Ids of further images that may have a row.
    """
    rows: dict[str, tuple[str, Fields]] = {}
    complete = _one_per_folder(root, tables, log)
    for table in tables:
        try:
            for where, item, fields in _rows(table, table.relative_to(root).as_posix()):
                if item in rows:
                    log.add(where, f"a second row for the image {item!r}, after {rows[item][0]}; keep one", item)
                rows.setdefault(item, (where, fields))
        except (SourceError, MediaError) as error:
            log.add(table.relative_to(root).as_posix(), error)
            complete = False
    if tables and complete:
        shown = " or ".join(table.relative_to(root).as_posix() for table in tables)
        for item in sorted(set(images) - set(rows)):
            log.add(item, f"has no row in {shown}; add it, or remove the table to build without it", item)
        for item in sorted(set(rows) - set(images) - set(known)):
            log.add(rows[item][0], f"names {rows[item][1]['file_name']!r}, and there is no such image; remove the row")
    return Metadata({item: fields for item, (_, fields) in rows.items()}, tables)


def _one_per_folder(root: Path, tables: Sequence[Path], log: ProblemLog) -> bool:
    """Whether no folder holds two tables; those that do go to the log."""
    by_folder: dict[Path, list[str]] = {}
    for table in tables:
        by_folder.setdefault(table.parent, []).append(table.relative_to(root).as_posix())
    for names in (names for names in by_folder.values() if len(names) > 1):
        log.add(" and ".join(names), "are two metadata tables in one folder; merge them into one")
    return all(len(names) == 1 for names in by_folder.values())


def _rows(table: Path, shown: str) -> Iterator[tuple[str, str, Fields]]:
    """Place, image id and columns of every row."""
    if table.suffix == ".csv":
        for number, row in enumerate(read_csv(table, ["file_name"]).to_dict("records"), start=1):
            yield f"{shown} data row {number}", _id_of(row["file_name"]), row
        return
    with open(table, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                row = _json_row(f"{table} line {number}", line)
                yield f"{shown} line {number}", _id_of(row["file_name"]), row


def _id_of(file_name: str) -> str:
    return item_id(file_name.rpartition("/")[2])  # a path below the table's folder: base names are unique in a source


def _json_row(where: str, line: bytes) -> Fields:
    try:
        row = parse_json(line)
    except ValueError as error:
        raise SourceError(f"{where} is not JSON: {error}. Correct it or remove the file.") from error
    if not isinstance(row, dict) or not isinstance(row.get("file_name"), str):
        raise SourceError(f"{where} is not an object with a file_name: {line[:60]!r}. Correct it or remove the file.")
    return row
