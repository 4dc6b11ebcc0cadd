"""The entries of a results dataset, from files that anybody may have written."""

from pathlib import Path

from pydantic import ValidationError

from emohub.errors import SourceError, printable
from emohub.hub.json_files import parse_json
from emohub.results.entry import ENTRIES, Entry


def read_entry(data: bytes) -> Entry:
    """An entry of a file.

    Raises:
        SourceError: it is not JSON, or breaks the schema; the message names the place and the value.
    """
    try:
        return Entry.model_validate(parse_json(data))
    except ValidationError as error:
        first, *more = error.errors()
        place = ".".join(map(str, first["loc"])) or "the entry"
        given = "" if isinstance(first["input"], dict | list) else f", it is {printable(first['input'], 60)!r}"
        others = f" (and {len(more)} more)" if more else ""
        raise SourceError(f"{place}: {printable(first['msg'], 300)}{given}{others}") from error
    except ValueError as error:
        raise SourceError(f"is not JSON: {printable(error, 200)}") from error


def entry_files(folder: Path) -> list[Path]:
    """The entries of a results dataset, sorted; what is not a regular file inside of the folder is none."""
    found = (folder / ENTRIES).rglob("*.json")
    return sorted(path for path in found if path.is_file() and not path.is_symlink())
