"""`study.toml` of `emohub generate loop`: prompts, pictures, annotation, where to stop."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from emohub.data.media import safe_name
from emohub.data.taxonomy import NAMES, canonical
from emohub.errors import EmohubError, MediaError
from emohub.generate.engines import ENGINES
from emohub.generate.images import MIN_SIDE, TRIES, Checks
from emohub.generate.local import Settings
from emohub.generate.prompts import factors
from emohub.rate.cost import Price
from emohub.rate.found import load, with_options
from emohub.rate.rater import ChatRater


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Table `[prompts]`.

    Attributes:
        emotions: Which are wanted; by default all 40.
        first: Prompts for each in the first round.
        most: Prompts of a round, at most.
        templates: Names of templates; by default all.
        intensities: Words for the intensity; by default all.
    """

    emotions: Sequence[str] = NAMES
    first: int = 500
    most: int = 50_000
    templates: Sequence[str] = ()
    intensities: Sequence[str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "emotions", tuple(dict.fromkeys(canonical(name) for name in self.emotions)))
        _above(0, "prompts", emotions=len(self.emotions), first=self.first, most=self.most)
        factors(self.templates, self.intensities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Table `[images]`.

    Attributes:
        model: NAME:WHAT, a generator.
        options: Its options.
        engine: "local" or "ray".
        run: Of the engine: batch_size, device, address, actors, concurrency, rpm.
        face: Whether a face must be found.
        tries: Seeds of a prompt, at most.
        min_side: Smallest side in pixels.
        format: "jpeg" or "png".
        price: Of a request for a picture, in the currency of the annotation's price.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    engine: str = "local"
    run: Mapping[str, Any] = field(default_factory=dict)
    face: bool = True
    tries: int = TRIES
    min_side: int = MIN_SIDE
    format: str = "jpeg"
    price: float = 0.0

    def __post_init__(self) -> None:
        if self.engine not in ENGINES or self.price < 0:
            raise EmohubError(
                f"[images] has engine {self.engine!r} and price {self.price!r}; valid: an engine of "
                f"{', '.join(ENGINES)}, a price of 0 or more."
            )
        valid = [one.name for one in fields(Settings)]
        if unknown := [name for name in self.run if name not in valid]:
            raise EmohubError(f"[images] run takes no {', '.join(unknown)}; valid: {', '.join(valid)}.")

    def checks(self) -> Checks:
        """What a picture must be."""
        return Checks(self.face, self.tries, self.min_side, self.format)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Table `[annotation]`.

    Attributes:
        rater: NAME:WHAT, a rater of `emohub rate` that answers questions.
        options: Its options, for example url.
        temperature: Of sampling.
        attempts: Times to ask for an answer that can be read; more than one only above temperature 0.
        hint_below: From the second round on, an emotion with fewer than this share of the target gets a hint.
        both_ways: Share of the hinted pictures that are annotated without the hint as well.
        price: IN:OUT, of a million tokens.
        concurrency: Questions at once, at most.
    """

    rater: str
    options: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 0.0
    attempts: int = 1
    hint_below: float = 0.5
    both_ways: float = 0.1
    price: str | None = None
    concurrency: int = 16

    def __post_init__(self) -> None:
        for name, value in (("hint_below", self.hint_below), ("both_ways", self.both_ways)):
            if not 0 <= value <= 1:
                raise EmohubError(f"[annotation] {name} is {value}; must be a share from 0 to 1.")
        if self.price:
            Price.parse(self.price)
        kind, _, what = self.rater.partition(":")
        made = load("raters", kind)
        if not issubclass(made, ChatRater):
            raise EmohubError(
                f"[annotation] rater is {self.rater!r}, which answers no questions. Give openai:NAME or hub:NAME."
            )
        with_options(made, {**self.options, "what": what or None}, f"The rater {kind!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Table `[stop]`.

    Attributes:
        rounds: The most rounds.
        budget: The most that all may cost, in the currency of the prices; None is no limit.
        hit_rate: An emotion is given up where fewer of its pictures than this show it.
        least: Pictures after which that is judged.
    """

    rounds: int = 20
    budget: float | None = None
    hit_rate: float = 0.02
    least: int = 50

    def __post_init__(self) -> None:
        _above(0, "stop", rounds=self.rounds, least=self.least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Everything that `study.toml` says.

    Attributes:
        name: How the ids begin.
        seed: Source of all chance.
        target: Pictures that each emotion needs.
        prompts: See `Prompts`.
        images: See `Images`.
        annotation: See `Annotation`.
        stop: See `Stop`.
    """

    name: str = "big"
    seed: int = 0
    target: int = 5000
    prompts: Prompts = field(default_factory=Prompts)
    images: Images
    annotation: Annotation
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        _above(0, "", target=self.target)
        try:
            safe_name(self.name)
        except MediaError as error:
            raise EmohubError(f"name is {self.name!r}, how file names begin: {error}.") from error


TABLES: dict[str, type] = {"prompts": Prompts, "images": Images, "annotation": Annotation, "stop": Stop}


def read_study(path: Path) -> Study:
    """Read `study.toml`.

    Raises:
        EmohubError: it cannot be read, or a key or value that it may not have.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmohubError(f"{path} cannot be read: {error}. docs/generation.md shows one.") from error
    made = {name: _table(path, f"[{name}] ", kind, found.pop(name, {})) for name, kind in TABLES.items()}
    study: Study = _table(path, "", Study, {**found, **made})
    return study


def _table(path: Path, where: str, kind: type, given: Any) -> Any:
    if not isinstance(given, dict):
        raise EmohubError(f"{path}: {where.strip()} is {given!r}; must be a table.")
    valid = [one.name for one in fields(kind)]
    if unknown := [name for name in given if name not in valid]:
        raise EmohubError(f"{path}: {where}takes no {', '.join(unknown)}; valid: {', '.join(valid)}.")
    try:
        return kind(**given)
    except TypeError as error:
        needed = str(error).partition("argument")[2].strip(": ") or str(error)
        raise EmohubError(f"{path}: {where}needs or cannot take {needed}; its keys: {', '.join(valid)}.") from error
    except EmohubError as error:
        raise EmohubError(f"{path}: {error}") from error


def _above(limit: int, where: str, **numbers: int) -> None:
    for name, value in numbers.items():
        if not isinstance(value, int) or value <= limit:
            raise EmohubError(f"{f'[{where}] ' if where else ''}{name} is {value!r}; must be a number above {limit}.")
