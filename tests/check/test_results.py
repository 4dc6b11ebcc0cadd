"""A results dataset whose numbers, items or ratings were changed is refused, with what the ratings give."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from emohub.check.base import Report
from emohub.check.run import check_path
from emohub.data.source import sha256_of
from emohub.results.reading import entry_files
from tests.demo_results import Results

IDS = ("results.entries", "results.numbers")


def checked(results: Results, *datasets: str) -> Report:
    return check_path(results.folder, ids=IDS, datasets=datasets or (results.faces, results.videos))


def entry_of(results: Results, rater: str) -> Path:
    return next(path for path in entry_files(results.folder) if json.loads(path.read_text())["rater"]["name"] == rater)


def change(file: Path, edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    before = json.loads(file.read_text())
    after = json.loads(file.read_text())
    edit(after)
    file.write_text(json.dumps(after))
    return before


def whole(entry: dict[str, Any]) -> dict[str, Any]:
    return next(score for score in entry["scores"] if not score["by"])


def test_what_the_report_wrote_passes(results: Results) -> None:
    found = checked(results)
    assert found.ok and not any(result.left_out for result in found.results)


@pytest.mark.parametrize("rater", ["a random rater", "human-1", "prior"])
def test_a_forged_number_is_refused_with_the_one_that_the_ratings_give(results: Results, rater: str) -> None:
    file = entry_of(results, rater)
    before = change(file, lambda entry: whole(entry).update(value=0.987654))
    (failure,) = checked(results).failures
    assert failure.where.endswith(file.relative_to(results.folder).as_posix())
    assert "is 0.987654" in failure.found and f"{whole(before)['value']:.6g}" in failure.found


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "interval": (lambda entry: whole(entry).update(interval=[0.1, 0.2]), "[0.1, 0.2]"),
    "n": (lambda entry: whole(entry).update(n=47), "(n = 47)"),
    "undefined": (lambda entry: whole(entry).update(value=None), "is undefined"),
    "left out": (lambda entry: entry["scores"].remove(whole(entry)), "is missing"),
    "invented": (
        lambda entry: entry["scores"].append({**entry["scores"][1], "part": "Hunger"}),
        "emotion · Hunger",
    ),
    "items": (lambda entry: entry["items"].update(sha256="0" * 64), "items.sha256 is 0000"),
    "coverage": (lambda entry: entry["items"].update(rated=48, total=49), "items.total is 49"),
}
BREAKS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no measure": (lambda entry: whole(entry).update(measure="hq_best"), "no measure of"),
    "not finite": (lambda entry: whole(entry).update(value=float("nan")), "value"),
    "more": (lambda entry: entry.update(rank=1), "rank"),
    "twice": (lambda entry: entry["scores"].append(whole(entry)), "twice"),
    "path": (lambda entry: entry["ratings"].update(path="../../../etc/passwd"), "ratings.path is"),
    "control letters": (lambda entry: entry["rater"].update(name="a\x1b[31m"), "cannot be shown"),
    "another rater": (lambda entry: entry["rater"].update(name="somebody"), "must be"),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_change_is_found(results: Results, name: str) -> None:
    edit, says = EDITS[name]
    change(entry_of(results, "a random rater"), edit)
    found = checked(results, results.faces)
    assert not found.ok and any(says in failure.found for failure in found.failures)


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_the_schema_is_found(results: Results, name: str) -> None:
    edit, says = BREAKS[name]
    change(entry_of(results, "a random rater"), edit)
    found = check_path(results.folder, ids=IDS[:1])
    assert not found.ok and any(says in failure.found for failure in found.failures)


def ratings_of(results: Results, rater: str) -> Path:
    return results.folder / json.loads(entry_of(results, rater).read_text())["ratings"]["path"]


def seal(results: Results, rater: str) -> None:
    """Let an entry name the bytes that its ratings have now."""
    digest = sha256_of(ratings_of(results, rater))
    change(entry_of(results, rater), lambda entry: entry["ratings"].update(sha256=digest))


def test_changed_ratings_are_found(results: Results) -> None:
    file = ratings_of(results, "a random rater")
    frame = pd.read_parquet(file)
    frame.assign(rating=7 - frame["rating"]).to_parquet(file)
    assert "other bytes" in checked(results).failures[0].found
    seal(results, "a random rater")
    assert "the ratings give" in checked(results).failures[0].found


def test_ratings_of_another_rater_are_found(results: Results) -> None:
    shutil.copyfile(ratings_of(results, "a constant rater"), ratings_of(results, "a random rater"))
    seal(results, "a random rater")
    assert not checked(results).ok


def test_missing_ratings_and_a_moved_entry(results: Results) -> None:
    next((results.folder / "ratings").rglob("*.parquet")).unlink()
    file = entry_of(results, "human-1")
    file.rename(file.with_name("first.json"))
    found = [failure.found for failure in checked(results).failures]
    assert len(found) == 2 and any("missing" in one for one in found) and any("belongs to" in one for one in found)


def test_what_was_not_computed_again_is_counted(results: Results) -> None:
    file = entry_of(results, "a random rater")
    change(file, lambda entry: entry.update(ratings=None))
    found = checked(results, results.faces)
    assert found.ok
    said = [one.why for result in found.results for one in result.left_out]
    assert len(said) == 2
    assert any(one.startswith("1 entries") and "not given" in one for one in said)
    assert any(one.startswith("4 entries") and "--dataset" in one for one in said)


def test_a_dataset_that_is_none_is_said(results: Results, tmp_path: Path) -> None:
    found = checked(results, str(tmp_path))
    assert any("cannot be read" in one.why for result in found.results for one in result.left_out)
