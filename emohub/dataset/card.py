"""The card of a dataset repo: metadata that equals the files, and a body whose numbers come from them."""

import json
from collections.abc import Mapping
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
from emohub.dataset.registry import find
from emohub.dataset.repo import RECORD, features_of, read_config
from emohub.hub.context import ReleaseContext
from emohub.hub.templates import citation, environment
from emohub.hub.words import size_of

PICTURE = "assets/labels.png"


def write_dataset_card(name: str, repo: Path, place: ReleaseContext | None = None, **metadata: Any) -> None:
    """Write `README.md` and its picture for everything that the repo holds.

    Args:
        name: one of `emohub.dataset.registry.names()`.
        repo: folder of the repo, with one folder of Parquet per config and `build.json`.
        place: where the repo stands in a release; None where it stands alone.
        **metadata: metadata of a release that replace the dataset's own: licence, gate.
    """
    record = json.loads((repo / RECORD).read_text(encoding="utf-8"))
    script = find(name)
    known: dict[str, RawConfig] = {config.name: config for config in script.builder.BUILDER_CONFIGS}
    infos = {config: _info(repo / config, known[config], made) for config, made in record["configs"].items()}
    data = DatasetCardData(**{**script.metadata, **metadata}, size_categories=[_size(infos)])
    DatasetInfosDict(infos).to_dataset_card_data(data)
    default = next(iter(infos))  # the builder's default comes first, where it is built
    MetadataConfigs(
        {config: _data_files(info, config == default) for config, info in infos.items()}
    ).to_dataset_card_data(data)
    tables = {config: read_config(repo / config) for config in infos}
    (repo / PICTURE).parent.mkdir(exist_ok=True)
    (repo / PICTURE).unlink(missing_ok=True)  # it may be a hard link to the picture of the repo that this one replaces
    facts = script.card.facts(tables, repo / PICTURE)
    text = (
        _environment(script.folder)
        .get_template("card.md.j2")
        .render(
            place=place or ReleaseContext(f"ORG/{name}"),
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


def _size(infos: Mapping[str, DatasetInfo]) -> str:
    """The Hub's size class of the largest config."""
    return size_of(max(sum(split.num_examples for split in info.splits.values()) for info in infos.values()))


def _environment(folder: Path) -> Environment:
    made = environment(folder)
    made.filters["table"] = _markdown
    return made


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
