"""What a protocol is: the questions about an item, and how an answer is read."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emohub.data.runs import digest
from emohub.data.taxonomy import EMOTIONS
from emohub.errors import EmohubError
from emohub.rate.questions import Ask, Attempt, Unreadable
from emohub.rate.target import Item, Target

TEXTS = Path(__file__).parent / "protocols" / "texts"
_DESCRIPTORS = {emotion.name: ", ".join(emotion.descriptors) for emotion in EMOTIONS}


class Means:
    """Means of numbers by name, over the answers that have them."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, numbers: Mapping[str, float]) -> None:
        """Add those of one answer."""
        for name, value in numbers.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = total + value, count + 1

    def as_dict(self) -> dict[str, float]:
        """Name → mean."""
        return {name: total / count for name, (total, count) in self._sums.items()}


@dataclass(frozen=True)
class BaseProtocol(ABC):
    """A protocol; its fields are its options. Each file of `protocols/` defines one, named `Protocol`.

    Attributes:
        name: As on the command line.
        version: Raised with every change of what is asked or how it is read.
        texts: Template files, whose content is part of the digest.
        ratings: Long config of the dataset whose categories it rates; empty: the dataset's first.
        emotions_only: Whether it fits only datasets that are rated on the 40 emotions.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    texts: ClassVar[tuple[str, ...]] = ()
    ratings: ClassVar[str] = ""
    emotions_only: ClassVar[bool] = False

    def check(self, target: Target) -> None:
        """Refuse a dataset that the protocol does not fit.

        Raises:
            EmohubError: its categories are not the 40 emotions, and the protocol asks for them.
        """
        categories = target.rated.scale.categories
        if self.emotions_only and set(categories) != set(_DESCRIPTORS):
            raise EmohubError(
                f"The protocol {self.name!r} asks for the 40 emotions, and {target.source} is rated on others, such "
                f"as {categories[0]!r}. Choose another --protocol."
            )

    @abstractmethod
    def asks(self, item: Item) -> Iterator[Ask]:
        """The questions about an item."""

    @abstractmethod
    def read(self, item: Item, part: str, attempt: Attempt) -> dict[str, float]:
        """The ratings that an answer gives: category → rating.

        Args:
            item: What was asked about.
            part: Of the question.
            attempt: The answer.

        Raises:
            Unreadable: it gives none.
        """

    def extra(self, part: str, attempt: Attempt) -> dict[str, float]:
        """Further numbers of an answer, by name, also of one without a rating.

        They go to extras.parquet, and their means to run.json.

        Raises:
            Unreadable: it has none.
        """
        return {}

    def refuse(self, means: Mapping[str, float], answers: int) -> str:
        """Why the ratings of this rater are refused, from the means of `extra`; empty where they are not."""
        return ""

    def extras(self, part: str, attempt: Attempt) -> dict[str, float]:
        """The further numbers of an answer; empty where it has none."""
        try:
            return self.extra(part, attempt)
        except Unreadable:
            return {}

    def described(self) -> dict[str, Any]:
        """Everything that decides the questions and the reading, with its digest."""
        texts = {name: hashlib.sha256((TEXTS / name).read_bytes()).hexdigest() for name in self.texts}
        options = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        found = {"name": self.name, "version": self.version, "options": options, "texts": texts, **self.data()}
        return {**found, "sha256": digest(found)}

    def data(self) -> dict[str, Any]:
        """Data beside the options that decides the questions, or digests of it."""
        return {}


@lru_cache(4096)  # most texts are the same for every item
def render(template: str, **values: Any) -> str:
    """A text of `protocols/texts/` with values that can be hashed; an undefined name is an error."""
    return _texts().get_template(template).render(descriptors=_DESCRIPTORS, **values).strip()


@cache
def _texts() -> Environment:
    # These are prompts, not pages: nothing is escaped for HTML.
    return Environment(
        loader=FileSystemLoader(TEXTS),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
