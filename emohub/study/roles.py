"""Items of a study that are no ratings: training, and attention checks."""

from collections.abc import Container
from pathlib import Path
from typing import Any

from emohub.errors import EmohubError
from emohub.hub.json_files import parse_json

ROLES = ("training", "check")
KEYS = ("item", "role", "expected", "note")  # the note may be missing


def read_roles(file: Path, items: Container[str]) -> dict[str, dict[str, Any]]:
    """Which items are shown for training, or as attention checks; their answers are no ratings.

    Args:
        file: JSON lines such as `{"item": …, "role": "check", "expected": {"Awe": 4}, "note": "Set Awe to 4."}`; the
            role is training or check, the note a text beside the item, if there is one.
        items: Ids of the items that there are.

    Returns:
        Item → its role, what is expected, and the note.

    Raises:
        EmohubError: a line is no such object, or names an item twice or one that the dataset does not have.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            row = parse_json(line)
        except ValueError as error:
            raise EmohubError(f"{file}, line {number}: not JSON: {error}.") from error
        if not isinstance(row, dict) or not set(KEYS[:3]) <= set(row) <= set(KEYS):
            raise EmohubError(f"{file}, line {number}: must be an object with {', '.join(KEYS)}.")
        item = str(row.pop("item"))
        if row["role"] not in ROLES:
            raise EmohubError(f"{file}, line {number}: role is {row['role']!r}; must be {' or '.join(ROLES)}.")
        if item in found or item not in items:
            what = "was there before" if item in found else "is none of the study's; see --split, --limit and --config"
            raise EmohubError(f"{file}, line {number}: item {item!r} {what}.")
        found[item] = row
    return found
