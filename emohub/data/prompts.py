"""The text-to-image prompts of EmoNet-Face: demographic groups, template, parser.

Source: arXiv 2505.20033, §3 (ages, genders and their shares, ethnicities), and the `Prompt` field of the images that
the authors published (template).
"""

import re
from typing import TypedDict

from emohub.errors import EmohubError

AGES = tuple(range(20, 90, 10))  # years
GENDERS = {"man": 45, "woman": 45, "non-binary person": 10}  # gender → percent of the prompts
ETHNICITIES = (
    "American Indian or Alaska Native",
    "white caucasian north american",
    "Middle Eastern",
    "North African",
    "Asian",
    "White",
    "South Asian",
    "white caucasian european",
    "Hispanic or Latino",
    "Southeast Asian",
    "arabic",
    "Native Hawaiian or Other Pacific Islander",
    "Black or African American",
    "Indian",
)
TEMPLATE = (
    "a focused close-up photo of a {ethnicity} {gender} of {age} years with soft smooth skin who seems to genuinely "
    "experience {words}. Strong facial expression of {words}. No wrinkles"
)

_PERSON = re.compile(
    rf"\bof an? (?P<ethnicity>\S.{{,60}}?) (?P<gender>{'|'.join(sorted(GENDERS, key=len, reverse=True))}) "
    r"of (?P<age>[0-9]{2}) years\b"
)


class Person(TypedDict):
    """The person that a prompt asks for.

    Attributes:
        ethnicity: One of `ETHNICITIES` upstream; any text here.
        gender: One of `GENDERS`.
        age: Years, two digits.
    """

    ethnicity: str
    gender: str
    age: int


def write_prompt(person: Person, words: str) -> str:
    """A prompt after the upstream template.

    Args:
        person: The person to show.
        words: What the person seems to experience: an emotion's descriptors, separated by commas.

    Raises:
        EmohubError: `read_prompt` would not read the same person back.

    Example:
        >>> prompt = write_prompt({"ethnicity": "Asian", "gender": "woman", "age": 30}, "awe, wonder")
        >>> prompt.partition(" with ")[0]
        'a focused close-up photo of a Asian woman of 30 years'
        >>> read_prompt(prompt)
        {'ethnicity': 'Asian', 'gender': 'woman', 'age': 30}
    """
    prompt = TEMPLATE.format(**person, words=words)
    if (found := read_prompt(prompt)) != person:
        raise EmohubError(
            f"A prompt for {person} reads back as {found}. Give an ethnicity such as 'South Asian' of at most 61 "
            f"characters on one line, a gender of {', '.join(GENDERS)}, and an age of two digits."
        )
    return prompt


def read_prompt(text: str) -> Person | None:
    """The person that a prompt asks for, or None where the text does not follow the template."""
    if not (found := _PERSON.search(text)):
        return None
    return {"ethnicity": found["ethnicity"], "gender": found["gender"], "age": int(found["age"])}
