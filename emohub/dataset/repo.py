"""The folder of a dataset repo: one folder of Parquet per config, `build.json`, and what reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, Image, Video
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError

from emohub.data.frames import read_frame
from emohub.dataset.registry import find
from emohub.errors import EmohubError, SourceError
from emohub.hub.json_files import parse_json

RECORD, PROBLEMS = "build.json", "problems.jsonl"
RATING = "rating"  # the column that long tables have


def read_record(dataset: str, revision: str | None = None) -> dict[str, Any]:
    """`build.json` of a repo, which names a dataset that is known here.

    Args:
        dataset: Folder of a dataset repo, or a Hub dataset id.
        revision: Commit, branch or tag on the Hub.

    Raises:
        SourceError: there is none, or it names no known dataset.
    """
    try:
        if Path(dataset).is_dir():
            data = (Path(dataset) / RECORD).read_bytes()
        else:
            data = Path(hf_hub_download(dataset, RECORD, repo_type="dataset", revision=revision)).read_bytes()
        record: dict[str, Any] = parse_json(data)
        find(record["dataset"])
        return record
    except (OSError, EntryNotFoundError, ValueError, LookupError, TypeError, EmohubError) as error:
        raise SourceError(
            f"{dataset}: {RECORD} names no dataset that this emohub knows ({error}), so its label set is unknown. "
            "Give a repo that `emohub build dataset` wrote, or set EMOHUB_PATH to the folder that declares it."
        ) from error


def features_of(folder: Path) -> Features:
    """The columns of one config, from its files."""
    return Features.from_arrow_schema(pq.read_schema(next(folder.glob("*.parquet"))))


def read_config(folder: Path) -> pd.DataFrame:
    """One config's rows without media; class labels as names, `split` added; text of a long table as categories."""
    features, shards = features_of(folder), sorted(folder.glob("*.parquet"))
    table = read_frame(
        [*map(str, shards)],
        wanted=lambda field: not isinstance(features[field.name], Image | Video),
        repeated=lambda _: RATING in features,
    )
    names = list(dict.fromkeys(map(_split, shards)))
    codes = np.repeat(
        [names.index(_split(shard)) for shard in shards], [pq.read_metadata(shard).num_rows for shard in shards]
    )
    table["split"] = pd.Categorical.from_codes(codes, names)
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
