"""Long and wide tables of a page, and their limits."""

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def page_table(pages: dict[str, ModuleType]) -> ModuleType:
    return pages["page_table"]


def test_long_and_wide_tables_are_the_same(page_table: ModuleType) -> None:
    long = page_table.read_table("item;rater;rating\na;x;1\nb;x;2.5\na;y;\nb;y;0", None)
    wide = page_table.read_table("face,x,y\na,1,\nb,2.5,0", None)
    assert long.astype(str).to_dict("list") == wide.astype(str).to_dict("list")
    assert wide["rating"].isna().sum() == 1


def test_samples_and_categories_in_wide_tables(page_table: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "table.tsv"
    file.write_text("item\tcategory\tAnn\tmodel#1\tmodel#2\na\tawe\t1\t2\t3\n")
    table = page_table.read_table("ignored", str(file))
    assert table[["rater", "sample", "category"]].values.tolist() == [
        ["Ann", "1", "awe"],
        ["model", "1", "awe"],
        ["model", "2", "awe"],
    ]
    mine, others = page_table.split_model(table, " model ")
    assert (len(mine), len(others)) == (2, 1)
    with pytest.raises(ValueError, match="The model is called 'gpt'"):
        page_table.split_model(table, "gpt")


BAD = {
    "nothing": ("", "There is no table"),
    "one column": ("item\na", "neither long nor wide"),
    "half a long table": ("item,rater\na,Ann", "neither long nor wide"),
    "a decimal comma": ("item;A\na;2,5", "is '2,5'; a rating is a number with a decimal point"),
    "a number with underscores": ("item,A\na,1_000", "is '1_000'; a rating is a number,"),
    "an empty name": ("item,rater,rating\na,,1", "column 'rater' is empty in 1 of 1 rows"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_tables_are_clear_errors(page_table: ModuleType, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        page_table.read_table(text, None)


def long(rows: list[tuple[str, str, str]]) -> str:
    return "\n".join(map(",".join, [("item", "rater", "category", "rating"), *((*row, "1") for row in rows)]))


LIMITS = {
    "raters": (long([("a", f"r{n}", "c") for n in range(101)]), "101 raters; this page takes 100"),
    "wide ratings": (
        ",".join(["item", *map(str, range(100))]) + ("\na" + ",1" * 100) * 1_001,
        "100,100 ratings; this",
    ),
    "cells": (long([(f"i{n}", f"r{n % 50}", f"c{n % 200}") for n in range(400)]), "4,000,000 cells; this page takes"),
    "pasted bytes": ("item,x\n" + "a,1\n" * 1_250_000, "5,000,007 bytes; this page takes 5,000,000"),
}


@pytest.mark.parametrize(("text", "message"), LIMITS.values(), ids=LIMITS)
def test_work_is_limited_before_it_is_begun(page_table: ModuleType, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"The table has {message}"):
        page_table.read_table(text, None)


def test_files_have_a_limit(page_table: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.csv").write_text("item,x\na,1\n")
    monkeypatch.setattr(page_table, "MOST_BYTES", 10)
    with pytest.raises(ValueError, match="The table has 11 bytes; this page takes 10"):
        page_table.read_table(None, str(tmp_path / "large.csv"))


def test_the_limits_are_on_the_page(page_table: ModuleType) -> None:
    for limit in ("5 MB", "100,000 ratings", "100 raters", "2,000,000 cells"):
        assert limit in page_table.HELP
