"""How strongly each of many emotions is there, as for EmoNet-Face HQ (§3.3, Figures 11 and 12)."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controls import Answer, Question, Slider, check_answer, draw_answer
from given import Given
from studies import RATINGS, SINGLE

TITLE = "Emotions in faces"
LOW, HIGH = 0, 7
STEPS = SINGLE
NEEDS = ()
INSTRUCTIONS = """\
You will see pictures of faces. They were made by a computer and show nobody.

For each picture, say how strongly the person seems to feel each emotion. 0 means that it is not there, 1 that it is
barely there, 7 that it is very strong. Leave a slider alone where an emotion is not there: most will stay at 0.

There is no right answer. How faces are read differs between people and cultures, and that is what the study is about:
go by your first impression. The words below a name say what it covers.

Keys: Tab goes from slider to slider, 0 to 7 or the arrows set one, Enter saves."""


def render(item: Any, step: int, rules: Any, rng: random.Random) -> Question:
    """A slider for every label of the study, in its groups."""
    if not rules.labels:
        raise ValueError("study.toml has no [[labels]]")
    return Question(
        "How strongly does this person seem to feel each of these?",
        [
            Slider(label.name, label.name, LOW, HIGH, label.group, label.words, ("not there", "very strong"))
            for label in rules.labels
        ],
    )


def validate(question: Question, answer: Mapping[str, Any]) -> Answer:
    """Every slider, 0 where it was not moved."""
    return check_answer(question, answer)


def rows(given: Given, item: Any, sample: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """A rating per label."""
    for name, value in given.answer.items():
        yield RATINGS, given.rating(name, value, sample=sample)


def answers(step: int, ratings: Sequence[Mapping[str, Any]]) -> Answer:
    """The inverse: the ratings of one answer."""
    return {row["category"]: whole(row["rating"]) for row in ratings}


def whole(rating: float) -> Any:
    """A rating as a slider gives it; one that is not whole stays as it is, and is refused by its control."""
    return int(rating) if float(rating).is_integer() else rating


def simulate(question: Question, rng: random.Random) -> Answer:
    """Most sliders at 0."""
    return draw_answer(question, rng)
