"""A model is measured only where people rated."""

import json
import shutil
from pathlib import Path

import pytest

from emohub.errors import SourceError
from emohub.release import measure
from emohub.release.manifest import Measure
from emohub.release.measure import measure_model
from emohub.report.item import Settings
from emohub.report.run import report

long = measure._long
MODEL = "models/empathic-insight-face-small"


@pytest.mark.parametrize(("config", "split"), [("big", "train"), ("hq", "train"), ("binary", "test")])
def test_without_ratings_it_says_what_to_name(demo_release: Path, config: str, split: str) -> None:
    on = Measure(dataset="emonet-face", config=config, split=split)
    with pytest.raises(SourceError, match=rf"emonet-face, '{config}', '{split}': it has no human ratings"):
        measure_model(demo_release / MODEL, "m", demo_release / "datasets/emonet-face", on)


def test_the_same_seed_gives_the_same_record_and_a_report_the_same_numbers(
    demo_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo_release / MODEL, tmp_path / "m")
    before = (tmp_path / "m" / "evaluation.json").read_bytes()
    faces, scores = demo_release / "datasets/emonet-face", []
    monkeypatch.setattr(measure, "_long", lambda *given: scores.append(long(*given)) or scores[-1])
    measure_model(tmp_path / "m", Path(MODEL).name, faces, Measure(dataset="emonet-face"))
    assert (tmp_path / "m" / "evaluation.json").read_bytes() == before
    scores[0].to_parquet(tmp_path / "scores.parquet")
    settings = Settings(bootstrap=2, seed=0)
    report(str(faces), tmp_path / "out", ratings=[tmp_path / "scores.parquet"], only=["hq"], settings=settings)
    found = {one["id"]: one["value"] for one in json.loads((tmp_path / "out/results.json").read_text())}
    records = json.loads(before)["records"]
    assert len(records) == 2
    for record in records:
        assert found[record["id"]] == pytest.approx(record["value"], abs=1e-9)
