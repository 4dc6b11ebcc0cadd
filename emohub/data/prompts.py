"""The text-to-image prompts of EmoNet-Face: demographic groups, templates, parser.

Source: arXiv 2505.20033, §3 (ages, genders and their shares, ethnicities), Figure 1 and App. A.5 (templates, a word
for the intensity, neutral backgrounds), and the `Prompt` field of the images that the authors published (`TEMPLATE`).
The figure leaves out how its prompts end; those ends are ours.
"""

import re
from dataclasses import dataclass
from functools import cache
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
INTENSITIES = ("", "mild", "intense")  # a word before the emotion's; "mild" is in Figure 1 (c)


@dataclass(frozen=True, slots=True)
class Template:
    """A form of prompt.

    Attributes:
        name: Short name.
        text: With {ethnicity}, {gender}, {age}, {felt} (a word for the intensity and the words) and {words}.
        neutral: The same for a face that shows no emotion, as calibration needs (App. B.2).
    """

    name: str
    text: str
    neutral: str


_WHO = "a {ethnicity} {gender} of {age} years"
_NEUTRAL = "who feels nothing in particular. Neutral facial expression"
_TEMPLATES = (
    Template(
        "smooth-skin",
        f"a focused close-up photo of {_WHO} with soft smooth skin who seems to genuinely experience {{felt}}. "
        "Strong facial expression of {words}. No wrinkles",
        f"a focused close-up photo of {_WHO} with soft smooth skin {_NEUTRAL}. No wrinkles",
    ),
    Template(
        "authentic",
        f"An authentic, realistic closeup image of {_WHO} who seems to experience {{felt}}. "
        "Strong facial expression of {words}, neutral background",
        f"An authentic, realistic closeup image of {_WHO} {_NEUTRAL}, neutral background",
    ),
    Template(
        "focused",
        f"A focused close-up photo of {_WHO} who seems to genuinely experience {{felt}}, neutral background",
        f"A focused close-up photo of {_WHO} {_NEUTRAL}, neutral background",
    ),
    Template(
        "sharp",
        f"A closeup sharp, focused photo of {_WHO} who seems to genuinely experience {{felt}}. Neutral background",
        f"A closeup sharp, focused photo of {_WHO} {_NEUTRAL}. Neutral background",
    ),
)
TEMPLATES = {template.name: template for template in _TEMPLATES}
TEMPLATE = _TEMPLATES[0]  # that of the published images

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


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything that a prompt says.

    Attributes:
        person: Who is shown.
        words: What the person seems to experience, for example an emotion's descriptors, separated by commas; empty
            for a neutral face.
        intensity: One of `INTENSITIES`.
        template: One of `TEMPLATES`.
    """

    person: Person
    words: str
    intensity: str = ""
    template: str = TEMPLATE.name

    def text(self) -> str:
        """The prompt.

        Raises:
            EmohubError: `read_wording` would not read the same back.

        Example:
            >>> wording = Wording({"ethnicity": "Asian", "gender": "woman", "age": 30}, "awe, wonder", "mild", "sharp")
            >>> wording.text().partition(" who ")[2]
            'seems to genuinely experience mild awe, wonder. Neutral background'
        """
        form = TEMPLATES[self.template]
        felt = f"{self.intensity} {self.words}" if self.intensity else self.words
        prompt = (form.text if self.words else form.neutral).format(**self.person, felt=felt, words=self.words)
        found = read_wording(prompt)
        if found != self or read_prompt(prompt) != self.person:
            raise EmohubError(
                f"A prompt for {self.person} who experiences {felt!r} reads back as {found}. Give an ethnicity such "
                f"as 'South Asian' of at most 61 characters on one line, a gender of {', '.join(GENDERS)}, an age of "
                f"two digits, and words that begin with none of {', '.join(filter(None, INTENSITIES))}."
            )
        return prompt


def write_prompt(person: Person, words: str) -> str:
    """A prompt after the template of the published images.

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
    return Wording(person, words).text()


def read_prompt(text: str) -> Person | None:
    """The person that a prompt asks for, or None where the text follows no template."""
    if not (found := _PERSON.search(text)):
        return None
    return {"ethnicity": found["ethnicity"], "gender": found["gender"], "age": int(found["age"])}


def read_wording(text: str) -> Wording | None:
    """Everything that a prompt says, or None where the text does not follow a template to its end."""
    for name, template in TEMPLATES.items():
        for form in (template.neutral, template.text):
            if found := _pattern(form).fullmatch(text):
                said = found.groupdict()
                person: Person = {
                    "ethnicity": said["ethnicity"],
                    "gender": said["gender"],
                    "age": int(said["age"]),
                }
                return Wording(person, said.get("words") or "", said.get("intensity") or "", name)
    return None


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """A template as a regular expression; what stands in it twice must be the same twice."""
    parts = {
        "{ethnicity}": r"(?P<ethnicity>\S.{,60}?)",
        "{gender}": f"(?P<gender>{'|'.join(sorted(GENDERS, key=len, reverse=True))})",
        "{age}": "(?P<age>[0-9]{2})",
        "{felt}": f"(?:(?P<intensity>{'|'.join(filter(None, INTENSITIES))}) )?(?P<words>.+?)",
        "{words}": "(?P=words)",
    }
    pieces = re.split(r"(\{\w+\})", form)
    return re.compile("".join(parts.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL)
