"""Prompts: what is written is read back exactly, or refused."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emohub.data.prompts import (
    AGES,
    ETHNICITIES,
    GENDERS,
    INTENSITIES,
    TEMPLATES,
    Person,
    Wording,
    read_prompt,
    read_wording,
    write_prompt,
)
from emohub.data.taxonomy import EMOTIONS
from emohub.drawing.people import PALETTES
from emohub.errors import EmohubError

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
        good = ethnicity.isalpha() and len(ethnicity) <= 61 and gender in GENDERS and 10 <= age <= 99
        assert not good or words.startswith(("mild ", "intense "))
    else:
        assert read_prompt(prompt) == person
        assert prompt.count(words) >= 2


@pytest.mark.parametrize("text", ["", "a dog", "a photo of a woman", "of a Asian woman of thirty years"])
def test_a_text_that_names_nobody(text: str) -> None:
    assert read_prompt(text) is None


# Figure 1 of the paper, up to where it leaves out the rest.
FIGURE_1 = [
    (
        "An authentic, realistic closeup image of a Hispanic or Latino woman of 70 years who seems to experience "
        "triumph, superiority. Strong facial expression of triumph, superiority, ",
        Wording(
            {"ethnicity": "Hispanic or Latino", "gender": "woman", "age": 70}, "triumph, superiority", "", "authentic"
        ),
    ),
    (
        "A focused close-up photo of a Black or African American man of 30 years who seems to genuinely experience "
        "lighthearted fun, amusement, mirth, joviality, laughter, playfulness, silliness, ",
        Wording(
            {"ethnicity": "Black or African American", "gender": "man", "age": 30},
            "lighthearted fun, amusement, mirth, joviality, laughter, playfulness, silliness",
            "",
            "focused",
        ),
    ),
    (
        "A closeup sharp, focused photo of a Southeast Asian woman of 40 years who seems to genuinely experience mild "
        "yearning, longing, pining, wistfulness, nostalgia, Craving, desire, Envy, ",
        Wording(
            {"ethnicity": "Southeast Asian", "gender": "woman", "age": 40},
            "yearning, longing, pining, wistfulness, nostalgia, Craving, desire, Envy, and more",
            "mild",
            "sharp",
        ),
    ),
]


@pytest.mark.parametrize(("shown", "wording"), FIGURE_1, ids="abc")
def test_figure_1_is_read_and_can_be_produced(shown: str, wording: Wording) -> None:
    assert read_prompt(shown) == wording.person
    assert wording.text().startswith(shown)


@given(
    person=st.fixed_dictionaries({"ethnicity": st.sampled_from(ETHNICITIES), "gender": st.sampled_from([*GENDERS]),
                                  "age": st.sampled_from(AGES)}),
    words=st.sampled_from(["", *WORDS, *(word for emotion in EMOTIONS for word in emotion.descriptors)]),
    intensity=st.sampled_from(INTENSITIES),
    template=st.sampled_from([*TEMPLATES]),
)  # fmt: skip
def test_every_wording_reads_back(person: Person, words: str, intensity: str, template: str) -> None:
    wording = Wording(person, words, intensity if words else "", template)
    assert read_wording(wording.text()) == wording and read_prompt(wording.text()) == person


def test_a_prompt_without_its_end_is_of_no_template() -> None:
    text = Wording({"ethnicity": "Asian", "gender": "man", "age": 20}, "awe", "", "authentic").text()
    assert read_wording(text.removesuffix("background")) is None
