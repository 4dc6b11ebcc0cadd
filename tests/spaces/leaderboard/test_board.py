"""Tables and profiles of entries; files that are none are listed, names are never markup."""

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from board import make_board
from board_page import render
from board_settings import read_settings
from kit.entry import Entry
from kit.table import Table
from results_source import Results, read_results
from tests.demo_results import Results as Demo
from tests.spaces.leaderboard.conftest import changed

SETTINGS = read_settings()


def read(folder: Path, **settings: int) -> Results:
    return read_results(folder, replace(SETTINGS, **settings))


def table(found: Results, measure: str) -> tuple[Table, str]:
    section = make_board(found).sections[0]
    return next((one, legend) for of, one, legend in section.tables if of.id == measure)


def test_it_reads_what_the_report_wrote(made_results: Demo) -> None:
    found = read_results(made_results.folder, SETTINGS)
    assert len(found.entries) == 18 and not found.left_out
    board = make_board(found)
    assert [section.study for section in board.sections] == ["EmoNet-Face HQ", "Chehre"]
    shown, legend = table(found, "hq_kappa_w")
    values = {entry.rater.name: entry.scores[0].value for entry in found.entries.values()}
    assert {row[0]: row[2].value for row in shown.rows} == {
        name: value
        for name, value in values.items()
        if name not in ("random", "prior", "one human", "half of the humans")
    }
    humans = [value for name, value in values.items() if name.startswith("human-")]
    assert f"mean of 8 humans, {sum(humans) / 8:.3f}" in legend and f"{max(humans):.3f}" in legend
    places = {row[0]: row[1] and row[1].text for row in shown.rows}
    assert places["human-1"] is None and places["Random Baseline"] is None and places["Hume Face*"].endswith("*")


def test_chehres_lines_are_one_human_and_half_of_them(made_results: Demo) -> None:
    board = make_board(read_results(made_results.folder, SETTINGS))
    legend = next(legend for of, _, legend in board.sections[1].tables if of.id == "chehre_top1")
    assert "one human" in legend and "half of the humans" in legend


def test_places_are_among_raters_of_the_same_items(invented: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(invented, tmp_path / "results")
    for number in (2, 3, 4):
        changed(folder, number, lambda entry: entry["items"].update(rated=10, sha256="f" * 64))
    shown, _ = table(read(folder), "hq_rho")
    assert shown.columns[-1] == "Item set"
    of = {row[0]: row for row in shown.rows}
    letter = of["rater 2"][-1]
    assert [name for name, row in of.items() if row[-1] == letter] and {of[f"rater {n}"][-1] for n in (2, 3, 4)} == {
        letter
    }
    assert {row[1].key for row in of.values() if row[-1] == letter and row[1]} <= {1.0, 2.0, 3.0}
    assert of["rater 2"][6].text == "10 of 2,500"


def test_a_missing_number_is_shown_with_its_coverage(invented: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(invented, tmp_path / "results")

    def drop(entry: dict) -> None:
        entry["scores"] = [one for one in entry["scores"] if one["measure"] != "hq_rho"]

    changed(folder, 5, drop)
    shown, _ = table(read(folder), "hq_rho")
    last = shown.rows[-1]
    assert last[0] == "rater 5" and last[1] is last[2] is None and last[6].text == "2,500 of 2,500"


def test_files_that_are_no_entries_are_listed(invented: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(invented, tmp_path / "results")
    first, second, third, fourth, *_ = sorted((folder / "entries").rglob("*.json"))
    first.write_text("{")
    second.write_text("[" * 100_000)
    third.write_text(json.dumps(json.loads(third.read_text()) | {"format": "x"}))
    fourth.rename(fourth.with_name("other.json"))
    found = read(folder, entries=25)
    assert len(found.left_out) == 4 and len(found.entries) + len(found.left_out) == 25 and found.more == 5
    page = render(make_board(found), SETTINGS)
    assert "5 more entries" in page and all(name in page for name in found.left_out)
    assert len(read(folder, entry_kb=1).entries) == 0


NASTY = '</script><img src=x onerror="alert(1)">&amp;'


def test_names_are_never_markup(invented: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(invented, tmp_path / "results")

    def rename(entry: dict) -> None:
        entry["rater"].update(name=NASTY, protocol=NASTY)
        entry["scores"][1]["part"] = NASTY

    changed(folder, 7, rename)
    page = render(make_board(read(folder)), SETTINGS)
    assert "<img" not in page and "&lt;img" in page
    data = page.split('id="data">')[1].split("</script>")[0]
    assert NASTY in {one["name"] for one in json.loads(data)["entries"]}


def test_no_results_is_a_page_that_says_how_to_make_some(tmp_path: Path) -> None:
    assert "--submit" in render(make_board(read(tmp_path)), SETTINGS)


def test_the_csv_has_every_row_with_its_interval(invented: Path) -> None:
    shown, _ = table(read(invented), "hq_kappa_w")
    rows = list(csv.DictReader(io.StringIO(shown.csv())))
    assert len(rows) == 30
    one = next(row for row in rows if row["Rater"] == "rater 2")
    score = next(entry for entry in read(invented).entries.values() if entry.rater.name == "rater 2").scores[0]
    assert [float(one[f"κ_w{end}"]) for end in ("", ": low", ": high")] == [score.value, *score.interval]


@pytest.mark.parametrize("given", ["[]", '{"result": "x"}', "{"])
def test_wrong_settings_are_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_SETTINGS", given)
    with pytest.raises(ValueError):
        read_settings()


def test_the_entry_is_that_of_the_kit() -> None:
    from emohub.results.entry import Entry as Ours

    assert Entry.model_json_schema() == Ours.model_json_schema()
