"""EmoNet-Face, zero-shot (§4.1, App. B.1): the 25 most fitting of 40 emotions with an intensity from 1 to 7."""

from collections.abc import Iterator
from dataclasses import dataclass

from emohub.rate.protocol import BaseProtocol, render
from emohub.rate.questions import WRONG_COUNT, Ask, Attempt, Unreadable
from emohub.rate.reading import number, ratings_in, read_object
from emohub.rate.target import Item

LOW, HIGH, COUNT = 1, 7, 25


@dataclass(frozen=True)
class Protocol(BaseProtocol):
    """One answer per image; emotions that it does not name get the rating 0, as in the paper.

    What is asked and what is accepted are separate: the paper enforced the count, by asking again.

    Attributes:
        check_count: Refuse answers that name more or fewer than 25 emotions.
        check_range: Refuse ratings that are not whole numbers from 1 to 7; otherwise any finite number is read.
        check_labels: Refuse unknown names; otherwise they are left out.
        temperature: Of sampling.
        max_tokens: Longest answer.
    """

    check_count: bool = True
    check_range: bool = True
    check_labels: bool = True
    temperature: float = 0.0
    max_tokens: int = 2000

    name = "zero-shot"
    texts = ("zero_shot.md.j2",)
    emotions_only = True

    def asks(self, item: Item) -> Iterator[Ask]:
        """One question, the text first: it is the same for every image."""
        text = render("zero_shot.md.j2", emotions=item.categories, count=COUNT, low=LOW, high=HIGH)
        yield Ask(text, temperature=self.temperature, max_tokens=self.max_tokens)

    def read(self, item: Item, part: str, attempt: Attempt) -> dict[str, float]:
        """All 40 emotions."""
        found = ratings_in(
            read_object(attempt),
            item.categories,
            keys=("ratings", "value", "emotions"),
            unknown="refuse" if self.check_labels else "ignore",
        )
        if self.check_count and len(found) != COUNT:
            raise Unreadable(WRONG_COUNT, f"{len(found)} emotions; must be {COUNT}")
        strict = self.check_range
        given = {one: number(value, LOW, HIGH, one, whole=strict, bounded=strict) for one, value in found.items()}
        return {one: given.get(one, 0.0) for one in item.categories}
