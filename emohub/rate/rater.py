"""What a rater is: one that scores items directly, or one that answers questions."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from emohub.rate.concurrent import Limits
from emohub.rate.questions import Attempt, Question
from emohub.rate.target import Target

Record = Callable[[Question, Attempt, bool], bool]
"""Notes an attempt, given whether it is the last one; returns whether the question is asked again."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The ratings of one item by a direct rater.

    Attributes:
        item: Its id.
        ratings: Category → rating.
        sample: Number of the sample, where the rater gives several.
        rater: Who rated, where one source holds several raters; empty for the rater itself.
        kind: Of that rater; empty for the rater's own.
        bad: Why there are no ratings.
    """

    item: str
    ratings: Mapping[str, float]
    sample: int | None = None
    rater: str = ""
    kind: str = ""
    bad: str = ""


@dataclass(kw_only=True)
class BaseRater(ABC):
    """A rater; the fields of its dataclass are its options. Each file of `raters/` defines one, named `Rater`.

    Attributes:
        what: What stands after the colon of `--rater`, for example a model's id; empty where the rater takes nothing.
    """

    kind: ClassVar[str]  # one of emohub.data.ratings.KINDS
    what: str = ""

    @property
    def label(self) -> str:
        """Name of the rater in the ratings table; empty stands for that of its file."""
        return self.what

    def described(self, target: Target) -> dict[str, Any]:
        """Everything about the rater that decides the ratings, for the plan: no secret, no path of this machine."""
        return {}


@dataclass(kw_only=True)
class DirectRater(BaseRater):
    """Gives ratings without questions: a classifier, a baseline, a table."""

    @abstractmethod
    def rate(self, target: Target, wanted: Collection[str]) -> Iterator[Scored]:
        """Ratings of the wanted items; an item is complete when the next one begins."""

    def notes(self) -> dict[str, Any]:
        """What was left out or assumed, with counts, for run.json, once `rate` has ended."""
        return {}


@dataclass(kw_only=True)
class ChatRater(BaseRater):
    """Answers questions about pictures: a vision-language model."""

    kind = "vlm"

    @abstractmethod
    def ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        """Ask every question until `record` has the last attempt at it.

        Args:
            questions: What to ask; read as it is needed.
            record: Called for every attempt.
            limits: How many questions at once, how fast, and how often again.
        """

    def at_once(self, limits: Limits) -> int:
        """How many questions are under way together, for the estimate of the time."""
        return limits.concurrency

    def close(self) -> None:
        """Let go of what is kept between `preview` and `ask`; called when a run ends, also with an error."""

    def preview(self, question: Question, limits: Limits) -> Attempt:
        """Ask one question outside of the run, for the probe; failures are raised or returned."""
        kept: list[Attempt] = []

        def record(_: Question, attempt: Attempt, last: bool) -> bool:
            kept.append(attempt)
            return False

        retries = replace(limits.retries, tries=min(limits.retries.tries, 2))  # somebody waits for it
        self.ask(iter([question]), record, replace(limits, concurrency=1, retries=retries, may_ask=lambda: True))
        return kept[-1]
