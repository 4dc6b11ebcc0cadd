"""What an annotator answers with: each control knows its valid answers, so a study only lists its controls."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = int | str | bool
Answer = dict[str, Value | None]


class Invalid(Exception):
    """An answer that its question does not allow; the message names the control and what is valid, not the content."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of several answers.

    Attributes:
        value: As it is stored.
        label: As it is read.
        key: Key that gives it.
        lines: Further lines below it, such as a set of labels.
    """

    value: str
    label: str
    key: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Slider:
    """A whole number; where it is not moved, its lowest, which is stored as untouched.

    Attributes:
        name: As it is stored.
        label: As it is read.
        low: Lowest.
        high: Highest.
        group: Heading that it stands under.
        hint: What it means.
        ends: Words for the two ends.
    """

    name: str
    label: str
    low: int
    high: int
    group: str = ""
    hint: str = ""
    ends: tuple[str, str] = ("", "")
    form = "slider"

    def check(self, value: Any) -> Value:
        """The value.

        Raises:
            Invalid: not a whole number of the scale.
        """
        if value is None:
            return self.low
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise Invalid(f"{self.name} must be a whole number from {self.low} to {self.high}")
        return value

    def draw(self, rng: random.Random) -> Value:
        """An answer by chance; most are the lowest."""
        return rng.randint(self.low, self.high) if rng.random() < 0.25 else self.low


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several options; as `buttons` a press sends the answer."""

    name: str
    label: str
    options: Sequence[Option]
    form: str = "radio"
    required: bool = True

    def check(self, value: Any) -> Value | None:
        """The value; None where it may be left open and was.

        Raises:
            Invalid: none of the options.
        """
        if value is None and not self.required:
            return None
        valid = [option.value for option in self.options]
        if not isinstance(value, str) or value not in valid:
            raise Invalid(f"{self.name} must be one of {', '.join(valid)}")
        return value

    def draw(self, rng: random.Random) -> Value:
        """An option by chance."""
        return rng.choice(self.options).value


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that may be said or not."""

    name: str
    label: str
    form = "flag"

    def check(self, value: Any) -> Value:
        """The value.

        Raises:
            Invalid: neither true nor false.
        """
        if value is None:
            return False
        if not isinstance(value, bool):
            raise Invalid(f"{self.name} must be true or false")
        return value

    def draw(self, rng: random.Random) -> Value:
        """Seldom true."""
        return rng.random() < 0.1


Control = Slider | Choice | Flag


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about an item.

    Attributes:
        text: The question.
        controls: What it is answered with.
        words: Words that explain it.
        shown: Something to look at besides the picture, such as an emoji.
        stored: What is stored with the answer and not shown, such as which set was on which side.
    """

    text: str
    controls: Sequence[Control]
    words: str = ""
    shown: str = ""
    stored: Mapping[str, Value] = field(default_factory=dict)


def check_answer(question: Question, answer: Mapping[str, Any]) -> Answer:
    """An answer with a value for every control.

    Raises:
        Invalid: an unknown control, or a value that its control does not allow.
    """
    known = {control.name for control in question.controls}
    if unknown := len(answer.keys() - known):
        raise Invalid(f"{unknown} unknown names; valid are {', '.join(sorted(known))[:500]}")
    return {control.name: control.check(answer.get(control.name)) for control in question.controls}


def draw_answer(question: Question, rng: random.Random) -> Answer:
    """An answer by chance."""
    return {control.name: control.draw(rng) for control in question.controls}
