"""Chehre: the label ratings in the voice of several people (the abstract's "persona prompting")."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emohub.data.source import sha256_of
from emohub.errors import EmohubError, SourceError
from emohub.hub.json_files import parse_json
from emohub.rate.protocol import render
from emohub.rate.protocols._labels import LabelRatings, samples
from emohub.rate.questions import Ask
from emohub.rate.target import Item

PERSONAS = Path(__file__).with_name("personas.json")


@dataclass(frozen=True)
class Protocol(LabelRatings):
    """One answer from each persona; the number of the sample is that of the persona in the file.

    Attributes:
        samples: How many personas, from the first on; by default all.
        personas: A JSON list of objects with a `text` in the second person, or of `age`, `gender`, `culture` and
            `mood`; by default the 40 that ship with emohub.
        temperature: Of sampling.
    """

    samples: int | None = None
    personas: Path = PERSONAS
    temperature: float = 0.0

    name = "persona"
    texts = ("label_ratings.md.j2", "persona.md.j2")

    def asks(self, item: Item) -> Iterator[Ask]:
        """The same question to each persona."""
        for sample, system in enumerate(self.systems):
            yield self.ask(item, system=system, sample=sample, temperature=self.temperature)

    def data(self) -> dict[str, Any]:
        """The digest of the personas, in the place of the path."""
        return {"personas_sha256": sha256_of(self.personas), "count": len(self.systems)}

    @cached_property
    def systems(self) -> list[str]:
        """The system's turn of each persona."""
        found = _read(self.personas)
        count = len(found) if self.samples is None else len([*samples(self.samples)])
        if count > len(found):
            raise EmohubError(f"--samples is {count}, and {self.personas.name} holds {len(found)} personas.")
        return [one.get("text") or render("persona.md.j2", **one) for one in found[:count]]


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as JSON: {error}. {_VALID}") from error
    traits = {"age", "gender", "culture", "mood"}
    if not isinstance(found, list) or not found:
        raise SourceError(f"{path} holds no list. {_VALID}")
    for number, one in enumerate(found):
        if not isinstance(one, dict) or not (isinstance(one.get("text"), str) or traits <= one.keys()):
            raise SourceError(f"{path}: persona {number} is {json.dumps(one)[:120]}. {_VALID}")
    return found


_VALID = "Give a JSON list of objects with a `text`, or with `age`, `gender`, `culture` and `mood`."
