"""Is this emotion there, asked of up to three annotators in turn, as for EmoNet-Face BINARY (§3.2, Figures 13 and 14).

Step 2 is asked only where step 1 was answered with yes, step 3 only after a yes in step 2, and never of somebody who
answered an earlier one. Step 0, the contrastive question, asks about an emotion that should not be there. It stands
beside the chain: in the published votes, too, 2,879 of 19,999 pictures have the same annotator in both.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controls import Answer, Choice, Option, Question, check_answer
from given import Given
from studies import RATINGS, Step

TITLE = "Is this emotion there?"
TARGET, CONTRASTIVE = "target", "contrastive"
STEPS = {
    1: Step(line=TARGET, annotators=1),
    2: Step(after=1, line=TARGET, annotators=1),
    3: Step(after=2, line=TARGET, annotators=1),
    0: Step(line=CONTRASTIVE, annotators=1),
}
YES, NO = "yes", "no"
NEEDS = (TARGET, CONTRASTIVE)
INSTRUCTIONS = """\
You will see pictures of faces. They were made by a computer and show nobody.

Each picture comes with an emotion and words that describe it. Say whether the person seems to feel it: yes or no.
Not all of the words need to fit.

There is no right answer. How faces are read differs between people and cultures: go by your first impression.

Keys: y is yes, n is no."""


def render(item: Any, step: int, rules: Any, rng: random.Random) -> Question:
    """The target's words, or those of the emotion that should be absent."""
    name = item.fields[TARGET if step else CONTRASTIVE]
    words = {label.name: label.words for label in rules.labels}
    if name not in words:
        raise ValueError(f"study.toml has no label {name!r}")
    options = [Option(YES, "Yes", "y"), Option(NO, "No", "n")]
    question = f"Does this person seem to feel {name}?"
    return Question(question, [Choice("vote", "Your answer", options, form="buttons")], words[name])


def confirms(answer: Mapping[str, Any]) -> bool:
    """Whether the next step is asked."""
    return answer["vote"] == YES


def validate(question: Question, answer: Mapping[str, Any]) -> Answer:
    """Yes or no."""
    return check_answer(question, answer)


def rows(given: Given, item: Any, sample: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """A vote: 1 for yes."""
    category = item.fields[TARGET if given.step else CONTRASTIVE]
    yield RATINGS, given.rating(category, given.answer["vote"] == YES, sample=sample, step=given.step)


def answers(step: int, ratings: Sequence[Mapping[str, Any]]) -> Answer:
    """The inverse: the one rating of an answer."""
    return {"vote": {1.0: YES, 0.0: NO}.get(float(ratings[0]["rating"]), "neither 1 nor 0")}


def simulate(question: Question, rng: random.Random) -> Answer:
    """Yes in two of three cases."""
    return {"vote": YES if rng.random() < 2 / 3 else NO}
