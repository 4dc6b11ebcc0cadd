"""Intensities in every spelling upstream uses, and everything that must not pass for one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataset_scripts.emonet_face import intensities
from dataset_scripts.emonet_face.intensities import (
    Intensities,
    annotation_in,
    collect,
    intensity_row,
    kind_of,
    label_rows,
    literal,
    read_hq,
    sole_annotation,
)
from emohub.data.problems import Problem, ProblemLog
from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.errors import SourceError
from tests.raw_inputs import write_csv

EXTRA = ("Arousal", "Valence", "Dominance", "Emotional Vulnerability")
SPELLINGS = (  # how upstream's files write the key of an emotion
    lambda emotion: emotion.name,
    lambda emotion: f"{emotion.group}|{emotion.name}",
    lambda emotion: f"Some Category|{emotion.name}",
    lambda emotion: emotion.name.lower(),
)
RATINGS = st.integers(0, 7) | st.floats(0, 7)


@st.composite
def annotations(draw: st.DrawFn) -> tuple[dict[str, float], list[float]]:
    """A dict as upstream writes it, and the 40 numbers that it means."""
    touched = draw(st.dictionaries(st.sampled_from(EMOTIONS), RATINGS))
    written = {draw(st.sampled_from(SPELLINGS))(emotion): rating for emotion, rating in touched.items()}
    extra = draw(st.dictionaries(st.sampled_from(EXTRA), st.integers(-3, 7)))
    written |= {f"Extra Dimensions|{name}" if draw(st.booleans()) else name: value for name, value in extra.items()}
    keys = draw(st.permutations(list(written)))
    return {key: written[key] for key in keys}, [float(touched.get(emotion, 0)) for emotion in EMOTIONS]


@given(annotations(), st.sampled_from([dict, str, json.dumps]))
def test_a_dict_and_its_texts_mean_the_same_row(made: tuple[dict[str, float], list[float]], write: Any) -> None:
    written, meant = made
    assert intensity_row(write(written)).tolist() == meant


def test_what_is_missing_is_zero() -> None:
    assert intensity_row("{}").tolist() == [0.0] * 40
    row = intensity_row("{'Positive High-Energy Emotions|Awe': 3, 'Extra Dimensions|Arousal': 6}")
    assert {name: value for name, value in zip(NAMES, row, strict=True) if value} == {"Awe": 3.0}


def test_the_spelling_of_binary_csv_is_known() -> None:
    assert intensity_row({"Hopelessness": 2})[NAMES.index("Helplessness")] == 2


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("{'Awe': 3", "neither a Python literal nor JSON"),
        ("", "neither a Python literal nor JSON"),
        ("{'Awe': __import__('os')}", "neither a Python literal nor JSON"),
        ("['Awe', 3]", "not a dict of emotions"),
        ("7", "not a dict of emotions"),
        (None, "not a dict of emotions"),
        ({"Hapiness": 1}, "Unknown emotion 'Hapiness'"),
        ({3: 1}, "Unknown emotion '3'"),
        ({"Awe": "3"}, "rating of 'Awe' is not a finite number: '3'"),
        ({"Awe": None}, "rating of 'Awe' is not a finite number: None"),
        ({"Awe": True}, "rating of 'Awe' is not a finite number: True"),
        ({"Awe": [3]}, "rating of 'Awe' is not a finite number"),
        ({"Awe": float("nan")}, "not a finite number: nan"),
        ('{"Awe": Infinity}', "not a finite number: inf"),
        ({"Awe": 10**400}, "not a finite number: 1000"),
        ({"Awe": 1, "Group|Awe": 1}, "rates 'Awe' twice"),
        ("-" * 90_000 + "1", "neither a Python literal nor JSON"),
        ("[" * 90_000, "neither a Python literal nor JSON"),
        (str({"Awe": 1}) + " " * 100_000, "more than the limit of 100,000"),
    ],
)
def test_what_is_no_annotation(annotation: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        intensity_row(annotation)


@settings(max_examples=200)
@given(st.text(max_size=40) | st.text("{}[]()'\":,0123456789.eE+-jAweTrueNone \n", max_size=60))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    try:
        literal(text)
    except ValueError as error:
        assert str(error)


KEYS = st.sampled_from(["Awe", "Pain", "x", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(JSON)
def test_any_value_is_forty_finite_numbers_or_a_value_error(value: Any) -> None:
    for read in (intensity_row, lambda v: intensity_row(sole_annotation(v)), lambda v: annotation_in({"x": v})):
        try:
            row = read(value)
        except ValueError as error:
            assert str(error)
        else:
            assert read is not intensity_row or (row.shape == (40,) and np.isfinite(row).all())


@pytest.mark.parametrize(
    ("rater", "human", "kind"),
    [
        ("human-3", True, "human"),
        ("human-3", False, "model"),  # the column decides, not the name
        ("Random Baseline", False, "baseline"),
        ("Gemini 2.5 Pro ZS", False, "vlm"),
        ("GPT-4o MS", False, "vlm"),
        ("Empathic Insight Face Large", False, "model"),
        ("Hume Face", False, "model"),
    ],
)
def test_kind_of_rater(rater: str, human: bool, kind: str) -> None:
    assert kind_of(rater, human) == kind


# ---- hq.csv


def hq(folder: Path, rows: Sequence[Sequence[Any]]) -> tuple[Intensities, list[Problem]]:
    write_csv(folder / "hq.csv", ("image", "annotator", "annotations", "human"), rows)
    log = ProblemLog(folder)
    return read_hq(folder / "hq.csv", log), list(log)


def test_hq_csv_keeps_every_annotation(tmp_path: Path) -> None:
    table, problems = hq(
        tmp_path,
        [
            ("b.jpg", "human-1", "{'G|Awe': 7}", "True"),
            ("a.png", "human-2", "{}", "True"),
            ("a.png", "Hume Face", "{'Awe': 0.5, 'Pain': 1.0}", "False"),
            ("a.png", "Hume Face Fine", "{'Awe': 0.25}", "False"),
            ("a.png", "Empathic Insight Face Large", "{'Awe': 7.75, 'Pain': -0.5}", "False"),
            ("a.png", "Random Baseline", "{'Awe': 3.2}", "False"),
            ("a.png", "Gemini ZS", "{'Awe': 2}", "False"),
        ],
    )
    assert problems == []
    assert table.items.tolist() == ["b", *["a"] * 6]
    assert table.kinds.tolist() == ["human", "human", "model", "model", "model", "baseline", "vlm"]
    awe, pain = NAMES.index("Awe"), NAMES.index("Pain")
    assert table.values[:, awe].tolist() == [7, 0, 3.5, 1.75, 7.75, 3.2, 2]
    assert table.values[:, pain].tolist() == [0, 0, 7, 0, -0.5, 0, 0]
    assert not np.delete(table.values, [awe, pain], axis=1).any()


def test_long_is_forty_rows_an_annotation(tmp_path: Path) -> None:
    table, _ = hq(tmp_path, [("a", "r", "{'Awe': 1}", "True"), ("b", "r", "{'Jealousy & Envy': 2}", "True")])
    long = table.long()
    assert long["category"].tolist() == [*NAMES, *NAMES]
    assert long[long["rating"] > 0][["item", "category", "rating"]].to_numpy().tolist() == [
        ["a", "Awe", 1.0],
        ["b", "Jealousy & Envy", 2.0],
    ]


@pytest.mark.parametrize(
    ("row", "said", "item"),
    [
        (("x.jpg", "human-1", "{'Awe': 8}", "True"), "rating is outside 0–7: image x, human-1, Awe = 8", "x"),
        (("x.jpg", "human-1", "{'Awe': -1}", "True"), "rating is outside 0–7", "x"),
        (("x.jpg", "human-1", "{'Awe': 1", "True"), "neither a Python literal nor JSON: \"{'Awe': 1\"", "x"),
        (("x.jpg", "human-1", "{'Hapiness': 1}", "True"), "Unknown emotion 'Hapiness'", "x"),
        (("x.jpg", "", "{'Awe': 1}", "True"), "rater is empty", "x"),
        (("x.jpg", "human-1", "{'Awe': 1}", "yes"), "human is 'yes', not True or False", "x"),
        (("../x.jpg", "human-1", "{'Awe': 1}", "True"), "unsafe file name '../x.jpg'", "../x.jpg"),
        (("", "human-1", "{'Awe': 1}", "True"), "unsafe file name ''", ""),
    ],
)
def test_a_bad_annotation_is_named_with_its_line(row: Sequence[str], said: str, item: str, tmp_path: Path) -> None:
    table, problems = hq(tmp_path, [("a.jpg", "human-1", "{'Awe': 1}", "True"), row])
    assert [problem.item for problem in problems] == [item]
    assert problems[0].where == "hq.csv line 3"
    assert said in problems[0].what
    assert "a" in table.items


@pytest.mark.parametrize("block", [1, 2, intensities.BLOCK])
def test_a_rater_rates_an_image_once(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where annotations are checked in blocks: those of an image are never apart."""
    monkeypatch.setattr(intensities, "BLOCK", block)
    names = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "a.png")
    _, (problem,) = hq(tmp_path, [(name, "human-1", "{'Awe': 1}", "True") for name in names])
    assert "rated this category of this item before: image a, human-1" in problem.what
    assert problem.where == "hq.csv line 6"


def test_only_bad_annotations_leave_an_empty_table(tmp_path: Path) -> None:
    table, problems = hq(tmp_path, [("a.jpg", "human-1", "{", "True")])
    assert table.items.shape == (0,) and table.values.shape == (0, 40) and len(problems) == 1
    assert table.long().empty


def test_hq_csv_without_a_column(tmp_path: Path) -> None:
    write_csv(tmp_path / "hq.csv", ("image", "annotator", "annotations"), [("a", "b", "{}")])
    with pytest.raises(SourceError, match=r"lacks the columns \['human'\]"):
        read_hq(tmp_path / "hq.csv", ProblemLog(tmp_path))


# ---- The Hub's columns


def test_label_of_the_hub_is_all_raters_in_one_literal() -> None:
    written = [{"human-2": {"G|Awe": 1}}, {"human-1": {"G|Pain": 2}, "Some Model": {"Awe": 0.5}}]
    for label in (written, str(written), json.dumps(written)):
        rows = label_rows("here", "item", label)
        assert [(rater, human) for _, _, rater, human, _ in rows] == [
            ("human-2", True),
            ("human-1", True),
            ("Some Model", False),
        ]
        assert [ratings for *_, ratings in rows] == [{"G|Awe": 1}, {"G|Pain": 2}, {"Awe": 0.5}]


@pytest.mark.parametrize("label", ["[1]", "'text'", "[[]]", "[{", None, 7])
def test_a_label_that_is_none(label: Any) -> None:
    with pytest.raises(ValueError, match="is n"):
        label_rows("here", "item", label)


def test_label_with_a_rater_whose_ratings_are_no_dict(tmp_path: Path) -> None:
    log = ProblemLog(tmp_path)
    assert collect(label_rows("here", "item", "[{'human-1': 7}]"), log).items.size == 0
    assert ["not a dict of emotions" in problem.what for problem in log] == [True]


def test_the_column_of_ratings_is_found_by_name() -> None:
    fields = {"caption": "{'Awe': 1}", "annotations": "{'Hapiness': 1}"}
    assert annotation_in(fields) == "{'Hapiness': 1}"  # so that the error is about the emotion, not the column


@given(st.permutations([("prompt", "a face"), ("meta", {"age": 30}), ("n", 7), ("out", '{"G|Awe": 5}'), ("z", None)]))
def test_the_column_of_ratings_is_found_by_content(fields: list[tuple[str, Any]]) -> None:
    assert annotation_in(dict(fields)) == '{"G|Awe": 5}'


def test_no_column_of_ratings_lists_what_was_found() -> None:
    with pytest.raises(ValueError, match=r"no column rates emotions: prompt = 'a face', n = 7"):
        annotation_in({"prompt": "a face", "n": 7})
    with pytest.raises(ValueError, match="no column rates emotions: none"):
        annotation_in({})


@given(annotations())
def test_the_sole_annotation_under_any_wrapping(made: tuple[dict[str, float], list[float]]) -> None:
    written, meant = made
    assume(written)
    full = {**dict.fromkeys(NAMES), **{NAMES[i]: value for i, value in enumerate(meant) if value}}
    for value in (
        written,
        [written],
        {"Gemini": written},
        [{"Gemini": written}],
        [str(written)],
        str([{"g": written}]),
    ):
        assert intensity_row(sole_annotation(value)).tolist() == meant
    assert intensity_row(sole_annotation(full)).tolist() == meant  # a Parquet struct has every key, null if not there


@pytest.mark.parametrize("value", ["[]", [{"Awe": 1}, {"Awe": 2}], {"a": {"Awe": 1}, "b": {"Awe": 1}}])
def test_several_annotations_or_none(value: Any) -> None:
    with pytest.raises(ValueError, match=r"has [02] annotations, not one"):
        sole_annotation(value)
