"""What the rows of a dataset hold: media that decode, labels of the label sets, ratings, no item in two splits."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, Image, List, Video

from emohub.check.base import Check, Failure, Subject, truncate_list
from emohub.check.datasets import DATASET, files_of, infos, metadata
from emohub.data.builder import RawBuilder
from emohub.data.duplicates import image_hashes, similar
from emohub.data.media import check_image, check_video
from emohub.data.ratings import COLUMNS, Scale, validate_ratings
from emohub.dataset.registry import find, names
from emohub.dataset.repo import RECORD, items_by_split
from emohub.errors import EmohubError, MediaError, RatingsError, printable
from emohub.hub.json_files import parse_json

DECODERS: Mapping[type, Callable[[bytes], object]] = {
    Image: lambda data: check_image(data, "full"),
    Video: lambda data: check_video(data, "full"),
}


def _builder(subject: Subject) -> type[RawBuilder] | None:
    """The builder of the dataset that `build.json` names; None where it names none that is known here."""
    try:
        return find(parse_json(subject.text(RECORD))["dataset"]).builder
    except (OSError, ValueError, LookupError, TypeError, EmohubError):
        return None


def _builders(subject: Subject) -> list[type[RawBuilder]]:
    """The builder of this dataset; every known one where it is not known which dataset this is."""
    known = _builder(subject)
    return [known] if known else [find(name).builder for name in names()]


def _shards(subject: Subject) -> Iterator[tuple[str, str, str, Features]]:
    """Config, split, file and the card's features of every shard that can be read."""
    for config, by_split in files_of(subject).items():
        info = infos(subject).get(config)
        for split, files in by_split.items():
            for file in files:
                if info and info.features and file in metadata(subject):
                    yield config, split, file, info.features


def check_media(subject: Subject) -> Iterator[Failure]:
    """The first row of each shard decodes completely; the file name in it is not a path."""
    for _, _, file, features in _shards(subject):
        columns = {name: type(feature) for name, feature in features.items() if type(feature) in DECODERS}
        try:
            with pq.ParquetFile(subject.folder / file) as parquet:
                row = next(parquet.iter_batches(batch_size=1, columns=list(columns) or None)).to_pylist()[0]
        except (pa.ArrowException, OSError, StopIteration) as error:
            found = f"its first row does not read: {printable(error) or 'no row'}"
            yield subject.failure(file, found, "Build the dataset again.")
            continue
        for name, kind in columns.items():
            value = row.get(name) or {}
            try:
                DECODERS[kind](value.get("bytes") or b"")
            except MediaError as error:
                yield subject.failure(
                    file, f"{name} of the first row: {printable(error)}", "Build it from good media."
                )
            if "/" in (path := value.get("path") or "") or "\\" in path:
                found = f"{name} of the first row is named {printable(path)!r}, a path"
                yield subject.failure(file, found, "Keep the base name only.")


def check_labels(subject: Subject) -> Iterator[Failure]:
    """Label sets are those that the dataset declares, values are in them."""
    builders = _builders(subject)
    declared = {what: known for builder in builders for what, known in builder.LABEL_SETS.items()}
    for config, info in infos(subject).items():
        for name, feature in _class_labels(info.features or {}):
            for what, known in declared.items():
                shared = set(feature.names) & set(known)
                if 2 * len(shared) > len(known) and tuple(feature.names) != tuple(known):
                    odd = sorted(set(feature.names) ^ set(known)) or "the order"
                    found = (
                        f"{config}.{name} is not {what}: {truncate_list(odd) if odd != 'the order' else odd} differs"
                    )
                    yield subject.failure("README.md", found, "Take the label set from emohub.data, and build again.")
    for config, _, file, features in _shards(subject):
        yield from _label_values(subject, config, file, features)
        for builder in builders:
            yield from _row_fault(subject, file, features, builder)


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


def _row_fault(subject: Subject, file: str, features: Features, builder: type[RawBuilder]) -> Iterator[Failure]:
    """The first row that breaks the dataset's own rules."""
    columns = list(builder.ROW_COLUMNS)
    if not columns or not set(columns) <= set(features):
        return
    for row in pq.read_table(subject.folder / file, columns=columns).to_pylist():
        if found := builder.row_fault(row):
            yield subject.failure(file, printable(found, 400), "Build the dataset again.")
            return


def check_ratings(subject: Subject) -> Iterator[Failure]:
    """Long tables obey the one schema of ratings, each config with its categories and scale."""
    scales = {one.name: one.scale for builder in _builders(subject) for one in builder.BUILDER_CONFIGS if one.scale}
    for config, by_split in files_of(subject).items():
        files = [file for files in by_split.values() for file in files if file in metadata(subject)]
        if not files or not config.endswith("_ratings") and not _is_long(subject, files[0]):
            continue
        scale = scales.get(config) or _widest()
        try:
            frame = pd.concat([pq.read_table(subject.folder / file).to_pandas() for file in files], ignore_index=True)
            validate_ratings(frame, categories=scale.categories, scale=scale.ends, whole=scale.whole)
            odd = set(frame.columns) - set(COLUMNS)
        except RatingsError as error:
            yield subject.failure(config, printable(error, 400), "Correct the raw ratings, and build again.")
        except (pa.ArrowException, OSError) as error:
            yield subject.failure(config, f"does not read: {printable(error)}", "Build the dataset again.")
        else:
            if odd:
                found = f"has the columns {truncate_list(sorted(odd))}, which no ratings table has"
                yield subject.failure(config, found, "Keep to emohub.data.ratings.")


def _widest() -> Scale:
    """What the scale of any known config allows."""
    scales = [one.scale for name in names() for one in find(name).builder.BUILDER_CONFIGS if one.scale]
    categories = dict.fromkeys(name for scale in scales for name in scale.categories)
    lows, highs = zip(*(scale.ends for scale in scales), strict=True)
    return Scale(list(categories), (min(lows), max(highs)))


def _is_long(subject: Subject, file: str) -> bool:
    return {"rater", "category", "rating"} <= set(metadata(subject)[file].schema.to_arrow_schema().names)


# -- duplicates --------------------------------------------------------------------------------------


def check_split_leakage(subject: Subject) -> Iterator[Failure]:
    """No item, and no group that must stay together, is in two splits, within and across configs."""
    for family, key in _families(subject):
        home: dict[str, tuple[str, str]] = {}
        for config in (name for name in family if (subject.folder / name).is_dir()):
            try:
                found = items_by_split(subject.folder / config)
            except (pa.ArrowException, OSError, KeyError):
                continue  # reported by dataset.shards and dataset.features
            for split, items in found.items():
                leaked = [item for item in items if home.setdefault(key(item), (split, config))[0] != split]
                if leaked:
                    other = home[key(leaked[0])]
                    do = "Build all configs with the same splits."
                    which = truncate_list(map(key, leaked))
                    found_in = f"{len(leaked):,} of {split} are in {'/'.join(reversed(other))} too: {which}"
                    yield subject.failure(config, found_in, do)


def _families(subject: Subject) -> list[tuple[Sequence[str], Callable[[str], str]]]:
    """Configs of the same items, and the group of an item; for an unknown dataset every config alone."""
    if builder := _builder(subject):
        return [(family, builder.split_key) for family in builder.FAMILIES]
    return [([config], str) for config in files_of(subject)]


def check_duplicates(subject: Subject) -> Iterator[Failure]:
    """No item is repeated in a config with media, and no image or video is in two of its splits."""
    for config, by_split in files_of(subject).items():
        info = infos(subject).get(config)
        columns = [name for name, kind in (info.features or {}).items() if type(kind) in DECODERS] if info else []
        items: set[str] = set()
        contents: dict[str, str] = {}
        repeated: list[str] = []
        for split, files in by_split.items() if columns else ():  # long tables name an item in many rows
            for item, content in _fingerprints(subject, files, columns[0]):
                if item in items:
                    repeated.append(f"item {item}")
                elif contents.setdefault(content, split) != split:
                    repeated.append(
                        f"the {columns[0]} of {item} in {split}, in {contents[content]} under another name"
                    )
                items.add(item)
        if repeated:
            yield subject.failure(
                config, f"repeated: {truncate_list(repeated)}", "Leave one of each out, and build again."
            )


def check_near_duplicates(subject: Subject) -> Iterator[Failure]:
    """No image of one split is in another split of any config, not even after another encoding."""
    by_split: dict[str, list[tuple[str, str]]] = {}
    hashes: dict[str, list[np.ndarray]] = {}
    for config, files in files_of(subject).items():
        info = infos(subject).get(config)
        columns = [name for name, kind in (info.features or {}).items() if type(kind) is Image] if info else []
        for split, shards in files.items() if columns else ():
            rows = [(item, bits) for item, bits in _hashed(subject, shards, columns[0]) if bits is not None]
            by_split.setdefault(split, []).extend((config, item) for item, _ in rows)
            hashes.setdefault(split, []).extend(bits for _, bits in rows)
    for one, other in combinations(sorted(hashes, key=lambda split: len(hashes[split])), 2):
        if not hashes[one]:
            continue
        places = similar(np.array(hashes[one]), np.array(hashes[other]))
        pairs = [(by_split[one][at], by_split[other][places[at]]) for at in np.flatnonzero(places >= 0)]
        if pairs:
            named = [f"{a[0]} {a[1]} = {b[0]} {b[1]}" for a, b in pairs]
            found = f"{len(pairs):,} images of {one} are in {other} too: {truncate_list(named)}"
            yield subject.failure("", found, "Build all configs from one source, so that shared images share a split.")


def _hashed(subject: Subject, files: Sequence[str], column: str) -> Iterator[tuple[str, np.ndarray | None]]:
    """Item and perceptual hash of every image."""
    items: list[str] = []

    def contents() -> Iterator[bytes]:
        for item, data in _media(subject, files, column):
            items.append(item)
            yield data

    yield from zip(items, list(image_hashes(contents())), strict=True)


def _fingerprints(subject: Subject, files: Sequence[str], column: str) -> Iterator[tuple[str, str]]:
    """Item and digest of the media of every row."""
    return ((item, hashlib.sha256(data).hexdigest()) for item, data in _media(subject, files, column))


def _media(subject: Subject, files: Sequence[str], column: str) -> Iterator[tuple[str, bytes]]:
    """Item and media of every row, one row group in memory at a time."""
    for file in (file for file in files if file in metadata(subject)):
        with pq.ParquetFile(subject.folder / file) as parquet:
            if not {"item", column} <= set(parquet.schema_arrow.names):
                continue  # reported by dataset.features
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=["item", column]).combine_chunks()
                media = table.column(column).combine_chunks().field("bytes")
                for item, data in zip(table.column("item").to_pylist(), media, strict=True):
                    yield str(item), data.as_py() or b""


CHECKS = (
    Check("dataset.media", DATASET, "one row of each shard decodes", check_media),
    Check("dataset.labels", DATASET, "labels are those of the taxonomy", check_labels),
    Check("dataset.ratings", DATASET, "ratings keep the schema", check_ratings),
    Check("dataset.split-leakage", DATASET, "no item is in two splits", check_split_leakage),
    Check("dataset.near-duplicates", DATASET, "no image is in two splits of any configs", check_near_duplicates),
    Check("dataset.duplicates", DATASET, "no item or picture repeated in a config", check_duplicates),
)
