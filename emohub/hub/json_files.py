"""JSON that may be damaged or hostile: whatever is wrong with it is one kind of error."""

import json
from pathlib import Path
from typing import Any

from emohub.errors import SourceError


def parse_json(data: str | bytes, **hooks: Any) -> Any:
    """The value of a JSON text.

    Args:
        data: JSON; bytes in UTF-8, UTF-16 or UTF-32.
        **hooks: Of `json.loads`, such as `object_pairs_hook`.

    Raises:
        ValueError: it is not JSON, not Unicode, or nested too deeply to be read.
    """
    try:
        return json.loads(data, **hooks)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        SourceError: it is not JSON; the message names the file.
        OSError: it cannot be read.
    """
    try:
        return parse_json(path.read_bytes())
    except ValueError as error:
        raise SourceError(f"{path} is not valid JSON: {error}. Correct it, or make it again.") from error


def read_json_lines(path: Path) -> list[Any]:
    """The values of a file with one JSON text on each line.

    Raises:
        SourceError: a line is not JSON; the message names file and line.
        OSError: it cannot be read.
    """
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(parse_json(line))
        except ValueError as error:
            raise SourceError(
                f"{path}, line {number}, is not valid JSON: {error}. Correct it, or make it again."
            ) from error
    return found
