"""Chehre: the label ratings asked several times at a temperature (the abstract's "random sampling")."""

from collections.abc import Iterator
from dataclasses import dataclass

from emohub.errors import EmohubError
from emohub.rate.protocols._labels import LabelRatings, samples
from emohub.rate.questions import Ask
from emohub.rate.target import Item


@dataclass(frozen=True)
class Protocol(LabelRatings):
    """Several samples of the same question.

    Attributes:
        samples: How many.
        temperature: Of sampling; above 0.
    """

    samples: int = 20
    temperature: float = 1.0

    name = "random-sampling"

    def __post_init__(self) -> None:
        if not 0 < self.temperature < 10:
            raise EmohubError(
                f"--temperature is {self.temperature}; must be above 0 (at 0 every sample is the same answer)."
            )

    def asks(self, item: Item) -> Iterator[Ask]:
        """The same question, `samples` times."""
        for sample in samples(self.samples):
            yield self.ask(item, sample=sample, temperature=self.temperature)
