"""Inputs and helpers of the tests of card."""

import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

REPOS = ("emonet-face", "chehre")


def metadata(repo: Path) -> dict[str, Any]:
    start, text, _ = (repo / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert start == ""
    return yaml.safe_load(text)


def body(repo: Path) -> str:
    return (repo / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]


def infos(repo: Path) -> dict[str, dict[str, Any]]:
    found = metadata(repo)["dataset_info"]
    return {info["config_name"]: info for info in (found if isinstance(found, list) else [found])}


def shards(repo: Path, config: str) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted((repo / config).glob("*.parquet")):
        found.setdefault(re.fullmatch(r"([a-z]+)-\d{5}-of-\d{5}\.parquet", path.name)[1], []).append(path)
    return found


def rows(repo: Path, config: str) -> list[dict[str, Any]]:
    paths = sorted((repo / config).glob("*.parquet"))
    media = {"image", "video"}
    names = [name for name in pq.read_schema(paths[0]).names if name not in media]
    return [row for path in paths for row in pq.read_table(path, columns=names).to_pylist()]
