"""Metadata tables of an image folder: every column arrives, or the build lists what does not fit."""

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dataset_scripts.emonet_face.metadata import read_metadata
from emohub.data.problems import ProblemLog
from emohub.errors import BuildError
from tests import raw_inputs as raw

COLUMNS = ("file_name", "prompt", "age", "ethnicity", "gender", "generator")
AGES = dict(zip(raw.HQ_ITEMS, (20, 50, 80), strict=True))


@pytest.fixture
def log(tmp_path: Path) -> ProblemLog:
    (tmp_path / "log").mkdir()
    return ProblemLog(tmp_path / "log")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """HQ's three images with a row each."""
    raw.write_hq(tmp_path / "source")
    rows = [(f"{item}.jpg", raw.PROMPT, age, "Asian", "woman", "flux") for item, age in AGES.items()]
    raw.write_csv(tmp_path / "source" / "hq" / "metadata.csv", COLUMNS, rows)
    return tmp_path / "source"


def build(source: Path, **options: Any) -> dict[str, Any]:
    """The record of hq; the card is not what is tested here."""
    return raw.build_data("emonet-face", source, source.with_name("repo"), "hq", **options)["configs"]["hq"]


def ages(source: Path) -> dict[str, int | None]:
    table = pq.read_table(source.with_name("repo") / "hq", columns=["item", "age"])
    return dict(zip(*(table.column(name).to_pylist() for name in ("item", "age")), strict=True))


def test_every_table_is_recorded_by_its_digest(source: Path) -> None:
    record = build(source)
    assert list(record["inputs"]) == ["hq.csv", "hq/metadata.csv"]
    assert ages(source) == AGES
    before = record["inputs"]["hq/metadata.csv"]
    raw.set_cell(source / "hq" / "metadata.csv", 0, "age", "40")
    assert build(source)["inputs"]["hq/metadata.csv"] != before
    assert ages(source)["flux_0001"] == 40


def _drop(source: Path) -> None:
    path = source / "hq" / "metadata.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))


def _again(source: Path) -> None:
    raw.append_row(source / "hq" / "metadata.csv", ("flux_0001.jpg", raw.PROMPT, "70", "Asian", "woman", "flux"))


def _again_in_another_form(source: Path) -> None:
    (source / "hq" / "sub").mkdir()
    (source / "hq" / "sub" / "metadata.jsonl").write_text('{"file_name": "deep/flux_0001.png", "age": 70}')


def _second_table(source: Path) -> None:
    (source / "hq" / "metadata.jsonl").write_text(json.dumps({"file_name": "flux_0001.jpg", "age": 99}))


def _no_image(source: Path) -> None:
    raw.append_row(source / "hq" / "metadata.csv", ("flux_0009.jpg", raw.PROMPT, "70", "Asian", "woman", "flux"))


def _text(old: str, new: str) -> Callable[[Path], None]:
    def change(source: Path) -> None:
        path = source / "hq" / "metadata.csv"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return change


def _cut(source: Path) -> None:
    path = source / "hq" / "metadata.csv"
    path.write_text(path.read_text()[: -len(",woman,flux\n")])


def _cut_in_quotes(source: Path) -> None:
    path = source / "hq" / "metadata.csv"
    path.write_text(path.read_text().replace(raw.PROMPT, '"a photo, of a man"').rpartition(" man")[0])


def _parquet_instead(source: Path) -> None:
    (source / "hq" / "x.parquet").write_bytes(b"PAR1")


BROKEN: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "rows missing": (_drop, [r"flux_0002: has no row in hq/metadata.csv", r"mid_0003: has no row in hq/metadata.csv"]),
    "two rows": (_again, [r"hq/metadata.csv data row 4: a second row for the image 'flux_0001', after .* data row 1"]),
    "two rows in two tables": (_again_in_another_form, [r"hq/sub/metadata.jsonl line 1: a second row for the image"]),
    "two tables": (_second_table, [r"metadata.csv and hq/metadata.jsonl: are two metadata tables in one folder"]),
    "no image": (_no_image, [r"hq/metadata.csv data row 4: names 'flux_0009.jpg', and there is no such image"]),
    "no file_name": (_text("file_name", "image"), [r"hq/metadata.csv: .*lacks the columns \['file_name'\]"]),
    "column twice": (_text("ethnicity", "age"), [r"hq/metadata.csv: .*has the columns \['age'\] more than once"]),
    "cut": (_cut, [r"hq/metadata.csv: .* line 4 has fewer cells than the header"]),
    "cut in quotes": (_cut_in_quotes, [r"hq/metadata.csv: .* is not a CSV table"]),
    "path": (_text("flux_0001.jpg", "..\\flux_0001.jpg"), [r"hq/metadata.csv: .*"]),
    "not used": (_parquet_instead, [r"hq/metadata.csv: describes image files, and the images of hq are in .parquet"]),
}


@pytest.mark.parametrize("num_proc", [1, 2])
@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_fit_is_listed(name: str, num_proc: int, source: Path) -> None:
    change, lines = BROKEN[name]
    change(source)
    with pytest.raises(BuildError) as caught:
        build(source, num_proc=num_proc)
    for line in lines:
        assert any(re.search(line, shown) for shown in str(caught.value).split("\n")), caught.value
    assert not source.with_name("repo").exists() and caught.value.__cause__ is None


def test_with_skip_bad_the_rest_is_built_and_listed(source: Path) -> None:
    _drop(source)
    assert build(source, skip_bad=True)["left_out"] == 2
    assert ages(source) == {"flux_0001": 20}
    assert {problem["item"] for problem in raw.problems(source.with_name("repo"))} == {"flux_0002", "mid_0003"}


@pytest.mark.parametrize("table", ["NFC", "NFD"])
@pytest.mark.parametrize("file", ["NFC", "NFD"])
@pytest.mark.parametrize("votes", ["NFC", "NFD"])
def test_unicode_forms_of_a_name_are_one_name(table: str, file: str, votes: str, source: Path) -> None:
    name = {form: unicodedata.normalize(form, "visagé_1") for form in ("NFC", "NFD")}
    (source / "hq" / "flux_0001.jpg").rename(source / "hq" / f"{name[file]}.jpg")
    for path, form in ((source / "hq" / "metadata.csv", table), (source / "hq.csv", votes)):
        path.write_text(path.read_text().replace("flux_0001", name[form]), encoding="utf-8")
    build(source)
    assert ages(source)[name["NFC"]] == 20 and len(ages(source)) == 3


def test_rows_of_another_set_in_the_same_folder_are_known(tmp_path: Path, log: ProblemLog) -> None:
    raw.write_csv(tmp_path / "metadata.csv", ("file_name",), [("a.jpg",), ("00001.jpg",)])
    found = read_metadata(tmp_path, [tmp_path / "metadata.csv"], ["a"], log, known={"00001"})
    assert set(found.fields) == {"a", "00001"} and not list(log)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("metadata.csv", b"", "is empty"),
        ("metadata.csv", "file_name,age\né,1\n".encode("latin-1"), "not UTF-8"),
        ("metadata.jsonl", b'{"file_name": "a.jpg"}\n{"file_name"\n', "line 2 is not JSON"),
        ("metadata.jsonl", b"[1]\n", "line 1 is not an object with a file_name"),
        ("metadata.jsonl", b'{"name": "a.jpg"}\n', "line 1 is not an object with a file_name"),
        ("metadata.jsonl", b'{"file_name": "\xe9"}\n', "line 1 is not JSON"),
        ("metadata.jsonl", b"[" * 100_000, "line 1 is not JSON"),
    ],
)
def test_what_is_no_table(name: str, content: bytes, says: str, tmp_path: Path, log: ProblemLog) -> None:
    (tmp_path / name).write_bytes(content)
    read_metadata(tmp_path, [tmp_path / name], ["a", "b"], log)
    (problem,) = log  # not one for every image besides
    assert problem.where == name and says in problem.what


def test_both_kinds_of_table_are_read(tmp_path: Path, log: ProblemLog) -> None:
    (tmp_path / "x").mkdir()
    raw.write_csv(tmp_path / "metadata.csv", ("file_name", "age"), [("x/1.jpg", "30"), ("2.png", "None")])
    lines = [{"file_name": "3.jpg", "prompt": "a\u2028b", "age": 40}, {"file_name": "sub/4.jpg"}]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (tmp_path / "x" / "metadata.jsonl").write_text(text + "\n\n", encoding="utf-8")
    tables = [tmp_path / "metadata.csv", tmp_path / "x" / "metadata.jsonl"]
    assert read_metadata(tmp_path, tables, "1234", log).fields == {
        "1": {"file_name": "x/1.jpg", "age": "30"},
        "2": {"file_name": "2.png", "age": "None"},
        "3": lines[0],
        "4": lines[1],
    }
    assert not list(log)
