"""Where raw input comes from: a local folder or a Hub dataset id, and the tables in it."""

import csv
import hashlib
import re
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from emohub.data.media import safe_name
from emohub.data.problems import ProblemLog
from emohub.errors import MediaError, SourceError

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


def fetch(source: str, repo_type: str = "dataset") -> Path:
    """The folder that holds the raw input: itself if it is local, else a snapshot of the Hub repo.

    The snapshot lives in the Hugging Face cache; an interrupted download is resumed.

    Raises:
        SourceError: neither a folder nor a Hub repo that can be reached.
    """
    if source and (folder := Path(source)).is_dir():
        return folder
    if not HUB_ID.fullmatch(source):
        raise SourceError(f"{source!r} is not a folder. Give a folder, or a Hub {repo_type} id such as ORG/NAME.")
    try:
        return Path(snapshot_download(source, repo_type=repo_type))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise SourceError(
            f"{source!r} is not a folder here, and it was not found on the Hub as a {repo_type}: {error}. "
            "Check the spelling and the connection, or log in with `hf auth login` if it is gated."
        ) from error


def read_csv(path: Path, columns: Collection[str]) -> pd.DataFrame:
    """A CSV as text, every cell unchanged: nothing is read as missing, "None" stays an answer.

    Args:
        path: UTF-8, with a header.
        columns: the columns that must be there.

    Raises:
        SourceError: the file is empty, not UTF-8, not a table, cut off, or lacks or repeats columns.
    """
    try:
        with warnings.catch_warnings():
            # Without index_col=False, rows that are longer than the header would move into the wrong columns.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except pd.errors.EmptyDataError as error:
        raise SourceError(f"{path} is empty. Download it again.") from error
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path} is not UTF-8 ({_first_bad_byte(path)}). Convert it, for example with `iconv -f latin1 -t utf-8`."
        ) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise SourceError(f"{path} is not a CSV table: {str(error).strip()}. Download it again.") from error
    if missing := [name for name in columns if name not in table.columns]:
        raise SourceError(f"{path} lacks the columns {missing}; found {list(table.columns)}.")
    if table.empty:
        raise SourceError(f"{path} has a header and no rows. Download it again.")
    _check_shape(path)
    return table


def _check_shape(path: Path) -> None:
    """Refuse what pandas repairs silently: it renames repeated columns and fills up short rows."""
    with _long_cells(), open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        header = next(row for row in rows if row)
        if repeated := [name for name in dict.fromkeys(header) if header.count(name) > 1]:
            raise SourceError(f"{path} has the columns {repeated} more than once. Remove or rename them.")
        if line := next((rows.line_num for row in rows if row and len(row) < len(header)), 0):
            raise SourceError(
                f"{path} line {line} has fewer cells than the header has columns: the file was cut off or damaged. "
                "Download it again."
            )


@contextmanager
def _long_cells() -> Iterator[None]:
    """Cells of any length for `csv`, whose limit belongs to the whole process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _first_bad_byte(path: Path) -> str:
    """Where a file stops being UTF-8; pandas counts from the start of the block that it was reading."""
    data = path.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start : error.start + 1]
        return f"line {line}, byte {error.start}: {byte!r}"
    return "it changed while it was read"


def item_id(name: str) -> str:
    """The id of an item from the name of its file: without suffix, in Unicode's composed form (NFC).

    Raises:
        MediaError: the name is unsafe.

    Example:
        >>> item_id("cafe\u0301.jpg") == item_id("caf\u00e9.png")
        True
    """
    return Path(unicodedata.normalize("NFC", safe_name(name))).stem


def by_stem(files: Iterable[Path], root: Path, log: ProblemLog) -> dict[str, Path]:
    """Files by item id; unsafe and repeated names go to the log and are left out."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        try:
            found[item_id(path.name)].append(path)
        except MediaError as error:
            log.add(path.relative_to(root), error)
    for stem, paths in found.items():
        if len(paths) > 1:
            names = ", ".join(str(path.relative_to(root)) for path in paths)
            log.add(names, f"{len(paths)} files with the base name {stem!r}; each item needs one", stem)
    return {stem: paths[0] for stem, paths in found.items() if len(paths) == 1}


def match(
    items: Collection[str], files: Collection[str], log: ProblemLog, *, known: Collection[str] = ()
) -> list[str]:
    """The items that have a file, in order; items without file and files without item go to the log.

    Args:
        items: ids in the table of votes.
        files: ids for which there is a file.
        log: where problems go.
        known: further ids that may be in the same folder without being part of this config.
    """
    have, want = set(files), set(items)
    for item in sorted(want - have):
        log.add(item, "is in the table but has no file; add the file or pass --skip-bad", item)
    for name in sorted(have - want - set(known)):
        log.add(name, "is a file without a row in the table; remove it or pass --skip-bad", name)
    return sorted(want & have)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, for the record of what a build was made from."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
