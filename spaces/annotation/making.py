"""A new study from rows: one JSON object per item, with `item`, `media` and whatever columns the dataset has."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studies import find
from study import Rules, StudyError, read_study

# What is written first, and why; the rest follows as it is.
NOTES = {
    "annotators": "how many annotators answer each question",
    "batch": "items that an annotator gets at a time",
    "batches": "batches of one annotator; 0: as many as there are",
    "repeats": "share of items that are shown again, for agreement with oneself",
    "check_every": "items between two attention checks; 0: none",
    "hold_minutes": "an item without an answer goes to somebody else after this time",
    "open": "false: only who has a link (emohub study link) takes part",
}


def make_study(rows: Path, rules: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Write `study.toml` and its items; the media are there already.

    Args:
        rows: JSON lines, beside the media.
        rules: What `study.toml` says, but for `items`.
        file: Where to write it.

    Returns:
        How many items of each role there are.

    Raises:
        StudyError: a rule is not valid, or a row lacks what the kind of study asks about.
    """
    try:
        kind = find(str(rules.get("kind")))
        rules = {"title": kind.TITLE, **rules}
        valid = Rules.model_validate({**rules, "items": "items.jsonl"})
    except ValidationError as error:
        raise StudyError(
            "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        ) from error
    lines = rows.read_text(encoding="utf-8").splitlines()
    items = [_item(json.loads(line), kind.NEEDS, str(rules["kind"])) for line in lines]
    target = rows.with_name("items.jsonl")
    target.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in items), encoding="utf-8")
    about = {**rules, **valid.model_dump(include=set(NOTES)), "items": f"{target.parent.name}/{target.name}"}
    file.write_text("\n".join(_toml(about)) + "\n", encoding="utf-8")
    study = read_study(file)
    return {"items": len(study.order), **{role: len(study.of_role[role]) for role in ("training", "check")}}


def _item(row: Mapping[str, Any], needs: tuple[str, ...], kind: str) -> dict[str, Any]:
    if missing := [name for name in needs if row.get(name) is None]:
        has = ", ".join(name for name in row if name not in ("item", "media"))[:400]
        raise StudyError(
            f"Item {row['item']!r} has no {', '.join(missing)}, which a study of {kind} asks about. Choose a config "
            f"that has it; this one has {has or 'nothing'}."
        )
    keep = ("item", "media", "role", "note", "expected", *needs)
    return {name: row[name] for name in keep if name in row}


def _toml(rules: Mapping[str, Any]) -> Iterator[str]:
    """TOML of flat rules, notes beside them, tables last."""
    tables = {name: value for name, value in rules.items() if name in ("labels", "demographics")}
    for name, value in rules.items():
        if name not in tables:
            yield f"{name} = {_value(value)}" + (f"  # {NOTES[name]}" if name in NOTES else "")
    if tables.get("demographics"):
        yield "\n[demographics]"
        yield from (f"{json.dumps(name)} = {_value(value)}" for name, value in tables["demographics"].items())
    for label in tables.get("labels", ()):
        yield "\n[[labels]]"
        yield from (f"{name} = {_value(value)}" for name, value in label.items())


def _value(value: Any) -> str:
    """JSON's text, numbers, booleans and lists are TOML's, but for one letter."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
