"""Every kind of study: what is simulated is valid, becomes rows, and comes back; a new kind is one new file."""

import importlib
import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controls import Invalid, Slider
from emohub.data.emojis import ALL_LABELS, EMOJIS
from emohub.data.ratings import validate_ratings
from emohub.data.taxonomy import NAMES
from export import from_label_studio, from_ratings, tables, to_label_studio, write_export
from service import new_uuid
from studies import RATINGS, kinds, screening
from study import StudyError, read_study
from tests.spaces.annotation.conftest import FIELDS, SPACE, answer_one, write_study
from tests.spaces.annotation.test_assignment import study_of

SCALES = {
    "intensities": (NAMES, (0, 7)),
    "yes-no-chain": (NAMES, (0, 1)),
    "video-labels": (ALL_LABELS, (0, 3)),
    "screening": ((screening.KEEP, *screening.REASONS), (0, 1)),
}


def answered(service: Callable[..., Any], kind: str, **about: Any) -> Any:
    """A study in which three annotators answered everything."""
    one, rng = service(kind, **about), random.Random(1)
    people = [one.who(one.join()) for _ in range(3)]
    while any([answer_one(one, who, rng) for who in people if one.turn(who).state == "task"]):
        pass
    return one


@given(st.sampled_from(sorted(FIELDS)), st.integers(0, 10_000))
@settings(max_examples=80)
def test_what_is_simulated_is_valid(kind: str, seed: int) -> None:
    study, rng = study_of(kind, 3), random.Random(seed)
    for item in study.order:
        for step in study.kind.STEPS:
            question = study.question(item, step, "a")
            raw = study.kind.simulate(question, rng)
            clean = study.kind.validate(question, raw)
            assert study.kind.validate(question, clean) == clean and set(raw) <= set(clean)


@pytest.mark.parametrize("kind", sorted(SCALES))
def test_ratings_follow_the_kits_schema_and_come_back(service: Callable[..., Any], kind: str) -> None:
    one = answered(service, kind, items=6)
    answers = one.snapshot().answers
    made = tables(one.study, answers)
    names, scale = SCALES[kind]
    assert validate_ratings(made[RATINGS], categories=names, scale=scale, whole=True).equals(
        validate_ratings(made[RATINGS], categories=names, scale=scale)
    )
    back = {(g.annotator, g.item, g.step): g.answer for g in from_ratings(one.study, made[RATINGS])}
    rated = [g for g in answers if kind != "video-labels" or g.step == 1]
    assert set(back) == {(g.annotator, g.item, g.step) for g in rated}
    for g in rated:
        assert back[g.annotator, g.item, g.step].items() <= g.answer.items()


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_label_studio_both_ways(service: Callable[..., Any], kind: str) -> None:
    one = answered(service, kind, items=4, repeats=0.5, repeat_gap=1)
    answers = one.snapshot().answers
    assert any(given.sample == 2 for given in answers)
    fresh = service(kind, name="two", items=4, repeats=0.5, repeat_gap=1)
    back = list(from_label_studio(fresh.study, to_label_studio(one.study, answers)))

    def content(all_: Any) -> list[Any]:
        return sorted(
            (g.annotator, g.item, g.step, g.sample, g.touched, sorted(map(str, g.answer.items()))) for g in all_
        )

    assert content(back) == content(answers)
    assert fresh.add(back) == len(answers) and fresh.add(back) == 0
    assert content(fresh.snapshot().answers) == content(answers)


def test_label_studios_own_annotators_are_numbers(service: Callable[..., Any]) -> None:
    one = service("yes-no-chain")
    region = {"from_name": "vote", "to_name": "media", "type": "choices", "value": {"choices": ["yes"]}}
    task = {"data": {"item": "item 0"}, "annotations": [{"completed_by": 7, "result": [region]}]}
    (found,) = from_label_studio(one.study, [task])
    assert found.annotator == "label-studio-7" and found.answer == {"vote": "yes"}
    for wrong in ({"annotations": []}, {"data": {"item": "nothing"}, "annotations": task["annotations"]}):
        with pytest.raises(ValueError, match="task 1|no such question"):
            list(from_label_studio(one.study, [wrong]))


def test_choices_are_what_report_reads(service: Callable[..., Any], tmp_path: Path) -> None:
    from emohub.report.sources import open_studies

    one = answered(service, "preference", items=9, repeats=0.3, repeat_gap=2)
    counts = write_export(one.study, one.snapshot().answers, tmp_path / "out")
    assert counts["preferences.parquet"] == 18 and counts["preferences_repeated.parquet"] > 0
    (study,) = open_studies(str(tmp_path / "out" / "preferences.parquet"))
    assert set(study.frame["preferred"]) <= {"human", "a model"} and len(study.frame) == 18
    sides = tables(one.study, one.snapshot().answers)["preferences"]["side"]
    assert set(sides) == {"left", "right"}


def test_none_is_an_answer_and_a_second_choice_may_be_missing() -> None:
    study = study_of("video-labels", 1)
    item, kind = study.items["i0"], study.kind
    question = study.question(item, 1, "a")
    assert kind.validate(question, {"first": "None"})["second"] is None
    assert kind.validate(question, {"first": "None", "second": "None"})["second"] == "None"
    for wrong in (
        {},
        {"first": "Happy"},
        {"first": "None", "second": "Disgust"},
        {"first": "Disgust", "second": "Disgust"},
    ):
        with pytest.raises(Invalid):
            kind.validate(question, wrong)
    assert not study.question(item, 1, "a").shown and study.question(item, 2, "a").shown == "😒"


def test_names_of_the_emojis_are_the_datasets() -> None:
    study = study_of("video-labels", 1)
    (row,) = [row for _, row in study.kind.rows(_match(study), study.items["i0"], None)]
    assert row["category"] in {one.name for one in EMOJIS} and row["rating"] == 2.0


def _match(study: Any) -> Any:
    from given import Given

    return Given("a", "i0", study.kind.MATCH, 1, {"match": 2})


def test_an_untouched_slider_is_zero_and_known_as_untouched(service: Callable[..., Any]) -> None:
    one = service()
    who = one.who(one.join())
    one.answer(who, new_uuid(), one.turn(who).task, {"Awe": 0, "Fear": 0}, touched=["Awe", "nonsense"])
    row = tables(one.study, one.snapshot().answers)["answers"].iloc[0]
    assert row["touched"] == ["Awe"]


NEW_KIND = '''
"""How old does this person look?"""

from controls import Question, Slider, check_answer, draw_answer
from studies import RATINGS, SINGLE

TITLE, INSTRUCTIONS, NEEDS, STEPS = "Age", "Say how old the person looks.", (), SINGLE


def render(item, step, rules, rng):
    return Question("How old?", [Slider("age", "Age", 0, 9, ends=("young", "old"))])


def validate(question, answer):
    return check_answer(question, answer)


def rows(given, item, sample):
    yield RATINGS, given.rating("age", given.answer["age"], sample=sample)


def simulate(question, rng):
    return draw_answer(question, rng)
'''


def test_a_new_kind_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copytree(SPACE, tmp_path / "space", ignore=shutil.ignore_patterns("__pycache__", "demo"))
    (copy / "studies" / "apparent_age.py").write_text(NEW_KIND, encoding="utf-8")
    own = [path.stem for path in SPACE.glob("*.py")] + ["studies"]
    for name in [name for name in sys.modules if name.split(".")[0] in own]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(copy))
    studies = importlib.import_module("studies")
    assert "apparent-age" in studies.kinds()
    file = write_study(tmp_path / "new", "intensities", items=3)
    file.write_text(file.read_text().replace("intensities", "apparent-age"), encoding="utf-8")
    service_module, store = importlib.import_module("service"), importlib.import_module("store")
    read = importlib.import_module("study").read_study(file)
    one = service_module.Service(read, store.Store("sqlite://", "try"))
    who = one.who(one.join())
    assert one.turn(who).question.text == "How old?"
    one.answer(who, new_uuid(), one.turn(who).task, {"age": 7})
    made = importlib.import_module("export").tables(read, one.snapshot().answers)
    assert made["ratings"].iloc[0]["rating"] == 7.0


def test_every_kind_says_what_it_is() -> None:
    assert kinds() == ("intensities", "preference", "screening", "video-labels", "yes-no-chain")
    for kind in kinds():
        about = study_of(kind, 1).kind
        assert about.TITLE and "Keys: " in about.INSTRUCTIONS and about.__doc__


@pytest.mark.parametrize(
    ("rules", "lines", "says"),
    [
        ({"annotators": 0}, None, "annotators: Input should be greater than or equal to 1"),
        ({"anotators": 3}, None, "anotators: Extra inputs"),
        ({"kind": "sliders"}, None, "valid are intensities, preference"),
        ({"items": "../items.jsonl"}, None, "must be a path below the folder"),
        ({}, [{"item": "a", "media": "../face.jpg"}], "must be a path below the folder"),
        ({}, [{"item": "a", "media": "face.exe"}], "must be a file of .jpg"),
        ({}, [{"item": "a", "media": "lost.jpg"}], "must be a file of .jpg"),
        ({}, [{"item": "a"}, {"item": "a"}], "ids must differ"),
        ({}, [{"item": "a", "role": "practice"}], "roles are"),
        ({}, [{"name": "a"}], "line 1: not an object with 'item' and 'media'"),
        ({}, [{"item": "a", "role": "check"}], "no item to rate"),
        ({"kind": "yes-no-chain"}, [{"item": "a"}], "lacks what a study of yes-no-chain asks about: 'target'"),
        ({"kind": "preference"}, [{"item": "a", "sets": {"one": ["Awe"]}}], "two lists of labels"),
    ],
)
def test_a_study_that_cannot_run_says_why(tmp_path: Path, rules: dict, lines: list | None, says: str) -> None:
    file = write_study(tmp_path, "intensities", lines=lines)
    own = "".join(f"{name} = {json.dumps(value)}\n" for name, value in rules.items())
    kept = [line for line in file.read_text().splitlines() if line.split(" =")[0] not in rules]
    file.write_text(own + "\n".join(kept), encoding="utf-8")
    with pytest.raises(StudyError) as error:
        read_study(file)
    assert says in str(error.value)


def test_a_slider_that_is_not_sent_is_its_lowest() -> None:
    assert Slider("a", "A", 2, 5).check(None) == 2
