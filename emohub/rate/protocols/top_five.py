"""EmoNet-Face BIG (App. B.1): up to five salient emotions with an intensity from 0 to 7, with or without a hint."""

from collections.abc import Iterator
from dataclasses import dataclass

from emohub.data.taxonomy import canonical
from emohub.rate.protocol import BaseProtocol, render
from emohub.rate.questions import WRONG_COUNT, Ask, Attempt, Unreadable
from emohub.rate.reading import number, ratings_in, read_object
from emohub.rate.target import Item

LOW, HIGH, COUNT = 0, 7, 5


@dataclass(frozen=True)
class Protocol(BaseProtocol):
    """One answer per image; emotions that it does not name get the rating 0.

    Attributes:
        hint: An emotion that the image might show, as from the second round on.
        temperature: Of sampling.
        max_tokens: Longest answer.
    """

    hint: str = ""
    temperature: float = 0.0
    max_tokens: int = 500

    name = "top-five"
    texts = ("top_five.md.j2",)
    emotions_only = True

    def __post_init__(self) -> None:
        if self.hint:
            object.__setattr__(self, "hint", canonical(self.hint))

    def asks(self, item: Item) -> Iterator[Ask]:
        """One question."""
        text = render("top_five.md.j2", emotions=item.categories, count=COUNT, low=LOW, high=HIGH, hint=self.hint)
        yield Ask(text, temperature=self.temperature, max_tokens=self.max_tokens)

    def read(self, item: Item, part: str, attempt: Attempt) -> dict[str, float]:
        """All 40 emotions, at most five above 0."""
        found = ratings_in(read_object(attempt), item.categories, keys=("ratings", "emotions"))
        given = {one: number(value, LOW, HIGH, one) for one, value in found.items()}
        if (above := sum(value > 0 for value in given.values())) > COUNT:
            raise Unreadable(WRONG_COUNT, f"{above} emotions above 0; at most {COUNT}")
        return {one: given.get(one, 0.0) for one in item.categories}
