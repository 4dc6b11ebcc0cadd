"""Files of Every Eval Ever: what its schema 0.3.0 and its checks demand, and the report's numbers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emohub.cli import app
from emohub.errors import EmohubError
from emohub.report.item import Settings
from emohub.results.every_eval_ever import write_every_eval_ever
from emohub.results.recompute import computed
from tests.demo_results import FEW, Results

# As the schema and validator/validation_core.py of its repository have it.
REQUIRED = {
    *("schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata", "model_info", "eval_library"),
    "evaluation_results",
}
PATH = re.compile(
    r"data/[\w.-]+/[\w.-]+/[\w.-]+/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.json"
)


def written(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted(folder.rglob("*.json"))
    assert all(PATH.fullmatch(path.relative_to(folder).as_posix()) for path in files)
    found = [json.loads(path.read_text()) for path in files]
    return {one["model_info"]["name"]: one for one in found}


@pytest.fixture(scope="module")
def faces(made_results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eee")
    made = computed(made_results.faces, made_results.given, FEW)
    counts = write_every_eval_ever(made, folder, "A lab", now=1.0)
    assert counts == {"files": 6, "people, who are no models": 8, "numbers that are best at 1": 0}
    return folder


def test_every_file_is_what_the_schema_demands(faces: Path) -> None:
    found = written(faces)
    assert len(found) == 6
    for name, one in found.items():
        assert {*one} == REQUIRED and one["schema_version"] == "0.3.0"
        assert one["evaluation_id"] == f"emonet-face-hq/{one['model_info']['id']}/1"
        source = one["source_metadata"]
        assert source["source_type"] == "evaluation_run" and source["evaluator_relationship"] == "other"
        details = one["model_info"]["additional_details"]
        assert details["deployment_type"] in ("self_deployed", "externally_managed", "unknown")
        assert details["model_availability"] in ("open_weights", "closed_weights", "unknown")
        assert all(isinstance(value, str) for value in (*details.values(), *source["additional_details"].values()))
        assert not name.startswith("human-")
        for result in one["evaluation_results"]:
            metric, score = result["metric_config"], result["score_details"]["score"]
            assert metric["min_score"] <= score <= metric["max_score"] and metric["score_type"] == "continuous"
            assert metric["lower_is_better"] is False
            assert result["source_data"]["source_type"] == "other"
            assert all(isinstance(value, str) for value in result["score_details"]["details"].values())


def test_the_numbers_are_the_reports(faces: Path, made_results: Results) -> None:
    records = {one["id"]: one for one in computed(made_results.faces, made_results.given, FEW).records()}
    results = [result for one in written(faces).values() for result in one["evaluation_results"]]
    assert len(results) == 12
    for result in results:
        assert result["score_details"]["score"] == records[result["evaluation_result_id"]]["value"]


def test_intervals_and_what_is_best_at_one(made_results: Results, tmp_path: Path) -> None:
    made = computed(made_results.videos, [], Settings(bootstrap=60))
    counts = write_every_eval_ever(made, tmp_path, "A lab", now=1.0)
    assert counts == {"files": 2, "people, who are no models": 2, "numbers that are best at 1": 2}
    results = {one["evaluation_result_id"]: one for one in written(tmp_path)["prior"]["evaluation_results"]}
    assert "chehre.spread_ratio.prior" not in results
    energy = results["chehre.energy.prior"]
    assert energy["metric_config"]["lower_is_better"] and "score_type" not in energy["metric_config"]
    interval = energy["score_details"]["uncertainty"]["confidence_interval"]
    assert interval["lower"] <= energy["score_details"]["score"] <= interval["upper"]
    assert interval["confidence_level"] == 0.95


def test_the_same_report_gives_the_same_names(faces: Path, made_results: Results, tmp_path: Path) -> None:
    write_every_eval_ever(computed(made_results.faces, made_results.given, FEW), tmp_path, "A lab", now=2.0)
    names = [sorted(path.name for path in folder.rglob("*.json")) for folder in (faces, tmp_path)]
    assert names[0] == names[1]


def test_who_evaluated_has_to_be_said(made_results: Results, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", made_results.faces, "--out", str(tmp_path / "r"), "--format", "eee"])
    assert result.exit_code and not (tmp_path / "r").exists()
    with pytest.raises(EmohubError, match="--organization"):
        write_every_eval_ever(computed(made_results.videos, [], FEW, whole=True), tmp_path, " ")
