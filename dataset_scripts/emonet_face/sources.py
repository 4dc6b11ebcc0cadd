"""What is where in a source: the tables, and the files that hold the images of HQ, BINARY and BIG."""

from pathlib import Path
from unicodedata import normalize

import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.generation import is_generated
from emohub.data.source import read_csv

from .images import OTHER_IMAGES, image_layouts
from .metadata import NAMES

SETS = ("hq", "binary", "big")


def table(source: Path, name: str) -> Path | None:
    """`hq.csv` or `binary.csv`, in the source or in its folder for that set; None where there is neither."""
    return next((path for path in (source / f"{name}.csv", source / name / f"{name}.csv") if path.is_file()), None)


def ids_in(table: Path) -> set[str]:
    """The image ids that a table names."""
    column = "image" if table.name == "hq.csv" else "path"
    return {Path(normalize("NFC", name)).stem for name in read_csv(table, [column])[column]}


def image_files(source: Path, name: str) -> list[Path]:
    """The files that hold the images of HQ, BINARY or BIG, in the first layout that there is."""
    if (own := source / name).is_dir():
        return next((files for files in image_layouts(own) if files), [])
    if is_generated(source):  # beside its pictures it holds every round with pictures that were left out
        return []
    shared = ([file for file in files if name in _owners(source, file)] for files in image_layouts(source))
    return next((files for files in shared if files), [])


def metadata_tables(source: Path, name: str) -> list[Path]:
    """The metadata tables of HQ, BINARY or BIG: those of its folder, or of a source without one."""
    return [path for path in _files_of(source, name) if path.name in NAMES]


def other_images(source: Path, name: str) -> list[Path]:
    """Files beside the images of HQ, BINARY or BIG that are images of a kind that is not read."""
    return [path for path in _files_of(source, name) if path.suffix.lower() in OTHER_IMAGES]


def _files_of(source: Path, name: str) -> list[Path]:
    """Every file in the folder of a set, or in a source without one."""
    if (source / name).is_dir():
        return sorted((source / name).rglob("*"))
    if is_generated(source):
        return []
    return [path for path in sorted(source.rglob("*")) if path.relative_to(source).parts[0] not in SETS]


def parquet(source: Path, name: str) -> list[Path]:
    """Those of them that are Parquet of a Hub dataset."""
    return [path for path in image_files(source, name) if path.suffix == ".parquet"]


def _owners(source: Path, path: Path) -> tuple[str, ...]:
    """Which sets a file of a folder without a folder for each may belong to."""
    if (top := path.relative_to(source).parts[0]) in SETS:
        return (top,)
    if path.suffix == ".parquet":
        try:
            names = pq.read_schema(path).names
        except (OSError, pa.ArrowException):  # reported when it is read
            return SETS
        return ("hq",) if "label" in names else ("binary",) if "emotion" in names else ("big",)
    return {".json": ("binary",), ".tar": ("big",)}.get(path.suffix, ("hq", "binary"))


def found_in(source: Path) -> str:
    """What a source holds, for an error message."""
    return ", ".join(sorted(path.name for path in source.iterdir())[:10]) or "nothing"
