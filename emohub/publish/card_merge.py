"""Compare and merge the card of a repo with the one on the Hub, which people may have edited."""

import difflib
import hashlib
from typing import Any

import yaml

from emohub.hub.card import FRONT, read_yaml
from emohub.hub.notes import END, START, keep_notes, notes_of

# Not in a placeholder card: what describes files that are not there yet. Gate and Space settings stay.
_DESCRIBES_FILES = {"configs", "dataset_info", "model-index"}
_DIFF_LINES = 30


def metadata(card: str) -> dict[str, Any]:
    """The YAML block; empty where there is none."""
    found = FRONT.match(card)
    data = read_yaml(found["yaml"]) if found else {}
    return data if isinstance(data, dict) else {}


def without_notes(card: str) -> str:
    """The card without the text that people wrote between the marks."""
    notes = notes_of(card)
    return card if notes is None else card.replace(f"{START}{notes}{END}", f"{START}{END}")


def fingerprint(card: str) -> str:
    """SHA-256 of the card without its notes; line endings do not matter."""
    return hashlib.sha256("\n".join(without_notes(card).splitlines()).strip().encode()).hexdigest()


def merge_notes(new: str, remote: str) -> str:
    """The new card with the notes of the Hub's card, if that has any."""
    notes = notes_of(remote, "The card on the Hub")
    return keep_notes(new, remote, where="The card on the Hub") if notes and notes.strip() else new


def diff(remote: str, new: str) -> str:
    """The first lines that differ between the Hub's card and the new one."""
    old_lines, new_lines = without_notes(remote).splitlines(), without_notes(new).splitlines()
    lines = list(difflib.unified_diff(old_lines, new_lines, "Hub", "release", n=1, lineterm=""))
    more = [f"… and {len(lines) - _DIFF_LINES} more lines"] if len(lines) > _DIFF_LINES else []
    return "\n".join(lines[:_DIFF_LINES] + more)


def placeholder(new: str, version: str) -> str:
    """The card of a repo whose files are being uploaded in several commits; gate and notes are kept."""
    kept = {key: value for key, value in metadata(new).items() if key not in _DESCRIBES_FILES}
    block = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    notes = notes_of(new)
    marked = "" if notes is None else f"\n{START}{notes}{END}\n"
    return (
        f"---\n{block}---\n\n# Upload in progress\n\nVersion {version} is being uploaded and not complete yet. "
        f"Until then, use the tag of an earlier version.\n{marked}"
    )


def gate_prompts(card: str) -> list[str]:
    """The text and the fields that a reader of a gated repo gets before download."""
    data = metadata(card)
    fields = [f"{name} ({kind})" for name, kind in (data.get("extra_gated_fields") or {}).items()]
    return [str(text) for text in (data.get("extra_gated_prompt"), *fields) if text]
