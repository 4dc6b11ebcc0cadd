"""Which of two sets of labels fits better, as in App. B.3 of the EmoNet-Face paper (Figures 15 and 16)."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from controls import Answer, Choice, Option, Question, check_answer, draw_answer
from given import Given
from studies import SINGLE

TITLE = "Which description fits better?"
LONGEST = 5  # labels of a set that are shown, the strongest first
SIDES = ("left", "right")
STEPS = SINGLE
NEEDS = ("sets",)
INSTRUCTIONS = """\
You will see pictures of faces. They were made by a computer and show nobody.

Beside each picture stand two lists of emotions, the strongest first. Choose the list that describes the face better.
If both or neither fit, choose the one that you lean to.

Keys: the left arrow chooses the left list, the right arrow the right one."""


def render(item: Any, step: int, rules: Any, rng: random.Random) -> Question:
    """The two sets, on sides that chance has chosen for this annotator."""
    names = sides(item, rng)
    sets = item.fields["sets"]
    options = [
        Option(side, f"The {side} list", f"Arrow{side.capitalize()}", [str(one) for one in sets[name]][:LONGEST])
        for side, name in zip(SIDES, names, strict=True)
    ]
    return Question(
        "Which list describes this person's feelings better?",
        [Choice("side", "Your choice", options, form="buttons")],
        stored=dict(zip(SIDES, names, strict=True)),
    )


def sides(item: Any, rng: random.Random) -> list[str]:
    """Names of the sets, left and right."""
    names = sorted(item.fields["sets"])
    if len(names) != len(SIDES) or not all(item.fields["sets"][name] for name in names):
        raise ValueError("'sets' must name two lists of labels that are not empty")
    rng.shuffle(names)
    return names


def validate(question: Question, answer: Mapping[str, Any]) -> Answer:
    """Left or right."""
    return check_answer(question, answer)


def rows(given: Given, item: Any, sample: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The set that was chosen, and where it stood; repeated choices in a table of their own."""
    answer = given.answer
    row = {"item": given.item, "rater": given.annotator, "preferred": answer[answer["side"]], "side": answer["side"]}
    yield ("preferences" if given.sample == 1 else "preferences_repeated"), row


def simulate(question: Question, rng: random.Random) -> Answer:
    """Either."""
    return draw_answer(question, rng)


def compare(given: Given, item: Any) -> float:
    """The choice as a number: 1 for the set whose name comes first."""
    return float(given.answer[given.answer["side"]] == min(item.fields["sets"]))
