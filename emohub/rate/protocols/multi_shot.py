"""EmoNet-Face, multi-shot (§4.1): all 40 intensities from 0 to 7, at most five above 0, and the four dimensions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emohub.data.source import sha256_of
from emohub.data.taxonomy import DIMENSIONS
from emohub.errors import SourceError
from emohub.hub.json_files import parse_json
from emohub.rate.protocol import BaseProtocol, render
from emohub.rate.questions import WRONG_COUNT, Ask, Attempt, Unreadable
from emohub.rate.reading import number, ratings_in, read_object
from emohub.rate.target import Item

LOW, HIGH, ABOVE = 0, 7, 5


@dataclass(frozen=True)
class Protocol(BaseProtocol):
    """One answer per image; every emotion and dimension must be in it.

    Attributes:
        examples: A JSON list of `{"picture": description, "answer": {"emotions": …, "dimensions": …}}`, shown before
            the question; none by default: the paper's five are not published.
        check_above: Refuse answers with more than five emotions above 0.
        temperature: Of sampling.
        max_tokens: Longest answer.
    """

    examples: Path | None = None
    check_above: bool = True
    temperature: float = 0.0
    max_tokens: int = 4000

    name = "multi-shot"
    texts = ("multi_shot.md.j2",)
    emotions_only = True

    def asks(self, item: Item) -> Iterator[Ask]:
        """One question."""
        text = render(
            "multi_shot.md.j2",
            emotions=item.categories,
            dimensions=DIMENSIONS,
            examples=self.shown,
            low=LOW,
            high=HIGH,
            above=ABOVE,
        )
        yield Ask(text, temperature=self.temperature, max_tokens=self.max_tokens)

    def read(self, item: Item, part: str, attempt: Attempt) -> dict[str, float]:
        """All 40 emotions; the dimensions are read, so that their absence is a failure; they are extras."""
        answer = read_object(attempt)
        found = ratings_in(answer, item.categories, keys=("emotions", "ratings"))
        if missing := [one for one in item.categories if one not in found]:
            raise Unreadable(WRONG_COUNT, f"{len(found)} of {len(item.categories)} emotions; missing: {missing[0]} …")
        given = {one: number(value, LOW, HIGH, one) for one, value in found.items()}
        if self.check_above and (above := sum(value > 0 for value in given.values())) > ABOVE:
            raise Unreadable(WRONG_COUNT, f"{above} emotions above 0; at most {ABOVE}")
        self.dimensions(answer)
        return given

    def extra(self, part: str, attempt: Attempt) -> dict[str, float]:
        """The dimensions."""
        return self.dimensions(read_object(attempt))

    def dimensions(self, answer: dict[str, Any]) -> dict[str, float]:
        """Dimension → rating, each on its own scale."""
        keys = ("dimensions", "extra_dimensions")
        names = [dimension.name for dimension in DIMENSIONS]
        inner: dict[str, Any] = next((answer[key] for key in keys if isinstance(answer.get(key), dict)), {})
        found = ratings_in(inner, names)
        if len(found) != len(names):
            raise Unreadable(WRONG_COUNT, f"{len(found)} of {len(names)} dimensions: {', '.join(names)}")
        return {one.name: number(found[one.name], one.low, one.high, one.name) for one in DIMENSIONS}

    def data(self) -> dict[str, Any]:
        """The digest of the examples, in the place of the path."""
        return {"examples_sha256": sha256_of(self.examples), "shown": len(self.shown)} if self.examples else {}

    @cached_property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The examples as texts: the picture and the answer."""
        if self.examples is None:
            return ()
        valid = 'Give a JSON list of {"picture": description, "answer": {"emotions": …, "dimensions": …}}.'
        try:
            found = parse_json(self.examples.read_bytes())
            return tuple((str(one["picture"]), json.dumps(one["answer"])) for one in found)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise SourceError(f"{self.examples} does not hold examples: {error!r}. {valid}") from error
