"""Chehre: how well a video fits its emoji, from 0 to 3."""

from collections.abc import Iterator
from dataclasses import dataclass

from emohub.rate.protocol import BaseProtocol, render
from emohub.rate.protocols._labels import HIGH, LOW, emoji_name
from emohub.rate.questions import WRONG_LABELS, Ask, Attempt, Unreadable
from emohub.rate.reading import number, read_object
from emohub.rate.target import Item


@dataclass(frozen=True)
class Protocol(BaseProtocol):
    """One whole number per video.

    Attributes:
        max_tokens: Longest answer.
    """

    max_tokens: int = 500

    name = "emoji-match"
    texts = ("emoji_match.md.j2",)
    ratings = "emoji_ratings"

    def asks(self, item: Item) -> Iterator[Ask]:
        """One question."""
        yield Ask(render("emoji_match.md.j2", emoji=emoji_name(item), low=LOW, high=HIGH), max_tokens=self.max_tokens)

    def read(self, item: Item, part: str, attempt: Attempt) -> dict[str, float]:
        """The rating of the emoji."""
        found = read_object(attempt)
        if set(found) != {"rating"}:
            raise Unreadable(WRONG_LABELS, f"the names are {', '.join(map(str, found))[:80]}; must be 'rating'")
        return {item.categories[0]: number(found["rating"], LOW, HIGH, "rating")}
