"""The card of a dataset repo: metadata that equals the files, and a body whose numbers come from them."""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
from datasets import DatasetInfo
from datasets.info import DatasetInfosDict
from datasets.splits import SplitDict, SplitInfo
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard, DatasetCardData
from jinja2 import Environment

from emohub.data.builder import RawConfig
from emohub.data.source import sha256_of
from emohub.dataset.croissant import write_croissant
from emohub.dataset.registry import DatasetScript, find
from emohub.dataset.repo import RECORD, features_of, read_config
from emohub.hub.context import ReleaseContext
from emohub.hub.json_files import read_json
from emohub.hub.templates import citation, environment
from emohub.hub.words import size_of

PICTURE = "assets/labels.png"


def write_dataset_card(name: str, repo: Path, context: ReleaseContext | None = None, **metadata: Any) -> None:
    """Write `README.md`, its picture and `croissant.json` for everything that the repo holds.

    Args:
        name: one of `emohub.dataset.registry.names()`.
        repo: folder of the repo, with one folder of Parquet per config and `build.json`.
        context: the release that the repo is part of; None without one.
        **metadata: metadata of a release that replace the dataset's own: licence, gate.
    """
    record, context = read_json(repo / RECORD), context or ReleaseContext(f"ORG/{name}")
    script = find(name)
    known: dict[str, RawConfig] = {config.name: config for config in script.builder.BUILDER_CONFIGS}
    infos = {config: _info(repo / config, known[config], made) for config, made in record["configs"].items()}
    tables = {config: read_config(repo / config) for config in infos}
    data = DatasetCardData(**_licensed(script, metadata, repo), size_categories=[_size(tables)])
    DatasetInfosDict(infos).to_dataset_card_data(data)
    _describe(data, repo, known)
    default = next(iter(infos))  # the builder's default comes first, where it is built
    MetadataConfigs(
        {config: _data_files(info, config == default) for config, info in infos.items()}
    ).to_dataset_card_data(data)
    (repo / PICTURE).parent.mkdir(exist_ok=True)
    (repo / PICTURE).unlink(missing_ok=True)  # it may be a hard link to the picture of the repo that this one replaces
    facts = script.card.facts(tables, repo / PICTURE)
    if not (repo / PICTURE).is_file():
        (repo / PICTURE).parent.rmdir()
    text = (
        _environment(script.folder)
        .get_template("card.md.j2")
        .render(
            context=context,
            record=record,
            infos=infos,
            known=known,
            tables=tables,
            picture=PICTURE,
            citation=citation(name),
            **facts,
        )
    )
    DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{text.strip()}\n").save(repo / "README.md")
    write_croissant(repo, context, citation(name))


def _describe(data: DatasetCardData, repo: Path, known: Mapping[str, RawConfig]) -> None:
    """Add each config's description, with a digest of its Parquet files.

    `datasets` caches a local folder under its name and a hash of this metadata: without the digest, a corrected
    dataset would load as the one before.
    """
    found = data["dataset_info"]
    entries = found if isinstance(found, list) else [found]
    for entry in entries:
        config = entry["config_name"]
        with ThreadPoolExecutor() as pool:
            files = "".join(pool.map(sha256_of, sorted((repo / config).glob("*.parquet"))))
        digest = hashlib.sha256(files.encode()).hexdigest()
        entry["description"] = f"{known[config].description} SHA-256 of the Parquet: {digest[:16]}"


def _info(folder: Path, config: RawConfig, made: Mapping[str, Any]) -> DatasetInfo:
    splits = SplitDict()
    for name, counts in made["splits"].items():
        splits.add(SplitInfo(name, num_bytes=counts["num_bytes"], num_examples=counts["num_examples"]))
    return DatasetInfo(
        features=features_of(folder),
        splits=splits,
        download_size=sum(path.stat().st_size for path in folder.glob("*.parquet")),
        dataset_size=sum(counts["num_bytes"] for counts in made["splits"].values()),
        config_name=config.name,
    )


def _data_files(info: DatasetInfo, default: bool) -> dict[str, Any]:
    files = [{"split": split, "path": f"{info.config_name}/{split}-*"} for split in info.splits]
    return {"data_files": files, **({"default": True} if default else {})}


def _licensed(script: DatasetScript, metadata: Mapping[str, Any], repo: Path) -> dict[str, Any]:
    """The card's metadata; the dataset's own LICENSE stands beside the card unless a release names another license."""
    own, target = script.metadata, repo / "LICENSE"
    target.unlink(missing_ok=True)  # it may be a hard link to that of the repo that this one replaces
    if "license" in metadata and metadata["license"] != own["license"]:
        own = {key: value for key, value in own.items() if not key.startswith("license")}
    elif (source := script.folder / "LICENSE").is_file():
        shutil.copyfile(source, target)
    return {**own, **metadata}


def _size(tables: Mapping[str, pd.DataFrame]) -> str:
    """The Hub's size class of the number of items, each counted once."""
    items = [table["item"].unique() for table in tables.values() if "item" in table]
    return size_of(len(set().union(*items)) if items else max(map(len, tables.values())))


def _environment(folder: Path) -> Environment:
    made = environment(folder)
    made.filters["table"] = _markdown
    made.filters["summary"] = _summary
    return made


def _summary(record: Mapping[str, Any]) -> dict[str, list[tuple[list[str], Any]]]:
    """What a card says of the build, by heading: (configs, text) pairs."""
    made = record["configs"]

    def lines(key: str) -> list[tuple[list[str], str]]:
        texts = ((config, line) for config, one in made.items() for line in one.get(key, ()))
        return _grouped((config, line.removeprefix(f"{config}: ")) for config, line in texts)

    return {
        "made": _grouped((config, _provenance(one)) for config, one in made.items()),
        "differs": lines("differs"),
        "notes": lines("notes"),
        "published": _grouped(
            (config, line) for config, one in made.items() for line in one.get("published", {}).values()
        ),
        "quirks": _grouped((config, quirk) for config, one in made.items() for quirk in one["quirks"].items()),
    }


def _provenance(made: Mapping[str, Any]) -> str:
    """Cells of one config's row: source and inputs, media checked, left out, versions."""
    inputs = "".join(f", `{name}` (sha256 {digest[:12]}…)" for name, digest in made["inputs"].items())
    checked = {"structure": "complete to the end", "full": "every one decoded"}.get(made["verified"], "none")
    versions = ", ".join(" ".join(pair) for pair in made["versions"].items())
    return f"{made['source']}{inputs} | {checked} | {made['left_out']:,} | {versions}"


def _grouped(pairs: Iterable[tuple[str, Any]]) -> list[tuple[list[str], Any]]:
    """(config, text) pairs with the configs of equal texts together, in order: no text is shown twice."""
    found: dict[Any, list[str]] = {}
    for config, text in pairs:
        found.setdefault(text, []).append(config)
    return [(configs, text) for text, configs in found.items()]


def _markdown(table: pd.DataFrame) -> str:
    """A data frame as a Markdown table: counts with thousands separators, means with two decimals."""

    def cell(value: Any) -> str:
        if isinstance(value, float):
            return "" if pd.isna(value) else f"{value:.2f}"
        return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")

    rows = table.reset_index().astype(object).to_numpy().tolist()
    header = [str(name) for name in table.reset_index().columns]
    aligned = ["---" if isinstance(value, str) else "---:" for value in (rows[0] if rows else header)]
    lines = [header, aligned, *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
