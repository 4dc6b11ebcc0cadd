"""Ratings that were made elsewhere."""

import json
from pathlib import Path

import pandas as pd
import pytest

from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.errors import EmohubError, RatingsError, SourceError
from emohub.rate.run import rate_dataset
from emohub.rate.target import open_target


@pytest.fixture
def items(hq: str) -> list[str]:
    return [item.id for item in open_target(hq, "hq").items]


def rated(hq: str, file: Path, out: Path, **more: object) -> tuple[pd.DataFrame, dict[str, object]]:
    record = rate_dataset(hq, f"table:{file}", out, config="hq", **more)
    return pd.read_parquet(out / "ratings.parquet"), record


def test_long_and_wide_in_every_format_are_one_table(hq: str, items: list[str], tmp_path: Path) -> None:
    long = pd.DataFrame(
        [
            {"item": item, "category": name, "rating": (number + place) % 8}
            for number, item in enumerate(items)
            for place, name in enumerate(NAMES)
        ]
    )
    wide = long.pivot(index="item", columns="category", values="rating").reset_index()
    wide.columns = ["item", *(next(e.slug for e in EMOTIONS if e.name == name) for name in wide.columns[1:])]
    long.to_csv(tmp_path / "hume.csv", index=False)
    long.to_parquet(tmp_path / "hume.parquet")
    wide.to_csv(tmp_path / "wide.csv", index=False, sep=";")
    long.to_json(tmp_path / "hume.jsonl", orient="records", lines=True)
    tables = []
    for file in ("hume.csv", "hume.parquet", "wide.csv", "hume.jsonl"):
        table, record = rated(hq, tmp_path / file, tmp_path / f"out-{file}", name="Hume")
        assert record["counts"]["parsed"] == 48 and record["notes"] == {"left_out": {}}
        tables.append(table.sort_values(["item", "category"], ignore_index=True))
    assert all(table.equals(tables[0]) for table in tables[1:])
    assert set(tables[0]["rater"]) == {"Hume"} and set(tables[0]["kind"]) == {"model"}
    assert tables[0]["rating"].sum() == long["rating"].sum()


def test_another_scale_is_mapped(hq: str, items: list[str], tmp_path: Path) -> None:
    frame = pd.DataFrame({"item": items[:3], "Awe": [0.0, 0.5, 1.0]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    table, record = rated(hq, tmp_path / "t.csv", tmp_path / "out", rater_options={"scale": "0:1"}, limit=4)
    assert table["rating"].tolist() == [0, 3.5, 7] and record["rater"]["scale"] == "0:1"
    assert record["counts"]["failures"] == {"unreadable media": 1}
    failures = pd.read_parquet(tmp_path / "out/failures.parquet")
    assert failures[["item", "detail"]].to_numpy().tolist() == [[items[3], "t.csv has no rating of it"]]
    for bad in ("1", "1:0", "a:b", "0:inf"):
        with pytest.raises(EmohubError, match="--scale is .*; must be two numbers LOW:HIGH"):
            rated(hq, tmp_path / "t.csv", tmp_path / "bad", rater_options={"scale": bad})


def test_raters_kinds_and_samples_of_the_table_stay(hq: str, items: list[str], tmp_path: Path) -> None:
    rows = [
        {"item": items[0], "rater": rater, "kind": kind, "category": "awe", "rating": 2, "sample": sample}
        for rater, kind, sample in (("anna", "human", None), ("gpt", "vlm", 0), ("gpt", "vlm", 1))
    ]
    pd.DataFrame(rows).to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    table, _ = rated(hq, tmp_path / "t.jsonl", tmp_path / "out", only=[items[0]])
    found = table[["rater", "kind", "category"]].to_numpy().tolist()
    assert found == [["anna", "human", "Awe"], ["gpt", "vlm", "Awe"], ["gpt", "vlm", "Awe"]]
    assert table["sample"].isna().tolist() == [True, False, False]


def test_what_is_left_out_is_counted(hq: str, items: list[str], tmp_path: Path) -> None:
    frame = pd.DataFrame({"item": [*items[:2], "elsewhere"], "Awe": ["1", "", "3"], "Fear": ["2", "2", "2"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    table, record = rated(hq, tmp_path / "t.csv", tmp_path / "out", limit=2)
    assert len(table) == 3
    assert record["notes"] == {"left_out": {"empty cells": 1, "rows about items that are not rated here": 2}}


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("name,Awe\na,1", RatingsError, "has no column 'item'; its columns: name, Awe"),
        ("item,Joyness\na,1", RatingsError, "1 names are no category of .*\n  - Joyness\nValid: Amusement"),
        (
            "item,category,rating\na,Awe,high",
            RatingsError,
            "1 ratings are not numbers, the first 'high' of item 'a'",
        ),
        ("item,category,rating\na,Awe,1\na,Awe,2", RatingsError, "rated this category of this item before"),
        ("item,kind,category,rating\na,robot,Awe,1", RatingsError, "kind is not one of human"),
        ("item,category,rating\na,Awe,inf", RatingsError, "rating is not a finite number"),
        ('item,Awe\n"a,1', SourceError, "cannot be read as a table"),
    ],
)
def test_a_bad_table_is_refused_and_nothing_stays(
    content: str, error: type[Exception], message: str, hq: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(error, match=message):
        rated(hq, tmp_path / "t.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_files_are_refused(hq: str, tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match=r"the file must end in \.csv"):
        rated(hq, tmp_path / "t.xlsx", tmp_path / "out")
    with pytest.raises(OSError, match="t.csv"):
        rated(hq, tmp_path / "t.csv", tmp_path / "out")
    (tmp_path / "t.jsonl").write_text(json.dumps({"item": "a"}) + "\n{")
    with pytest.raises(SourceError, match="t.jsonl cannot be read as a table"):
        rated(hq, tmp_path / "t.jsonl", tmp_path / "out")
