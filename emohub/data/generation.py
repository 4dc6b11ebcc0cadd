"""What a source that `emohub generate loop` made says about how it was made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emohub.errors import SourceError
from emohub.hub.json_files import read_json

RECORD = "generation.json"
KNOWN = ("generator", "annotation", "rounds", "target", "given_up", "stopped", "rejected")


def is_generated(source: Path) -> bool:
    """Whether a loop made the source."""
    return (source / RECORD).is_file()


def read_generation(source: Path) -> Mapping[str, Any]:
    """The summary of the loop that made a source; empty for other sources.

    Raises:
        SourceError: it is damaged.
    """
    if not is_generated(source):
        return {}
    found = read_json(source / RECORD)
    if not isinstance(found, dict) or (missing := [name for name in KNOWN if name not in found]):
        lacking = ", ".join(missing) if isinstance(found, dict) else "everything"
        raise SourceError(f"{source / RECORD} lacks {lacking}. Run `emohub generate loop` again.")
    return found
