"""`emohub study new`: items of a dataset, with their pictures or videos, become the files of a study."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Value
from tqdm.auto import tqdm

from emohub.data.containers import suffix_of
from emohub.data.emojis import emoji
from emohub.data.parquet import ITEM, read_named
from emohub.data.runs import write_file
from emohub.data.taxonomy import EMOTIONS, GROUPS
from emohub.errors import EmohubError
from emohub.rate.target import Target, open_target
from emohub.study.roles import read_roles
from emohub.study.sets import LabelSets
from emohub.study.space import admin


def new_study(
    name: str,
    dataset: str,
    kind: str,
    out: Path,
    *,
    config: str | None = None,
    splits: Sequence[str] = (),
    limit: int | None = None,
    only: Sequence[str] = (),
    sets: Sequence[Path] = (),
    roles: Path | None = None,
    rules: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a study.

    Args:
        name: Short name of the study.
        dataset: Folder of a dataset repo, or a Hub dataset id.
        kind: intensities, yes-no-chain, preference, video-labels, screening, or another
            file of the Space's `studies/`.
        out: `study.toml` to write; its items and their media go into a folder beside it, named by it.
        config: Config with images or videos; by default the dataset's default.
        splits: Splits; by default all.
        limit: The first so many items.
        only: Ids of the items; by default all.
        sets: Two tables of ratings, whose highest labels are compared (preference).
        roles: JSON lines that make items of the dataset training or checks, see `emohub.study.roles`.
        rules: Other keys of `study.toml`.

    Returns:
        How many items, training items and checks there are.

    Raises:
        EmohubError: the files are there already, or the dataset lacks what the kind of study asks about.
    """
    folder = out.parent / f"{out.stem}-items"
    if there := [path for path in (out, folder) if path.exists()]:
        raise EmohubError(
            f"{there[0]} is there already, and a study that has begun must not change. "
            "Give another --out, or remove it."
        )
    target = open_target(dataset, config, splits=splits, limit=limit, only=only)
    compared = LabelSets(sets, target) if sets else None
    special = (
        read_roles(roles, {item.id for item in target.items} if compared is None else compared.of) if roles else {}
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        (folder / "media").mkdir(parents=True)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(target, folder, compared, special))
        write_file(folder / "rows.jsonl", lines)
        labels = [] if target.is_video else _labels()
        about = {"name": name, "kind": kind, **(rules or {}), **({"labels": labels} if labels else {})}
        write_file(folder / "rules.json", json.dumps(about))
        made = admin("new", out, folder / "rows.jsonl", folder / "rules.json")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        out.unlink(missing_ok=True)
        raise
    for file in ("rows.jsonl", "rules.json"):
        (folder / file).unlink()
    return made | ({"left_out": compared.left_out} if compared else {})


def _rows(
    target: Target, folder: Path, compared: LabelSets | None, special: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """One row per item, its media written."""
    wanted = {item.id for item in target.items} if compared is None else set(compared.of)
    facts = _facts(target)
    media = target.media(wanted)
    for number, (item, data) in enumerate(tqdm(media, desc="media", total=len(wanted), unit="item")):
        path = f"media/{number:06}{suffix_of(data, item.id)}"
        (folder / path).write_bytes(data)
        row = dict(facts[item.id])
        if target.is_video:
            shown = emoji(str(row["emoji_code"]))
            row |= {"emoji": shown.character, "emoji_name": shown.name, "labels": list(shown.labels)}
        if compared is not None:
            row["sets"] = compared.of[item.id]
        yield {**row, "item": item.id, "media": path, **special.get(item.id, {})}


def _facts(target: Target) -> dict[str, dict[str, Any]]:
    """Item → its columns that hold one text or number, classes by their names."""
    pieces = [piece for pieces in target.rows.splits.values() for piece in pieces]
    rows = read_named(pieces, (Value, ClassLabel))
    return {row[ITEM]: {name: value for name, value in row.items() if value is not None} for row in rows}


def _labels() -> list[dict[str, str]]:
    """The 40 emotions, in the order of their groups."""
    ordered = sorted(EMOTIONS, key=lambda one: GROUPS.index(one.group))
    return [{"name": one.name, "group": one.group, "words": ", ".join(one.descriptors)} for one in ordered]
