"""Inputs and helpers of the tests of chehre."""

import csv
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from emohub.dataset.registry import find

chehre = importlib.import_module(find("chehre").builder.__module__)


def plain(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def label_answers(row: dict[str, str]) -> list[dict[str, Any]]:
    """Every rater's cells of one row of labels.csv, repeats too."""
    found = []
    for k in (1, 2, 3, 4):
        if row[f"pid_{k}"]:
            text = row[f"pid_{k}_ratings"]
            assert text[0] == text[-1] == '"'
            found.append(
                {
                    "rater": row[f"pid_{k}"],
                    "ratings": json.loads(text[1:-1].replace('""', '"')),
                    "rank1": row[f"pid_{k}_rank1"],
                    "rank2": row[f"pid_{k}_rank2"],
                    "jitter": {"true": True, "false": False}[row[f"pid_{k}_jitteryFlag"]],
                    "timestamp": row[f"pid_{k}_timestamp"],
                }
            )
    return found


def match_answers(row: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"rater": row[f"pid_{k}"], "rating": int(row[f"pid_{k}_match_rating"]), "timestamp": row[f"pid_{k}_timestamp"]}
        for k in (1, 2, 3)
        if row[f"pid_{k}"]
    ]


def firsts(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each rater's first answer."""
    return list({answer["rater"]: answer for answer in reversed(answers)}.values())[::-1]


def item_of(row: dict[str, str]) -> str:
    return re.sub(r"\.mp4$", "", row["video_name"])


def table(repo: Path, config: str) -> list[dict[str, Any]]:
    return [row for path in sorted((repo / config).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
