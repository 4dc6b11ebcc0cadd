"""Dataset repos: the card's YAML matches the Parquet files, and there is no code."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import DatasetInfo, Features
from datasets.data_files import DataFilesDict, sanitize_patterns
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCardData

from emohub.check.base import Check, Failure, Scope, Subject, truncate_list
from emohub.dataset.repo import RECORD
from emohub.errors import printable
from emohub.hub.json_files import parse_json
from emohub.hub.words import size_of

DATASET: tuple[Scope, ...] = ("dataset",)
CODE = (".py", ".ipynb", ".sh", ".so", ".dll", ".exe", ".bat")
SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})\.parquet")
README = "README.md"
REBUILD = "Build the dataset again: the card is written from the files."

# -- reading -----------------------------------------------------------------------------------------


def metadata(subject: Subject) -> dict[str, pq.FileMetaData]:
    """Footer of every Parquet file that has one."""
    return subject.once("footers", lambda: _footers(subject)[0])


def _footers(subject: Subject) -> tuple[dict[str, pq.FileMetaData], dict[str, str]]:
    good, bad = {}, {}
    for name in subject.having(".parquet"):
        try:
            good[name] = pq.read_metadata(subject.folder / name)
        except (pa.ArrowException, OSError, ValueError) as error:
            bad[name] = printable(str(error).replace(str(subject.folder), ""))
    return good, bad


def configs(subject: Subject) -> dict[str, dict[str, Any]]:
    """Config → its entry under `configs` in the card; entries without a name are left out."""
    listed = subject.meta.get("configs")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return {str(entry["config_name"]): entry for entry in entries if "config_name" in entry}


def files_of(subject: Subject) -> dict[str, dict[str, list[str]]]:
    """Config → split → files, as `datasets` resolves the patterns of the card; what it refuses is left out."""
    return subject.once("files_of", lambda: {name: found for name, found, _ in _resolved(subject)})


def _resolved(subject: Subject) -> list[tuple[str, dict[str, list[str]], str]]:
    root = subject.folder.resolve()
    found = []
    for name, entry in configs(subject).items():
        try:
            given = DataFilesDict.from_patterns(sanitize_patterns(entry["data_files"]), base_path=str(root))
            files = {str(split): [_relative(file, root) for file in paths] for split, paths in given.items()}
            found.append((name, files, ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            found.append((name, {}, printable(str(error).replace(f"{root}", "").replace(str(subject.folder), ""))))
    return found


def _relative(file: str, root: Path) -> str:
    path = Path(str(file).removeprefix("file://"))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else printable(path.name)


def infos(subject: Subject) -> dict[str, DatasetInfo]:
    """Config → `dataset_info` of the card; empty where `datasets` refuses it."""
    return subject.once("infos", lambda: _infos(subject)[0])


def _infos(subject: Subject) -> tuple[dict[str, DatasetInfo], str]:
    try:
        data = DatasetCardData(dataset_info=subject.meta.get("dataset_info"))
        return dict(DatasetInfosDict.from_dataset_card_data(data)), ""
    except Exception as error:  # the parser of features raises anything
        return {}, f"{type(error).__name__}: {printable(error)}"


# -- checks ------------------------------------------------------------------------------------------


def check_no_code(subject: Subject) -> Iterator[Failure]:
    """No code: `datasets` refuses a repo with a script of its name, and a dataset repo needs none."""
    for name in subject.having(*CODE):
        yield subject.failure(name, "is code in a dataset repo", "Delete it: Parquet needs no script.")


def check_shards(subject: Subject) -> Iterator[Failure]:
    """Every shard is Parquet with rows; no shard of a set is missing."""
    good, bad = _footers(subject)
    for name, error in bad.items():
        yield subject.failure(name, f"is not readable Parquet: {error}", "Build the dataset again.")
    for name, footer in good.items():
        if not footer.num_rows:
            yield subject.failure(name, "has no rows", "Build the dataset again.")
    if not good and not bad:
        yield subject.failure("", "there is no Parquet file", "Build the dataset again.")
    sets: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for name in (*good, *bad):
        folder, _, base = name.rpartition("/")
        if shard := SHARD.fullmatch(base):
            sets[folder, shard["split"], shard["total"]].add(int(shard["number"]))
    for (folder, split, total), numbers in sets.items():
        if missing := sorted(set(range(int(total))) - numbers):
            found = f"{split} lacks shard {truncate_list(missing)} of {int(total)}"
            yield subject.failure(folder, found, "Build the dataset again.")


def check_configs(subject: Subject) -> Iterator[Failure]:
    """`configs` names every Parquet file once, nothing else, and one config as the default."""
    names = [str(entry.get("config_name")) for entry in subject.meta.get("configs") or [] if isinstance(entry, dict)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield subject.failure(README, f"configs repeats {printable(name)!r}", REBUILD)
    home: dict[str, str] = {}
    for config, splits, error in _resolved(subject):
        if error:
            yield subject.failure(README, f"data_files of {config!r} lead to no file: {error}", REBUILD)
        for split, files in splits.items():
            if not files:
                yield subject.failure(README, f"{config}/{split}: the path leads to no file", REBUILD)
            for file in files:
                if (before := home.setdefault(file, f"{config}/{split}")) != f"{config}/{split}":
                    yield subject.failure(file, f"belongs to {before} and to {config}/{split}", REBUILD)
                shard = SHARD.fullmatch(file.rpartition("/")[2])
                if shard and shard["split"] != split:
                    yield subject.failure(file, f"is of {shard['split']}, the card puts it into {split}", REBUILD)
    for file in sorted(set(subject.having(".parquet")) - set(home)):
        yield subject.failure(file, "no config of the card names it", REBUILD)
    defaults = [name for name, entry in configs(subject).items() if entry.get("default")]
    if len(configs(subject)) > 1 and len(defaults) != 1:
        found = f"{len(defaults)} configs are marked as the default ({truncate_list(defaults) or 'none'})"
        yield subject.failure(README, found, "Mark exactly one with default: true.")


def check_dataset_info(subject: Subject) -> Iterator[Failure]:
    """`dataset_info` has the same configs as `configs`, and `datasets` reads it."""
    known, error = _infos(subject)
    if error:
        yield subject.failure(README, f"dataset_info is refused by datasets: {error}", REBUILD)
        return
    named = set(configs(subject))
    for name in sorted(set(known) ^ named):
        has, lacks = ("configs", "dataset_info") if name in named else ("dataset_info", "configs")
        yield subject.failure(README, f"config {printable(name)!r} is in {has}, not in {lacks}", REBUILD)


def check_splits(subject: Subject) -> Iterator[Failure]:
    """Splits and their numbers of rows are those of the files."""
    footers = metadata(subject)
    for config, by_split in files_of(subject).items():
        if config not in infos(subject):
            continue
        declared = {name: split.num_examples for name, split in (infos(subject)[config].splits or {}).items()}
        there = {split: sum(footers[f].num_rows for f in files if f in footers) for split, files in by_split.items()}
        for split in sorted(declared | there):
            if declared.get(split) != there.get(split):
                found = (
                    f"{config}/{split}: the card says {declared.get(split)} rows, the files have {there.get(split)}"
                )
                yield subject.failure(README, found, REBUILD)


def check_features(subject: Subject) -> Iterator[Failure]:
    """Columns and types are those of the files, the same in every shard."""
    for config, by_split in files_of(subject).items():
        declared = infos(subject)[config].features if config in infos(subject) else None
        for file in (file for files in by_split.values() for file in files if file in metadata(subject)):
            schema = metadata(subject)[file].schema.to_arrow_schema()
            if declared is not None and (differs := _differs(declared, schema)):
                yield subject.failure(file, f"{config}: {differs}", REBUILD)


def _differs(declared: Features, schema: pa.Schema) -> str:
    """How a card's features differ from a file's; empty where they do not."""
    if list(declared) != schema.names:
        here = [name for name in schema.names if name not in declared]
        there = [name for name in declared if name not in schema.names]
        if here or there:
            in_file, in_card = truncate_list(here) or "none", truncate_list(there) or "none"
            return f"columns only in the file: {in_file}; only in the card: {in_card}"
        return f"the columns stand in another order than in the card: {truncate_list(schema.names, 5)}"
    found = Features.from_arrow_schema(schema)
    if b"huggingface" not in (schema.metadata or {}):
        plain = declared.arrow_schema.remove_metadata()
        return "" if plain.equals(schema.remove_metadata()) else "the types are not those of the card"
    other = [name for name in declared if declared[name] != found[name]]
    return f"{truncate_list(other)}: the type is not that of the card" if other else ""


def check_sizes(subject: Subject) -> Iterator[Failure]:
    """download_size, dataset_size and size_categories follow from the files."""
    rows = []
    for config, by_split in files_of(subject).items():
        if not (info := infos(subject).get(config)):
            continue
        bytes_there = sum((subject.folder / file).stat().st_size for files in by_split.values() for file in files)
        declared = sum(split.num_bytes or 0 for split in (info.splits or {}).values())
        rows.append(
            sum(metadata(subject)[f].num_rows for fs in by_split.values() for f in fs if f in metadata(subject))
        )
        if info.download_size != bytes_there:
            found = f"{config}: download_size is {info.download_size}, the files have {bytes_there} bytes"
            yield subject.failure(README, found, REBUILD)
        if info.dataset_size != declared:
            found = f"{config}: dataset_size is {info.dataset_size}, its splits add up to {declared}"
            yield subject.failure(README, found, REBUILD)
    declared_sizes = subject.meta.get("size_categories")
    items = len(_items(subject)) or max(rows, default=0)
    if items and declared_sizes != [size_of(items)]:
        found = f"size_categories is {printable(declared_sizes)}, there are {items:,} items"
        yield subject.failure(README, found, f"Write {size_of(items)}.")


def _items(subject: Subject) -> set[str]:
    """Every item of any config, once."""
    found: set[str] = set()
    for name, footer in metadata(subject).items():
        if "item" in footer.schema.to_arrow_schema().names:
            found.update(pc.unique(pq.read_table(subject.folder / name, columns=["item"]).column(0)).to_pylist())
    return found


def check_record(subject: Subject) -> Iterator[Failure]:
    """`build.json` counts what is there."""
    if RECORD not in subject.files:
        yield subject.failure(RECORD, "is missing: what the data were built from is not recorded", "Build again.")
        return
    try:
        made = parse_json(subject.text(RECORD))["configs"]
        declared = {(c, s): counts["num_examples"] for c, one in made.items() for s, counts in one["splits"].items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        yield subject.failure(RECORD, f"is not a record of a build: {printable(error)}", "Build the dataset again.")
        return
    rows: dict[tuple[str, str], int] = defaultdict(int)
    for name, footer in metadata(subject).items():
        config, _, base = name.partition("/")
        rows[config, base.partition("-")[0]] += footer.num_rows
    for config, split in sorted(set(declared) | set(rows)):
        if (before := declared.get((config, split))) != (now := rows.get((config, split))):
            found = f"{config}/{split}: {before} rows were built, {now} are there"
            yield subject.failure(RECORD, found, "Build again: the files are not those that were built.")


CHECKS = (
    Check("dataset.code", DATASET, "no code in the repo", check_no_code),
    Check("dataset.shards", DATASET, "every shard is there and is Parquet", check_shards),
    Check("dataset.configs", DATASET, "configs name exactly the files", check_configs),
    Check("dataset.info", DATASET, "dataset_info has the same configs", check_dataset_info),
    Check("dataset.splits", DATASET, "splits and rows equal the files", check_splits),
    Check("dataset.features", DATASET, "columns and types equal the files", check_features),
    Check("dataset.sizes", DATASET, "sizes equal the files", check_sizes),
    Check("dataset.record", DATASET, "build.json counts what is there", check_record),
)
