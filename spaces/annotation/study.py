"""A study as its files say: `study.toml` with the rules, and one line per item in a JSONL file beside it."""

import json
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from controls import Invalid, Question
from studies import find

MEDIA = {
    **{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"},
    **{".mp4": "video/mp4", ".webm": "video/webm"},
}
ROLES = ("item", "training", "check")
Text = Annotated[str, Field(max_length=20_000)]


class StudyError(Exception):
    """A study that cannot run; the message says what to change."""


class Label(BaseModel):
    """A label that annotators see: its name, the heading that it stands under, words that describe it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    group: str = ""
    words: str = ""


class Rules(BaseModel):
    """What `study.toml` holds.

    Attributes:
        name: Short name of the study.
        title: What annotators read at the top.
        kind: A file of `studies/`.
        items: The items, one JSON object a line; relative to `study.toml`.
        annotators: How many annotators answer each question.
        batch: Items that an annotator gets at a time; a completion code follows.
        batches: How many batches an annotator may do; 0: as many as there are.
        repeats: Share of an annotator's items that are shown again, for agreement with oneself.
        repeat_gap: Items between an answer and its repetition, at least.
        check_every: Items between two attention checks; 0: none.
        hold_minutes: After how long without an answer an item is given to somebody else.
        seed: Of the order of items, and of sides.
        open: Whether anyone who opens the page may take part; otherwise only who has a link, or is named here.
        annotator_names: Users of the Hub who may take part in a study that is not open.
        owners: Users of the Hub who see the owner's page.
        most: Annotators at most.
        instructions: Shown before the first item and at hand later; a text of the kind of study by default.
        consent: What annotators agree to.
        labels: What is rated, where that is the same for every item.
        demographics: Question → answers to choose from; always optional to answer.
        completion_code: Shown once the last answer is saved; by default one of each annotator's own.
        completion_url: Where annotators go with the code, for example of Prolific; `{code}` in it is replaced.
        answers_dataset: Dataset on the Hub that gets a copy of every answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    kind: str
    items: str
    annotators: Annotated[int, Field(ge=1, le=1000)] = 4
    batch: Annotated[int, Field(ge=1)] = 250
    batches: Annotated[int, Field(ge=0)] = 0
    repeats: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    repeat_gap: Annotated[int, Field(ge=1)] = 20
    check_every: Annotated[int, Field(ge=0)] = 0
    hold_minutes: Annotated[float, Field(gt=0)] = 30.0
    seed: int = 0
    open: bool = True
    annotator_names: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    most: Annotated[int, Field(ge=1)] = 10_000
    instructions: Text = ""
    consent: Text = ""
    labels: tuple[Label, ...] = ()
    demographics: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    completion_code: str = ""
    completion_url: Annotated[str, Field(pattern=r"^(https://.*)?$")] = ""
    answers_dataset: Annotated[str, Field(pattern=r"^([\w.-]+/[\w.-]+)?$")] = ""

    @model_validator(mode="after")
    def _kind_exists(self) -> "Rules":
        find(self.kind)
        return self


@dataclass(frozen=True, slots=True)
class Item:
    """One item.

    Attributes:
        id: Its id in the dataset.
        media: File with the picture or video, relative to the file of the items.
        role: "item"; or "training" or "check", whose answers are compared with `expected` and are no ratings.
        fields: What the kind of study asks about: a target emotion, labels, …
        expected: Control → the expected answer, of training and checks.
    """

    id: str
    media: str
    role: Literal["item", "training", "check"]
    fields: Mapping[str, Any]
    expected: Mapping[str, Any]


@dataclass(frozen=True)
class Study:
    """A study that can run.

    Attributes:
        rules: What `study.toml` says.
        items: Every item by its id, training and checks among them.
        folder: Where the media are.
    """

    rules: Rules
    items: Mapping[str, Item]
    folder: Path

    @cached_property
    def kind(self) -> ModuleType:
        """The file of `studies/`."""
        return find(self.rules.kind)

    @cached_property
    def order(self) -> tuple[Item, ...]:
        """The items that are rated, in the order of the study's seed."""
        found = [*self.of_role["item"]]
        random.Random(f"{self.rules.seed} order").shuffle(found)
        return tuple(found)

    @cached_property
    def batches(self) -> tuple[tuple[Item, ...], ...]:
        """The same in batches."""
        size = self.rules.batch
        return tuple(self.order[start : start + size] for start in range(0, len(self.order), size))

    @cached_property
    def batch_of(self) -> Mapping[str, int]:
        """Item → number of its batch."""
        return {item.id: number for number, batch in enumerate(self.batches) for item in batch}

    @cached_property
    def of_role(self) -> Mapping[str, tuple[Item, ...]]:
        """Role → its items, in the order of the file."""
        return {role: tuple(item for item in self.items.values() if item.role == role) for role in ROLES}

    def media_of(self, item: Item) -> tuple[Path, str]:
        """The file of an item, and its MIME type."""
        return self.folder / item.media, MEDIA[Path(item.media).suffix.lower()]

    def question(self, item: Item, step: int, annotator: str, sample: int = 1) -> Question:
        """What an annotator is asked; chance in it, such as of sides, is the same whenever it is asked again."""
        rng = self.draw("question", item.id, step, annotator, sample)
        found: Question = self.kind.render(item, step, self.rules, rng)
        return found

    def draw(self, *about: object) -> random.Random:
        """Seeded chance that is the same on every server: `about` names what is drawn."""
        return random.Random("|".join(map(str, (self.rules.seed, *about))))


def read_study(path: Path) -> Study:
    """Read a study.

    Args:
        path: `study.toml`.

    Raises:
        StudyError: something is missing, unknown or contradictory; every problem of the rules is listed.
    """
    try:
        rules = Rules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}. `emohub study new` writes one.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not valid TOML: {error}.") from error
    except ValidationError as error:
        lines = [f"  - {'.'.join(map(str, one['loc'])) or 'study'}: {one['msg']}" for one in error.errors()]
        valid = ", ".join(Rules.model_fields)
        raise StudyError("\n".join([f"{path} is not a study:", *lines, f"Valid keys: {valid}."])) from error
    file = path.parent / _inside(rules.items, f"{path}: items")
    items = _read_items(file)
    study = Study(rules, items, file.parent)
    if not study.order:
        raise StudyError(f"{file} has no item to rate.")
    for item in items.values():
        _check_item(study, item, file)
    checks = len(study.of_role["check"])
    if bool(checks) != bool(rules.check_every):
        raise StudyError(
            f"{path} has check_every = {rules.check_every}, and {file.name} {checks} items with the role check: "
            "nobody would be checked. Set check_every to the items between two checks, or to 0 where there are none."
        )
    return study


def _read_items(file: Path) -> dict[str, Item]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{file}, the items, cannot be read: {error}.") from error
    items: dict[str, Item] = {}
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            one = Item(str(row.pop("item")), row.pop("media"), row.pop("role", "item"), row, row.pop("expected", {}))
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise StudyError(f"{file}, line {number}: not an object with 'item' and 'media': {error!r}.") from error
        if not isinstance(one.expected, dict):
            raise StudyError(f'{file}, line {number}: expected must be an object such as {{"Awe": 4}}.')
        if not one.id or one.id in items or one.role not in ROLES:
            raise StudyError(
                f"{file}, line {number}: item {one.id!r} with role {one.role!r}; ids must differ, roles are {ROLES}."
            )
        items[one.id] = one
    return items


def _check_item(study: Study, item: Item, file: Path) -> None:
    """Refuse an item that would fail when somebody sees it."""
    media = study.folder / _inside(item.media, f"{file}: media of {item.id!r}")
    if media.suffix.lower() not in MEDIA or not media.is_file():
        raise StudyError(f"{file}: media of {item.id!r} is {item.media!r}; must be a file of {', '.join(MEDIA)}.")
    try:
        questions = [study.question(item, step, "") for step in study.kind.STEPS]
    except (KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"{file}: {item.id!r} lacks what a study of {study.rules.kind} asks about: {error}."
        ) from error
    _check_expected(item, questions[0], file)


def _check_expected(item: Item, question: Question, file: Path) -> None:
    """Refuse a check that nobody could pass. The first step is what training and checks ask."""
    if bool(item.expected) != (item.role != "item"):
        raise StudyError(
            f"{file}: {item.id!r} has the role {item.role} and {len(item.expected)} expected answers; training and "
            'checks need some, such as "expected": {"Awe": 4}, and other items none.'
        )
    controls = {control.name: control for control in question.controls}
    if unknown := [name for name in item.expected if name not in controls]:
        raise StudyError(f"{file}: {item.id!r} expects {unknown[0]!r}; it is asked for {', '.join(controls)}.")
    try:
        for name, value in item.expected.items():
            controls[name].check(value)
    except Invalid as error:
        raise StudyError(f"{file}: what is expected of {item.id!r} is no answer: {error}.") from error


def _inside(name: Any, what: str) -> PurePosixPath:
    """A relative path that stays where it is."""
    path = PurePosixPath(str(name))
    if not isinstance(name, str) or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise StudyError(f"{what} is {name!r}; must be a path below the folder of that file, with forward slashes.")
    return path
