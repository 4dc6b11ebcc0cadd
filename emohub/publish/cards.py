"""The card of a repo that people may have edited on the Hub."""

import difflib
import hashlib
import re
from typing import Any

import yaml

from emohub.hub.notes import END, START, keep_notes, notes_of

_YAML = re.compile(r"\A---\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
# Of a card that stands in while files come: not what promises them, but what a Space and a gate need.
_PROMISES = {"configs", "dataset_info", "model-index"}


def metadata(card: str) -> dict[str, Any]:
    """The YAML block; empty where there is none."""
    found = _YAML.match(card)
    data = yaml.safe_load(found[1]) if found else {}
    return data if isinstance(data, dict) else {}


def bare(card: str) -> str:
    """The card without what people wrote between the marks."""
    notes = notes_of(card)
    return card if notes is None else card.replace(f"{START}{notes}{END}", f"{START}{END}")


def fingerprint(card: str) -> str:
    """A digest of the card without its notes, line ends aside."""
    return hashlib.sha256("\n".join(bare(card).splitlines()).strip().encode()).hexdigest()


def merged(new: str, there: str) -> str:
    """The new card with the Hub's notes, where people wrote some."""
    written = notes_of(there, "The card on the Hub")
    return keep_notes(new, there, where="The card on the Hub") if written and written.strip() else new


def difference(there: str, new: str) -> str:
    """The first lines in which the Hub's card and the new one differ."""
    lines = list(
        difflib.unified_diff(bare(there).splitlines(), bare(new).splitlines(), "Hub", "release", n=1, lineterm="")
    )
    return "\n".join(lines[:30] + ([f"… and {len(lines) - 30} more lines"] if len(lines) > 30 else []))


def unfinished(new: str, version: str) -> str:
    """A card for the time between the first commit and the last, keeping gate and notes."""
    kept = {key: value for key, value in metadata(new).items() if key not in _PROMISES}
    block = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    notes = notes_of(new)
    place = "" if notes is None else f"\n{START}{notes}{END}\n"
    return (
        f"---\n{block}---\n\n# Being published\n\nThe files of version {version} are on their way and not complete. "
        f"Use the tag of an earlier version meanwhile.\n{place}"
    )


def asked(card: str) -> list[str]:
    """What a reader is asked before download."""
    data = metadata(card)
    fields = [f"{name} ({kind})" for name, kind in (data.get("extra_gated_fields") or {}).items()]
    return [str(text) for text in (data.get("extra_gated_prompt"), *fields) if text]
