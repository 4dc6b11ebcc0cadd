"""Chehre's protocols: an emoji's labels on 0–3, asked once, several times, or in the voice of several people."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from emohub.data.emojis import emoji
from emohub.errors import EmohubError
from emohub.rate.protocol import BaseProtocol, render
from emohub.rate.questions import WRONG_COUNT, Ask, Attempt, Unreadable
from emohub.rate.reading import number, ratings_in, read_object
from emohub.rate.target import Item

LOW, HIGH = 0, 3


@dataclass(frozen=True)
class LabelRatings(BaseProtocol):
    """Each label of the video's emoji gets a whole number from 0 to 3.

    Attributes:
        max_tokens: Longest answer.
    """

    max_tokens: int = 1000

    texts: ClassVar[tuple[str, ...]] = ("label_ratings.md.j2",)
    ratings = "label_ratings"

    def ask(self, item: Item, *, system: str = "", sample: int | None = None, temperature: float = 0.0) -> Ask:
        """The question about one item."""
        text = render("label_ratings.md.j2", labels=item.categories, low=LOW, high=HIGH)
        return Ask(text, system, sample=sample, temperature=temperature, max_tokens=self.max_tokens)

    def read(self, item: Item, part: str, attempt: Attempt) -> dict[str, float]:
        """Every label with its rating."""
        found = ratings_in(read_object(attempt), item.categories, keys=("ratings", "labels"))
        if missing := [label for label in item.categories if label not in found]:
            raise Unreadable(
                WRONG_COUNT, f"{len(found)} of {len(item.categories)} labels; missing: {', '.join(missing)}"
            )
        return {label: number(found[label], LOW, HIGH, label) for label in item.categories}


def emoji_name(item: Item) -> str:
    """What the item's emoji is called, with its character."""
    found = emoji(item.row["emoji_code"])
    return f"{found.character} ({found.name})"


def samples(count: int) -> Iterator[int]:
    """Numbers of samples.

    Raises:
        EmohubError: there is none.
    """
    if count < 1:
        raise EmohubError(f"--samples is {count}; must be 1 or more.")
    yield from range(count)
