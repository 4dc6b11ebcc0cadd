"""What a video shows, as for Chehre: its emoji's labels rated, the two that fit best, and how well it fits the emoji.

Whoever rates the labels must not know the emoji, so the two questions go to different annotators, as in the study's
own files (94 of 1,276 videos there have an annotator in both).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controls import Answer, Choice, Flag, Invalid, Option, Question, Slider, check_answer, draw_answer
from given import Given
from studies import RATINGS, Step
from studies.intensities import whole

TITLE = "Expressions in short videos"
LOW, HIGH = 0, 3
EACH = "How well does each label fit?"
ENDS = ("not at all", "very well")
LABELS, MATCH = 1, 2
STEPS = {LABELS: Step(line="video"), MATCH: Step(line="video")}
FIRST, SECOND, FITS, JITTER, NONE = "first", "second", "match", "jitter", "None"
PREFIX = "label: "
NEEDS = ("emoji", "emoji_name", "labels")
INSTRUCTIONS = """\
You will see short videos of faces. The movements are those of real people, the faces are made by a computer.

For some videos, say how well each label fits what you see: 0 not at all, 3 very well. Then say which label fits best,
and which second best; None is an answer too. For other videos you see an emoji: say how well the video fits it.

Tick the box if the video jitters so much that it is hard to judge. There is no right answer: go by your impression.

Keys: Tab goes on, 0 to 3 or the arrows set a slider, Space ticks the box, Enter saves."""


def render(item: Any, step: int, rules: Any, rng: random.Random) -> Question:
    """The labels without the emoji, or the emoji."""
    fields = item.fields
    if step == MATCH:
        slider = Slider(FITS, f"How well does the video fit “{fields['emoji_name']}”?", LOW, HIGH, ends=ENDS)
        return Question("How well does this video fit the emoji?", [slider], shown=fields["emoji"])
    labels = [str(label) for label in fields["labels"]]
    options = [Option(label, label) for label in (*labels, NONE)]
    return Question(
        "What does this face express?",
        [
            *(
                Slider(PREFIX + label, label, LOW, HIGH, "How well does each label fit?", ends=ENDS)
                for label in labels
            ),
            Choice(FIRST, "Which fits best?", options),
            Choice(SECOND, "Which fits second best?", options, required=False),
            Flag(JITTER, "The video jitters so much that it is hard to judge"),
        ],
    )


def validate(question: Question, answer: Mapping[str, Any]) -> Answer:
    """A second choice that differs from the first; after None there is none."""
    clean = check_answer(question, answer)
    first, second = clean.get(FIRST), clean.get(SECOND)
    if first == NONE and second not in (None, NONE):
        raise Invalid("second must be None where first is None")
    if first not in (None, NONE) and first == second:
        raise Invalid("second must be another label than first")
    return clean


def rows(given: Given, item: Any, sample: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Label ratings and rankings, or the emoji's rating: the tables of the dataset."""
    if given.step == MATCH:
        yield "emoji_ratings", given.rating(item.fields["emoji_name"], given.answer[FITS], sample=sample)
        return
    for name, value in given.answer.items():
        if name.startswith(PREFIX):
            yield RATINGS, given.rating(name.removeprefix(PREFIX), value, sample=sample)
    if FIRST in given.answer:
        ranks = {"rank1": given.answer[FIRST], "rank2": given.answer[SECOND], "jitter": given.answer[JITTER]}
        yield "rankings", {"item": given.item, "rater": given.annotator, "sample": sample, **ranks}


def step_of(item: Any, category: str) -> int:
    """Which question a rating of a category answers."""
    return MATCH if category == item.fields["emoji_name"] else LABELS


def answers(step: int, ratings: Sequence[Mapping[str, Any]]) -> Answer:
    """The inverse, from a table of ratings alone: nothing is known about ranks and jitter there."""
    if step == MATCH:
        return {FITS: whole(ratings[0]["rating"])}
    return {PREFIX + row["category"]: whole(row["rating"]) for row in ratings}


def simulate(question: Question, rng: random.Random) -> Answer:
    """Ranks in the order of the ratings."""
    answer = draw_answer(question, rng)
    labels = sorted((name for name in answer if name.startswith(PREFIX)), key=lambda name: -int(answer[name] or 0))
    if not labels:
        return answer
    first, second, *_ = [name.removeprefix(PREFIX) for name in labels] if answer[labels[0]] else [NONE, NONE]
    return answer | {FIRST: first, SECOND: second}
