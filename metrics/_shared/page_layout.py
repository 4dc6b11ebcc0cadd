"""What the page of a metric says and asks, without the library that draws it.

The processes that compute import the file that was started, and must not pay for a page that they do not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several words."""

    label: str
    values: Sequence[str]
    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`, in steps."""

    label: str
    low: int
    high: int
    value: int
    step: int


@dataclass(frozen=True, slots=True)
class Text:
    """A short text."""

    label: str
    value: str


MODEL = Text("Name of the model among the raters", "model")
BOOTSTRAP = Number("Bootstrap resamples", 0, 2000, 1000, 100)


@dataclass(frozen=True, slots=True)
class Layout:
    """A page.

    Attributes:
        title: Of the page.
        about: One paragraph in Markdown.
        example: CSV that the page starts with, with its result.
        options: Their values follow the table in the call of `run` in `view.py`.
    """

    title: str
    about: str
    example: str
    options: Sequence[Choice | Number | Text]
