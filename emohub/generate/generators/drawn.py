"""Drawn faces: what the demo shows instead of photographs. No model, no download, no GPU."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from emohub.data.prompts import INTENSITIES, read_wording
from emohub.data.taxonomy import EMOTIONS
from emohub.drawing import draw, draw_face
from emohub.drawing.expressions import Expression
from emohub.drawing.people import PALETTES, person
from emohub.generate.generator import CANNOT_DRAW, LocalGenerator, Made, Wanted
from emohub.generate.provenance import DRAWN

STRENGTH = dict(zip(INTENSITIES, (0.8, 0.55, 1.0), strict=True))  # of the full expression


@dataclass(kw_only=True)
class Generator(LocalGenerator):
    """Draws whom a prompt of `emohub generate prompts` describes.

    Attributes:
        size: Side of the picture in pixels.
    """

    made = DRAWN
    size: int = 256

    def described(self) -> dict[str, Any]:
        """The size."""
        return {"model": "drawn faces", "size": self.size}

    def make(self, wanted: Wanted) -> Made:
        """One face."""
        said = read_wording(wanted.text)
        emotion = _emotion(said.words) if said and said.words else ""
        if said is None or emotion is None or said.person["ethnicity"] not in PALETTES:
            why = "it follows no template of emohub.data.prompts, or names no emotion, or a group that cannot be drawn"
            return Made(wanted, failure=CANNOT_DRAW, detail=why)
        age, ethnicity, gender = said.person["age"], said.person["ethnicity"], said.person["gender"]
        if not emotion:
            who = person(age, ethnicity, gender, wanted.seed)
            return Made(wanted, draw(Expression(), who, wanted.seed, self.size))
        strength = STRENGTH[said.intensity]
        about: dict[str, Any] = {
            "age": age,
            "ethnicity": ethnicity,
            "gender": gender,
            "intensity": strength,
            "seed": wanted.seed,
        }
        return Made(wanted, draw_face(emotion, **about, size=self.size))


@cache
def _emotion(words: str) -> str | None:
    """The emotion whose descriptors the words are, in any order."""
    said = {*words.split(", ")}
    return next((emotion.name for emotion in EMOTIONS if said == {*emotion.descriptors}), None)
