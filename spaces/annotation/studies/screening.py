"""Is this picture good enough to keep, and if not, why: the manual screening of EmoNet-Face (§3, App. A.5).

A press answers. The ratings have the category "Keep", 1 or 0, and one category for each reason; `emohub generate loop
--rejected` reads them.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controls import Answer, Choice, Option, Question, check_answer, draw_answer
from given import Given
from studies import RATINGS, SINGLE

TITLE = "Is this picture good enough?"
KEEP = "Keep"
REASONS = {  # category → (key, what it covers)
    "Artefact": ("1", "hands, teeth, eyes, skin or background are wrong; text or a watermark"),
    "No face": ("2", "none, more than one, cut off, or covered"),
    "Ambiguous": ("3", "no expression that one could name, or several at once"),
    "Not a photograph": ("4", "a drawing, a doll, a statue"),
    "Unfit": ("5", "a child, nudity, violence, somebody known"),
}
STEPS = SINGLE
NEEDS = ()
INSTRUCTIONS = """\
You will see pictures of faces. They were made by a computer and show nobody.

Keep a picture where it looks like a photograph of one adult whose expression can be read. Reject it otherwise, for the
first reason in the list that fits. Which emotion it shows does not matter here, nor whether you like it.

Keys: k keeps, 1 to 5 reject for a reason."""


def render(item: Any, step: int, rules: Any, rng: random.Random) -> Question:
    """A button to keep it, and one for each reason not to."""
    options = [Option(KEEP, "Keep", "k", ["one adult whose expression can be read"])]
    options += [Option(name, f"Reject: {name.lower()}", key, [covers]) for name, (key, covers) in REASONS.items()]
    return Question("Keep this picture?", [Choice("verdict", "Your answer", options, form="buttons")])


def validate(question: Question, answer: Mapping[str, Any]) -> Answer:
    """Keep, or a reason."""
    return check_answer(question, answer)


def rows(given: Given, item: Any, sample: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """1 for what was said, 0 for the rest."""
    for name in (KEEP, *REASONS):
        yield RATINGS, given.rating(name, given.answer["verdict"] == name, sample=sample)


def answers(step: int, ratings: Sequence[Mapping[str, Any]]) -> Answer:
    """The inverse: what has a 1."""
    said = [row["category"] for row in ratings if float(row["rating"]) == 1]
    return {"verdict": said[0] if len(said) == 1 else f"{len(said)} verdicts"}


def simulate(question: Question, rng: random.Random) -> Answer:
    """Keep in most cases."""
    return {"verdict": KEEP} if rng.random() < 0.8 else draw_answer(question, rng)
