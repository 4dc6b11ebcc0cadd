"""One yes/no question per category, read from the probabilities of the first token instead of generated text."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emohub.errors import EmohubError
from emohub.rate.protocol import BaseProtocol, render
from emohub.rate.questions import NO_LOGPROBS, WRONG_LABELS, Ask, Attempt, Unreadable, bare_word
from emohub.rate.target import Item

ANSWERS = ("yes", "no")


@dataclass(frozen=True)
class Protocol(BaseProtocol):
    """The rating is P(yes) / (P(yes) + P(no)), each summed over its spellings in any case and with blanks around.

    The media stand before the text, so that a server with a prefix cache reads them once for all categories.

    Attributes:
        min_mass: Smallest mean P(yes) + P(no) at which the ratings of a model are accepted.
        top_logprobs: How many tokens' probabilities are asked for.
    """

    min_mass: float = 0.5
    top_logprobs: int = 20

    name = "verify"
    texts = ("verify.md.j2",)

    def __post_init__(self) -> None:
        if not 0 <= self.min_mass <= 1:
            raise EmohubError(f"--min-mass is {self.min_mass}; must be from 0 to 1.")

    def asks(self, item: Item) -> Iterator[Ask]:
        """One question for each category."""
        for category in item.categories:
            text = render("verify.md.j2", category=category)
            yield Ask(
                text, part=category, media_first=True, max_tokens=1, top_logprobs=self.top_logprobs, words=ANSWERS
            )

    def read(self, item: Item, part: str, attempt: Attempt) -> dict[str, float]:
        """The probability of yes for the category of the question."""
        yes, no = yes_and_no(attempt)
        if yes + no == 0:
            raise Unreadable(
                WRONG_LABELS, f"neither yes nor no is among the {len(attempt.logprobs or ())} tokens given"
            )
        return {part: yes / (yes + no)}

    def extra(self, part: str, attempt: Attempt) -> dict[str, float]:
        """The probability of yes and no together."""
        return {"yes_no_mass": sum(yes_and_no(attempt))}

    def refuse(self, means: Mapping[str, float], answers: int) -> str:
        """A model that answers something else than yes or no most of the time."""
        mass = means.get("yes_no_mass", 0.0)
        if answers and mass < self.min_mass:
            return (
                f"the mean probability of yes and no together is {mass:.3f} over {answers:,} answers, below "
                f"--min-mass {self.min_mass:g}: this model does not answer with yes or no at "
                "once (one that thinks first does not). Use another protocol, or a lower --min-mass"
            )
        return ""


def yes_and_no(attempt: Attempt) -> tuple[float, float]:
    """The probabilities of "yes" and "no" at the first position, over all their spellings.

    Raises:
        Unreadable: the answer has no log-probabilities.
    """
    if attempt.logprobs is None:
        raise Unreadable(NO_LOGPROBS, "the server returns no log-probabilities")
    found = dict.fromkeys(ANSWERS, 0.0)
    for token, logprob in attempt.logprobs.items():
        word = bare_word(token)
        if word in found:
            found[word] += math.exp(min(logprob, 0.0))
    return found["yes"], found["no"]
