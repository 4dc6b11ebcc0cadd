"""The folder of a dataset repo: one folder of Parquet per config, `build.json`, and what reads them."""

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, Image, Video

RECORD, PROBLEMS = "build.json", "problems.jsonl"


def features_of(folder: Path) -> Features:
    """The columns of one config, from its files."""
    return Features.from_arrow_schema(pq.read_schema(next(folder.glob("*.parquet"))))


def read_config(folder: Path) -> pd.DataFrame:
    """One config's rows without media; class labels as names, `split` added."""
    features = features_of(folder)
    columns = [name for name, feature in features.items() if not isinstance(feature, Image | Video)]
    shards = sorted(folder.glob("*.parquet"))
    table = pd.concat(
        [pq.read_table(shard, columns=columns).to_pandas().assign(split=_split(shard)) for shard in shards],
        ignore_index=True,
    )
    for name, feature in features.items():
        if isinstance(feature, ClassLabel):
            table[name] = table[name].map(dict(enumerate(feature.names)))
    return table


def items_by_split(folder: Path) -> dict[str, list[str]]:
    """Split → distinct items of one config's Parquet files."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.parquet")):
        column = pq.read_table(path, columns=["item"]).column(0)
        found.setdefault(_split(path), []).extend(pc.unique(column).to_pylist())
    return found


def _split(shard: Path) -> str:
    return shard.name.split("-")[0]
