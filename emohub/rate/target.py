"""What is rated: the items of a dataset config, their media, and the label set that people used."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emohub.data.builder import Rated, RawBuilder
from emohub.data.parquet import IMAGE, ITEM, VIDEO, Rows, find_rows, read_columns, read_rows
from emohub.data.runs import digest
from emohub.dataset.registry import find
from emohub.dataset.repo import read_record
from emohub.errors import SourceError, listed
from emohub.hub.json_files import parse_json


@dataclass(frozen=True, slots=True)
class Item:
    """One item to rate.

    Attributes:
        id: Its id.
        split: Its split.
        categories: What is rated about it.
        row: Its columns that protocols look at, media aside.
    """

    id: str
    split: str
    categories: tuple[str, ...]
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """The items of a run.

    Attributes:
        source: The dataset as the user named it: a folder or a Hub id.
        dataset: The dataset's id in the registry, for example "chehre".
        builder: Its builder, which knows its label sets and groups.
        rows: Its Parquet files.
        rated: What is rated about its items.
        items: The chosen items, in the dataset's order.
    """

    source: str
    dataset: str
    builder: type[RawBuilder]
    rows: Rows
    rated: Rated
    items: tuple[Item, ...]

    @property
    def is_video(self) -> bool:
        """Whether the items are videos."""
        return self.rows.media == VIDEO

    @property
    def revision(self) -> str:
        """The commit on the Hub; of a folder, a digest of its files."""
        return self.rows.revision or f"sha256:{self.rows.fingerprint}"

    def selection(self) -> dict[str, Any]:
        """Which items were chosen, as a count and a digest."""
        return {"items": len(self.items), "sha256": digest([item.id for item in self.items])}

    def media(self, wanted: set[str]) -> Iterator[tuple[Item, bytes]]:
        """The wanted items with the bytes of their media, in order."""
        by_id = {item.id: item for item in self.items}
        for split in dict.fromkeys(item.split for item in self.items):
            for name, data in read_rows(self.rows.splits[split], self.rows.media, wanted):
                if name in by_id:
                    yield by_id[name], data


def open_target(
    dataset: str,
    config: str | None = None,
    *,
    splits: Sequence[str] = (),
    revision: str | None = None,
    ratings: str | None = None,
    limit: int | None = None,
    only: Sequence[str] = (),
) -> Target:
    """Find a dataset and choose its items.

    Args:
        dataset: Folder of a dataset repo, or a Hub dataset id.
        config: Config with images or videos; by default the dataset's default.
        splits: Splits; by default all.
        revision: Commit, branch or tag on the Hub.
        ratings: Long config whose categories are rated, where a dataset has several; by default the first.
        limit: The first so many items.
        only: Ids of the items; by default all.

    Raises:
        SourceError: no such dataset, config, split or item, or a dataset that no folder of `dataset_scripts` declares.
    """
    rows = find_rows(dataset, config, splits, revision, media=(IMAGE, VIDEO))
    name = find(read_record(dataset, rows.revision)["dataset"]).name
    builder = find(name).builder
    rated = _choose(builder.rated(rows.config), ratings, f"{dataset}, config {rows.config!r}")
    items = []
    for split, pieces in rows.splits.items():
        for row in read_columns(pieces, [ITEM, *rated.columns]):
            items.append(Item(row[ITEM], split, rated.of(row), row))
    if only:
        known = {item.id for item in items}
        if unknown := [one for one in only if one not in known]:
            raise SourceError(
                f"{len(unknown)} of {len(only)} ids are not items of {dataset}, config {rows.config!r}:\n"
                f"{listed(unknown)}\nIts ids are like {items[0].id if items else '(none)'!r}."
            )
        chosen = {*only}
        items = [item for item in items if item.id in chosen]
    return Target(str(dataset), name, builder, rows, rated, tuple(items[:limit]))


def _choose(rated: Sequence[Rated], ratings: str | None, where: str) -> Rated:
    if not rated:
        raise SourceError(f"{where}: nothing is rated about its items. Choose a --config with images or videos.")
    for one in rated:
        if ratings in (None, one.ratings):
            return one
    valid = ", ".join(one.ratings for one in rated if one.ratings) or "none"
    raise SourceError(f"{where} has no ratings {ratings!r}; valid: {valid}.")


def read_ids(path: Path) -> list[str]:
    """Ids of items from a file: one on each line, or a JSON list.

    Raises:
        SourceError: the file cannot be read or holds no id.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = parse_json(text) if text.lstrip().startswith("[") else text.splitlines()
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read: {error}. Give a file with one id on each line.") from error
    ids = list(dict.fromkeys(str(one).strip() for one in found if str(one).strip()))
    if not ids:
        raise SourceError(f"{path} holds no id. Give one on each line, or a JSON list.")
    return ids
