"""The functions that the task file names; `make test-matrix` runs them in lm-eval itself."""

import json
import math
from pathlib import Path

import pytest
import yaml

from emohub.data.emojis import emoji
from emohub.dataset.repo import read_config
from emohub.harness.lm_eval import chehre_top1
from emohub.rate.questions import BAD_MEDIA


@pytest.fixture
def rows(release: Path) -> list[dict]:
    return list(chehre_top1.videos(dataset=str(release / "chehre"), version=1.0)["test"])


def said(row: dict, ratings: dict[str, int]) -> dict:
    return chehre_top1.read(row, [json.dumps({"ratings": ratings})])


def test_every_video_is_a_question_with_its_frames(release: Path, rows: list[dict]) -> None:
    codes = read_config(release / "chehre" / "videos").set_index("item")["emoji_code"]
    assert {row["item"] for row in rows} == {*codes.index} and len(rows) == len(codes)
    for row in rows:
        pictures = chehre_top1.frames(row)
        assert len(pictures) == 8 and {one.mode for one in pictures} == {"RGB"}
        assert all(label in row["question"] for label in emoji(codes[row["item"]]).labels)


def test_the_humans_means_find_what_the_humans_found(release: Path, rows: list[dict]) -> None:
    mean = read_config(release / "chehre" / "label_ratings").groupby(["item", "category"])["rating"].mean()
    right = [said(row, {name: round(mean[row["item"], name]) for name in mean[row["item"]].index}) for row in rows]
    failed = chehre_top1.read(rows[0], ["I cannot say"])
    assert all(one["answered"] == 1.0 for one in right) and failed["answered"] == 0.0
    whole = chehre_top1.top1([one["chehre_top1"] for one in right])
    assert 0.5 < whole <= 1.0
    assert math.isnan(chehre_top1.top1([failed["chehre_top1"]] * 3))


def test_a_video_that_does_not_decode_is_never_right(rows: list[dict]) -> None:
    row = {**rows[0], "files": []}
    assert chehre_top1.frames(row) == []
    found = said(row, {})
    assert found["answered"] == 0.0 and found["chehre_top1"]["failure"] == BAD_MEDIA


def test_the_task_file_names_what_is_there() -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))
    text = (Path(chehre_top1.__file__).with_name("chehre_top1.yaml")).read_text()
    task = yaml.load(text, Loader)
    named = [task[key] for key in ("custom_dataset", "doc_to_image", "process_results")]
    named += [one["aggregation"] for one in task["metric_list"] if "." in one["aggregation"]]
    assert all(callable(getattr(chehre_top1, name.removeprefix("chehre_top1."))) for name in named)
    assert [one["metric"] for one in task["metric_list"]] == [chehre_top1.MEASURE, chehre_top1.ANSWERED]
