"""What a source that `emohub generate loop` made says about how it was made; a source may come from anybody."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emohub.data.taxonomy import NAMES
from emohub.errors import SourceError, printable
from emohub.hub.json_files import read_json

RECORD = "generation.json"
REACHED, ROUNDS, BUDGET, UNREACHABLE = "target", "rounds", "budget", "hit rate"  # why a loop ended


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


# Key → whether its value is one that a loop writes.
_FORMS: Mapping[str, Callable[[Any], bool]] = {
    "stopped": lambda value: value in ("", REACHED, ROUNDS, BUDGET, UNREACHABLE),
    "target": _count,
    "rounds": _count,
    "rejected": _count,
    "given_up": lambda value: isinstance(value, list) and all(name in NAMES for name in value),
    "generator": lambda value: isinstance(value, dict) and isinstance(value.get("model"), str),
    "annotation": lambda value: (
        isinstance(value, dict)
        and isinstance(value.get("rater"), str)
        and isinstance(value.get("hint_below"), int | float)
    ),
}


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
    for key, fits in _FORMS.items():
        if not isinstance(found, dict) or key not in found or not fits(found[key]):
            shown = printable(found.get(key, "missing") if isinstance(found, dict) else found, 80)
            raise SourceError(f"{source / RECORD}: {key} is {shown}. Run `emohub generate loop` again.")
    return dict(found)
