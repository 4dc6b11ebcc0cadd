"""Prompts: what is written is read back exactly, or refused."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS, Person, read_prompt, write_prompt
from emohub.data.taxonomy import EMOTIONS
from emohub.errors import EmohubError
from emohub.sample.face.people import PALETTES

WORDS = [", ".join(emotion.descriptors) for emotion in EMOTIONS]


def test_the_groups_are_the_papers() -> None:
    """§3: 20 to 80 in steps of 10; 45 % man, 45 % woman, 10 % non-binary; 14 ethnicities."""
    assert AGES == (20, 30, 40, 50, 60, 70, 80)
    assert GENDERS == {"man": 45, "woman": 45, "non-binary person": 10}
    assert len(set(ETHNICITIES)) == 14
    assert set(PALETTES) == set(ETHNICITIES)  # every group can be drawn


@pytest.mark.parametrize("words", WORDS)
def test_every_upstream_prompt_reads_back(words: str) -> None:
    for ethnicity, gender, age in itertools.product(ETHNICITIES, GENDERS, AGES):
        person: Person = {"ethnicity": ethnicity, "gender": gender, "age": age}
        assert read_prompt(write_prompt(person, words)) == person


@given(ethnicity=st.text(max_size=70), gender=st.sampled_from([*GENDERS, "person", ""]), age=st.integers(-5, 130),
       words=st.text())  # fmt: skip
@example(ethnicity="Asian woman of 20 years, or a", gender="man", age=30, words="awe")
@example(ethnicity="Asian", gender="woman", age=30, words="of a White man of 80 years")
@example(ethnicity="{words}", gender="woman", age=30, words="{ethnicity}")
@example(ethnicity="x" * 61, gender="woman", age=99, words="awe")
def test_any_prompt_reads_back_or_is_refused(ethnicity: str, gender: str, age: int, words: str) -> None:
    person: Person = {"ethnicity": ethnicity, "gender": gender, "age": age}
    try:
        prompt = write_prompt(person, words)
    except EmohubError as error:
        assert str(person) in str(error)
        assert not (ethnicity.isalpha() and len(ethnicity) <= 61 and gender in GENDERS and 10 <= age <= 99)
    else:
        assert read_prompt(prompt) == person
        assert prompt.count(words) >= 2


@pytest.mark.parametrize("text", ["", "a dog", "a photo of a woman", "of a Asian woman of thirty years"])
def test_a_text_that_names_nobody(text: str) -> None:
    assert read_prompt(text) is None
