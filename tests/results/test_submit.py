"""Entries hold what the report holds, do not depend on who else was in it, and load as a dataset."""

import json
from pathlib import Path

import pandas as pd
import pytest
from datasets import load_dataset
from typer.testing import CliRunner

from emohub.cli import app
from emohub.errors import EmohubError
from emohub.report.item import Settings
from emohub.report.run import report
from emohub.results.entry import Entry
from emohub.results.reading import entry_files, read_entry
from emohub.results.recompute import computed
from emohub.results.submit import submit
from tests.demo_results import FEW, Results

HUMANS = {f"human-{number}" for number in range(1, 9)}
COMPUTED = {"random", "prior", "one human", "half of the humans"}
IN_DATASET = {"Empathic Insight Face Small", "Gemini 2.0 Flash ZS", "Hume Face*", "Random Baseline"}


def entries(folder: Path) -> dict[str, Entry]:
    found = [read_entry(path.read_bytes()) for path in entry_files(folder)]
    return {one.rater.name: one for one in found}


def test_every_rater_with_a_number_has_an_entry(made_results: Results) -> None:
    found = entries(made_results.folder)
    assert {*found} == HUMANS | IN_DATASET | COMPUTED | {"a random rater", "a constant rater"}
    assert found["Gemini 2.0 Flash ZS"].rater.protocol == "zero-shot"
    assert found["one human"].rater.kind == "human" and found["prior"].rater.kind == "baseline"
    origins = {name: one.ratings.origin for name, one in found.items() if one.ratings}
    assert origins["a random rater"] == "file" and origins["human-1"] == "dataset" and origins["prior"] == "report"
    assert found["a random rater"].run and found["a random rater"].run.asked == 48


def test_numbers_are_those_of_results_json(made_results: Results, tmp_path: Path) -> None:
    report(made_results.faces, tmp_path / "report", ratings=made_results.given, only=["hq"], settings=FEW)
    records = {one["id"]: one for one in json.loads((tmp_path / "report" / "results.json").read_text())}
    scores = [score for one in entries(made_results.folder).values() for score in one.scores if "hq." in score.id]
    assert len(scores) > 1000
    for score in scores:
        record = records[score.id]
        assert (score.value, score.interval, score.n) == (record["value"], record["interval"], record["n"])
    kinds = {(score.measure, score.by) for score in scores}
    assert kinds == {("hq_kappa_w", ""), ("hq_kappa_w", "emotion"), ("hq_rho", ""), ("hq_rho", "emotion")}


def test_a_rater_has_the_same_numbers_whoever_else_is_there(made_results: Results, tmp_path: Path) -> None:
    submit(computed(made_results.faces, made_results.given[:1], FEW), tmp_path / "alone")
    together = entries(made_results.folder)
    for name, one in entries(tmp_path / "alone").items():
        assert one == together[name]


def test_the_same_again_changes_nothing(results: Results) -> None:
    before = {path: path.read_bytes() for path in results.folder.rglob("*") if path.is_file()}
    found = submit(computed(results.faces, results.given, FEW), results.folder)
    assert (found.new, found.changed, len(found.same)) == ((), (), 14)
    assert {path: path.read_bytes() for path in results.folder.rglob("*") if path.is_file()} == before


def test_other_settings_replace_the_entry(results: Results) -> None:
    found = submit(computed(results.videos, [], Settings(bootstrap=31)), results.folder)
    assert len(found.changed) == 4 and not found.new
    assert entries(results.folder)["prior"].settings.bootstrap == 31


def test_it_loads_as_a_dataset(made_results: Results, tmp_path: Path) -> None:
    rows = load_dataset(str(made_results.folder), split="train", cache_dir=str(tmp_path))
    assert len(rows) == 18
    by_name = {row["rater"]["name"]: row for row in rows}
    score = by_name["human-1"]["scores"][0]
    assert score["value"] == entries(made_results.folder)["human-1"].scores[0].value
    assert by_name["human-1"]["run"] is None and by_name["a random rater"]["run"]["type"] == "random"


def test_published_computations_are_no_results(made_results: Results, tmp_path: Path) -> None:
    made = report(made_results.faces, tmp_path / "report", only=["hq.table6"], settings=Settings(upstream=True))
    with pytest.raises(EmohubError, match="--upstream"):
        submit(made, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_without_a_number_to_show_nothing_is_written(made_results: Results, tmp_path: Path) -> None:
    made = report(made_results.faces, tmp_path / "report", only=["binary.table2"], settings=FEW)
    with pytest.raises(EmohubError, match="nothing was submitted"):
        submit(made, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_part_of_the_numbers_is_not_submitted(made_results: Results, tmp_path: Path) -> None:
    options = ["--only", "hq", "--out", str(tmp_path / "report"), "--submit", str(tmp_path / "results")]
    result = CliRunner().invoke(app, ["report", made_results.faces, *options])
    assert result.exit_code and not (tmp_path / "report").exists()


def test_a_name_that_cannot_be_shown_is_refused(made_results: Results, tmp_path: Path) -> None:
    frame = pd.read_parquet(made_results.given[0] / "ratings.parquet")
    frame.assign(rater="bell\a").to_csv(tmp_path / "mine.csv", index=False)
    made = computed(made_results.faces, [tmp_path / "mine.csv"], FEW, whole=True)
    with pytest.raises(EmohubError, match="another name"):
        submit(made, tmp_path / "results")
