"""What the rows of a dataset hold: media that decode, labels of the label sets, ratings, no item in two splits."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, Image, List, Video

from emohub.check.base import Check, Failure, Subject
from emohub.check.base import truncate_list as some
from emohub.check.datasets import DATASET, files_of, infos, metadata
from emohub.data.emojis import ALL_LABELS, EMOJIS, emoji
from emohub.data.media import check_image, check_video
from emohub.data.ratings import COLUMNS, validate_ratings
from emohub.data.taxonomy import NAMES
from emohub.dataset.build import DATASETS, RECORD, items_by_split
from emohub.errors import MediaError, RatingsError, UnknownNameError
from emohub.errors import printable as shown
from emohub.hub.folders import load_builder_module

DECODERS: Mapping[type, Callable[[bytes], object]] = {
    Image: lambda data: check_image(data, "full"),
    Video: lambda data: check_video(data, "full"),
}
LABEL_SETS: Mapping[str, tuple[str, ...]] = {
    "the 40 emotions": NAMES,
    "the 40 emojis": tuple(known.slug for known in EMOJIS),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """What a config of ratings may hold: its categories, lowest and highest rating of a human, whole numbers only."""

    categories: Sequence[str]
    ends: tuple[float, float]
    whole: bool


SCALES: Mapping[str, Scale] = {
    "hq_ratings": Scale(NAMES, (0, 7), False),
    "binary_ratings": Scale(NAMES, (0, 1), True),
    "label_ratings": Scale(ALL_LABELS, (0, 3), True),
    "emoji_ratings": Scale(tuple(known.name for known in EMOJIS), (0, 3), True),
}
ANY = Scale((*NAMES, *ALL_LABELS, *(known.name for known in EMOJIS)), (0, 7), False)


def _shards(subject: Subject) -> Iterator[tuple[str, str, str, Features]]:
    """Config, split, file and the card's features of every shard that can be read."""
    for config, by_split in files_of(subject).items():
        info = infos(subject).get(config)
        for split, files in by_split.items():
            for file in files:
                if info and info.features and file in metadata(subject):
                    yield config, split, file, info.features


def media(subject: Subject) -> Iterator[Failure]:
    """The first row of each shard decodes, whole; the name in it is no path."""
    for _, _, file, features in _shards(subject):
        columns = {name: type(feature) for name, feature in features.items() if type(feature) in DECODERS}
        try:
            with pq.ParquetFile(subject.folder / file) as parquet:
                row = next(parquet.iter_batches(batch_size=1, columns=list(columns) or None)).to_pylist()[0]
        except (pa.ArrowException, OSError, StopIteration) as error:
            found = f"its first row does not read: {shown(error) or 'no row'}"
            yield subject.failure(file, found, "Build the dataset again.")
            continue
        for name, kind in columns.items():
            value = row.get(name) or {}
            try:
                DECODERS[kind](value.get("bytes") or b"")
            except MediaError as error:
                yield subject.failure(file, f"{name} of the first row: {shown(error)}", "Build it from good media.")
            if "/" in (path := value.get("path") or "") or "\\" in path:
                found = f"{name} of the first row is named {shown(path)!r}, a path"
                yield subject.failure(file, found, "Keep the base name only.")


def labels(subject: Subject) -> Iterator[Failure]:
    """Label sets are those of the taxonomy and of the emojis, values are in them."""
    for config, info in infos(subject).items():
        for name, feature in _class_labels(info.features or {}):
            for what, known in LABEL_SETS.items():
                shared = set(feature.names) & set(known)
                if 2 * len(shared) > len(known) and tuple(feature.names) != known:
                    odd = sorted(set(feature.names) ^ set(known)) or "the order"
                    found = f"{config}.{name} is not {what}: {some(odd) if odd != 'the order' else odd} differs"
                    yield subject.failure("README.md", found, "Take the label set from emohub.data, and build again.")
    for config, _, file, features in _shards(subject):
        yield from _label_values(subject, config, file, features)
        if {"emoji_code", "labels"} <= set(features):
            yield from _emoji_labels(subject, file)


def _class_labels(features: Any, path: str = "") -> Iterator[tuple[str, ClassLabel]]:
    for name, feature in dict(features).items():
        inner = feature.feature if isinstance(feature, List) else feature
        if isinstance(inner, ClassLabel):
            yield f"{path}{name}", inner
        elif isinstance(inner, dict):
            yield from _class_labels(inner, f"{path}{name}.")


def _label_values(subject: Subject, config: str, file: str, features: Features) -> Iterator[Failure]:
    top = {name: feature for name, feature in features.items() if isinstance(feature, ClassLabel)}
    table = pq.read_table(subject.folder / file, columns=list(top)) if top else None
    for name, feature in top.items():
        column = table.column(name) if table is not None and name in table.column_names else pa.chunked_array([[]])
        ends = pc.min_max(column).as_py()
        low, high = ends["min"], ends["max"]
        if low is not None and not (0 <= low and high < len(feature.names)):
            found = f"{config}.{name} holds {low}…{high}, there are {len(feature.names)} labels"
            yield subject.failure(file, found, "Build the dataset again.")


def _emoji_labels(subject: Subject, file: str) -> Iterator[Failure]:
    table = pq.read_table(subject.folder / file, columns=["emoji_code", "labels"])
    for row in table.to_pylist():
        try:
            known = list(emoji(row["emoji_code"]).labels)
        except (UnknownNameError, AttributeError) as error:
            yield subject.failure(file, shown(error), "Build the dataset again.")
            return
        if row["labels"] != known:
            found = f"{row['emoji_code']} has the labels {some(row['labels'] or ['none'], 6)}, not {some(known, 6)}"
            yield subject.failure(file, found, "Build the dataset again.")
            return


def ratings(subject: Subject) -> Iterator[Failure]:
    """Long tables obey the one schema of ratings, each config with its categories and scale."""
    for config, by_split in files_of(subject).items():
        files = [file for files in by_split.values() for file in files if file in metadata(subject)]
        if not files or not config.endswith("_ratings") and not _is_long(subject, files[0]):
            continue
        scale = SCALES.get(config, ANY)
        try:
            frame = pd.concat([pq.read_table(subject.folder / file).to_pandas() for file in files], ignore_index=True)
            validate_ratings(frame, categories=scale.categories, scale=scale.ends, whole=scale.whole)
            odd = set(frame.columns) - set(COLUMNS)
        except RatingsError as error:
            yield subject.failure(config, shown(error, 400), "Mend the raw ratings, and build again.")
        except (pa.ArrowException, OSError) as error:
            yield subject.failure(config, f"does not read: {shown(error)}", "Build the dataset again.")
        else:
            if odd:
                found = f"has the columns {some(sorted(odd))}, which no ratings table has"
                yield subject.failure(config, found, "Keep to emohub.data.ratings.")


def _is_long(subject: Subject, file: str) -> bool:
    return {"rater", "category", "rating"} <= set(metadata(subject)[file].schema.to_arrow_schema().names)


# -- duplicates --------------------------------------------------------------------------------------


def apart(subject: Subject) -> Iterator[Failure]:
    """An item, and whatever else a split must not tear apart, is in one split, the same in every config."""
    for family, key in _families(subject):
        home: dict[str, tuple[str, str]] = {}
        for config in (name for name in family if (subject.folder / name).is_dir()):
            try:
                found = items_by_split(subject.folder / config)
            except (pa.ArrowException, OSError, KeyError):
                continue  # dataset.shards and dataset.features say so
            for split, items in found.items():
                torn = [item for item in items if home.setdefault(key(item), (split, config))[0] != split]
                if torn:
                    other = home[key(torn[0])]
                    do = "Build all configs with the same splits."
                    told = f"{len(torn):,} of {split} are in {'/'.join(reversed(other))} too: {some(map(key, torn))}"
                    yield subject.failure(config, told, do)


def _families(subject: Subject) -> list[tuple[Sequence[str], Callable[[str], str]]]:
    """Configs of the same items and what a split must keep together; where unknown, every config for itself."""
    try:
        module, name = DATASETS[json.loads(subject.text(RECORD))["dataset"]]
        builder = getattr(load_builder_module(module), name)
        return [(family, builder.split_key) for family in builder.FAMILIES]
    except (OSError, ValueError, LookupError, TypeError):
        return [([config], str) for config in files_of(subject)]


def twice(subject: Subject) -> Iterator[Failure]:
    """No item stands twice in a config with media, and no picture or video in two of its splits."""
    for config, by_split in files_of(subject).items():
        info = infos(subject).get(config)
        columns = [name for name, kind in (info.features or {}).items() if type(kind) in DECODERS] if info else []
        items: set[str] = set()
        contents: dict[str, str] = {}
        again: list[str] = []
        for split, files in by_split.items() if columns else ():  # long tables name an item in many rows
            for item, content in _fingerprints(subject, files, columns[0]):
                if item in items:
                    again.append(f"item {item}")
                elif contents.setdefault(content, split) != split:
                    again.append(f"the {columns[0]} of {item} in {split}, in {contents[content]} under another name")
                items.add(item)
        if again:
            yield subject.failure(config, f"twice there: {some(again)}", "Leave one of each out, and build again.")


def _fingerprints(subject: Subject, files: Sequence[str], column: str) -> Iterator[tuple[str, str]]:
    """Item and digest of the media of every row, one row group in memory at a time."""
    for file in (file for file in files if file in metadata(subject)):
        with pq.ParquetFile(subject.folder / file) as parquet:
            if not {"item", column} <= set(parquet.schema_arrow.names):
                continue  # dataset.features says so
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=["item", column]).combine_chunks()
                media = table.column(column).combine_chunks().field("bytes")
                for item, data in zip(table.column("item").to_pylist(), media, strict=True):
                    yield str(item), hashlib.sha256(data.as_buffer() or b"").hexdigest()


CHECKS = (
    Check("dataset.media", DATASET, "one row of each shard decodes", media),
    Check("dataset.labels", DATASET, "labels are those of the taxonomy", labels),
    Check("dataset.ratings", DATASET, "ratings keep the schema", ratings),
    Check("dataset.apart", DATASET, "no item is in two splits", apart),
    Check("dataset.twice", DATASET, "no item or picture twice in a config", twice),
)
