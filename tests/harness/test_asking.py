"""What a harness asks and what answers are worth, without a harness; `make test-matrix` runs it in Inspect."""

from pathlib import Path

import pandas as pd
import pytest

from emohub.errors import EmohubError, SourceError
from emohub.harness.asking import Answer, numbers, task_of
from emohub.rate.questions import BAD_MEDIA, REFUSAL, Attempt
from emohub.rate.run import rate_dataset
from emohub.report.item import Settings
from emohub.results.measures import CHEHRE, HQ
from emohub.results.recompute import computed


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("emohub.harness.asking.HF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_every_item_is_asked_with_its_media_in_files(release: Path, cache: Path) -> None:
    made = task_of(str(release / "emonet-face"), "hq", HQ, "zero-shot", {}, max_side=100)
    asks = list(made.asks())
    files = made.files()
    assert len(asks) == len(files) == 48 and all(len(paths) == 1 for paths in files.values())
    before = {path: path.stat().st_mtime_ns for paths in files.values() for path in paths}
    assert made.files() == files and {path: path.stat().st_mtime_ns for path in before} == before
    assert all(path.is_relative_to(cache) for path in before)


def test_only_questions_that_count_are_asked(release: Path) -> None:
    made = task_of(str(release / "emonet-face"), "binary", "EmoNet-Face BINARY", "verify", {})
    item = made.target.items[3]
    asks = list(made.asks({item.id: {"Awe", "Anger"}}))
    assert [(one.id, ask.part) for one, ask in asks] == [(item.id, "Awe"), (item.id, "Anger")]


def test_a_video_is_its_frames(release: Path) -> None:
    made = task_of(str(release / "chehre"), "videos", CHEHRE, "label-ratings", {}, limit=2, frames=3)
    assert {len(paths) for paths in made.files().values()} == {3}


def test_numbers_are_those_of_the_report_and_failures_count(release: Path, tmp_path: Path) -> None:
    faces = str(release / "emonet-face")
    rate_dataset(faces, "random", tmp_path / "rated", config="hq", name="random one")
    rows = pd.read_parquet(tmp_path / "rated" / "ratings.parquet")
    answers = [
        Answer(str(item), None, dict(zip(of["category"], of["rating"], strict=True)), "")
        for item, of in rows.groupby("item")
    ]
    failed = [Answer("one more", None, {}, REFUSAL)] * 16
    found = numbers(faces, HQ, [*answers, *failed], tmp_path)
    records = computed(faces, [tmp_path / "rated"], Settings(bootstrap=2)).records()
    expected = {one["id"]: one["value"] for one in records if one["rater"] == "random one"}
    assert found == {
        "answered": 0.75,
        "hq_kappa_w": expected["hq.table6.random one.mean"],
        "hq_rho": expected["hq.figure4.random one.rho"],
    }


def test_without_any_answer_there_are_no_numbers(release: Path, tmp_path: Path) -> None:
    faces = str(release / "emonet-face")
    assert numbers(faces, HQ, [Answer("a", None, {}, REFUSAL)], tmp_path) == {"answered": 0.0}


def test_what_cannot_be_read_says_why(release: Path) -> None:
    made = task_of(str(release / "emonet-face"), "hq", HQ, "zero-shot", {}, limit=1)
    (item, ask), *_ = made.asks()
    assert made.read(item, ask.part, Attempt(text="I'm sorry, but I can't help with that.")) == ({}, REFUSAL)
    assert made.read(item, ask.part, Attempt(failure=BAD_MEDIA)) == ({}, BAD_MEDIA)


@pytest.mark.parametrize(
    ("protocol", "options", "says"),
    [("zero-shots", {}, "valid"), ("zero-shot", {"shots": 1}, "takes no"), ("label-ratings", {}, "label_ratings")],
)
def test_what_does_not_fit_is_refused(release: Path, protocol: str, options: dict, says: str) -> None:
    with pytest.raises((EmohubError, SourceError), match=says):
        task_of(str(release / "emonet-face"), "hq", HQ, protocol, options)
