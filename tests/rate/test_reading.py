"""Answers as text → objects, labels and numbers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.rate.questions import NOT_JSON, TRUNCATED, Attempt, Unreadable
from emohub.rate.reading import number, ratings_in, read_object, resolve

VALUES = st.dictionaries(st.text(max_size=8), st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=8), min_size=1)
PROSE = st.text(st.characters(blacklist_characters="{}\"'<>`"), max_size=40)


@given(VALUES, PROSE, PROSE, st.booleans())
def test_an_object_is_found_in_any_prose(value: dict[str, object], before: str, after: str, fenced: bool) -> None:
    text = json.dumps(value)
    text = f"```json\n{text}\n```" if fenced else text
    assert read_object(Attempt(text=f"{before}\n{text}\n{after}")) == value


@given(VALUES)
def test_a_python_literal_is_the_same_object(value: dict[str, object]) -> None:
    assert read_object(Attempt(text=repr(value))) == value


@given(VALUES, st.data())
def test_a_part_of_an_object_is_never_the_object(value: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    with pytest.raises(Unreadable) as error:
        read_object(Attempt(text=text[:cut], finish="length"))
    assert error.value.failure == TRUNCATED


@given(st.text(max_size=200))
def test_any_text_is_an_object_or_a_failure(text: str) -> None:
    try:
        assert isinstance(read_object(Attempt(text=text)), dict)
    except Unreadable as error:
        assert error.failure and str(error)


def test_the_last_object_counts() -> None:
    assert read_object(Attempt(text='For example {"Awe": 1}. My answer: {"Awe": 5} {sic}')) == {"Awe": 5}
    assert read_object(Attempt(text="{'it''s': 1, 'ok': true, 'none': null}")) == {"its": 1, "ok": True, "none": None}
    assert read_object(Attempt(text='{"a": "it\'s {not} the end"}')) == {"a": "it's {not} the end"}


@pytest.mark.parametrize("text", ["{" * 100_000, '{"a":' * 100_000, "{a: __import__('os')}", "{**{}}", "[{]}", "{}"])
def test_hostile_texts_are_failures(text: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_object(Attempt(text=text))
    assert error.value.failure == NOT_JSON


@pytest.mark.parametrize("emotion", EMOTIONS, ids=lambda one: one.slug)
def test_every_spelling_of_an_emotion_resolves(emotion: object) -> None:
    for name in (emotion.name, emotion.slug, emotion.name.upper(), f"{emotion.group}|{emotion.name}"):
        assert resolve(name, NAMES) == emotion.name


def test_values_may_be_objects_with_a_rating() -> None:
    found = {"ratings": {"awe": {"rating": 3, "why": "eyes"}, "Fear": "2.0"}}
    assert ratings_in(found, NAMES, keys=("ratings",)) == {"Awe": 3, "Fear": "2.0"}


@given(st.integers(0, 7))
def test_numbers_in_any_form(value: int) -> None:
    assert {number(form, 0, 7, "Awe") for form in (value, float(value), str(value), f" {value}.0 ")} == {value}


@pytest.mark.parametrize("value", [None, True, [], {}, "x", float("nan"), float("inf"), -1, 8, 3.5, 10**400, "7,0"])
def test_other_values_are_out_of_range(value: object) -> None:
    with pytest.raises(Unreadable, match="Awe is"):
        number(value, 0, 7, "Awe")
