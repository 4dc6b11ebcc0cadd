"""Chehre: each label of the emoji from 0 to 3, the most probable answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from emohub.rate.protocols._labels import LabelRatings
from emohub.rate.questions import Ask
from emohub.rate.target import Item


@dataclass(frozen=True)
class Protocol(LabelRatings):
    """One answer per video at temperature 0."""

    name = "label-ratings"

    def asks(self, item: Item) -> Iterator[Ask]:
        """One question."""
        yield self.ask(item)
