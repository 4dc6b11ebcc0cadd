"""One entry of a results dataset: what a rater under a protocol reaches on one revision of a dataset."""

import hashlib
import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .measures import of_study  # relative: the leaderboard Space ships both files

ENTRIES, RATINGS = "entries", "ratings"
FORMAT = "emohub-result-1"


def _plain(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("has spaces around it or characters that cannot be shown")
    return text


Text = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_plain)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Rater(_Part):
    """Who rated.

    Attributes:
        name: Name in the ratings.
        kind: human, model, vlm or baseline.
        group: Group in the paper's tables.
        protocol: How it was asked; None where it answers no questions.
    """

    name: Text
    kind: Literal["human", "model", "vlm", "baseline"]
    group: Text
    protocol: Text | None


class Dataset(_Part):
    """What was rated.

    Attributes:
        name: Hub id, or the folder's name.
        study: Name of the study.
        config: Config of the ratings that are compared with.
        revision: Commit on the Hub; of a folder, a digest of the config's files.
    """

    name: Text
    study: Text
    config: Text
    revision: Text


class Items(_Part):
    """The rater's items: ranks hold among raters with the same digest only.

    Attributes:
        rated: How many it rated.
        total: How many anybody rated.
        sha256: Digest of their ids.
    """

    rated: Count
    total: Count
    sha256: Sha256

    @property
    def share(self) -> float:
        """How much of all it rated, from 0 to 1."""
        return self.rated / self.total if self.total else 0.0


class Ratings(_Part):
    """Where the ratings are.

    Attributes:
        origin: "file" of the results dataset, "dataset" for a rater of the dataset itself, "report" for a baseline or
            a reference that a report computes.
        path: Of the file in the results dataset.
        sha256: Of the file.
    """

    origin: Literal["file", "dataset", "report"]
    path: Text | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _file_is_named(self) -> "Ratings":
        if (self.origin == "file") != (self.path is not None) or (self.path is None) != (self.sha256 is None):
            raise ValueError('path and sha256 are needed for the origin "file", and for no other')
        return self


class Protocol(_Part):
    """How the rater was asked: name, version and digest of the protocol."""

    name: Text
    version: int
    sha256: Sha256


class Failures(_Part):
    """How many questions ended in one kind of failure."""

    failure: Text
    count: Count


class Run(_Part):
    """What `emohub rate` says of a run; no addresses: they may be of somebody's own network.

    Attributes:
        type: Of the rater, such as "openai".
        model: Its model.
        revision: Of the model.
        protocol: How it was asked.
        asked: Questions.
        parsed: Questions whose answer could be read.
        failures: What became of the others.
        input_tokens: Of all attempts.
        output_tokens: Of all attempts.
        cost: In the currency of the prices that were given; None without prices.
        seconds: Of all attempts.
    """

    type: Text
    model: Text | None
    revision: Text | None
    protocol: Protocol
    asked: Count
    parsed: Count
    failures: list[Failures]
    input_tokens: Count
    output_tokens: Count
    cost: Number | None
    seconds: Number


class Settings(_Part):
    """How intervals were computed."""

    bootstrap: Annotated[int, Field(ge=2, le=100_000)]
    seed: Count
    confidence: Annotated[float, Field(ge=0.5, le=0.999)]


class Score(_Part):
    """One number.

    Attributes:
        measure: Which, one of those of the study.
        by: By what it is divided: emotion, emoji or group; empty for the whole.
        part: Of which emotion, emoji or group; empty for the whole.
        id: Of its record in `results.json`.
        value: None where it is undefined.
        interval: Lower and upper bound, or None.
        no_interval: Why there is none.
        n: How many items it rests on.
        method: How value and interval are computed; of the whole only.
        population: What the interval speaks about; of the whole only.
    """

    measure: Text
    by: str
    part: str
    id: Text
    value: Number | None
    interval: Annotated[list[Number], Field(min_length=2, max_length=2)] | None
    no_interval: str | None
    n: Count | None
    method: str | None = None
    population: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is, within an entry."""
        return self.measure, self.by, self.part


class Entry(_Part):
    """The file as a whole.

    Attributes:
        format: "emohub-result-1".
        rater: Who rated.
        dataset: What was rated.
        items: Which items.
        ratings: Where the ratings are; None where they are not given, so that nothing can be computed again.
        run: Of `emohub rate`: model, protocol, counts, cost; None for other sources.
        settings: How intervals were computed.
        versions: Packages that computed it, with their versions.
        scores: The numbers.
    """

    format: Literal["emohub-result-1"]
    rater: Rater
    dataset: Dataset
    items: Items
    ratings: Ratings | None
    run: Run | None
    settings: Settings
    versions: list[Text]
    scores: Annotated[list[Score], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "Entry":
        keys = [score.key for score in self.scores]
        if len({*keys}) < len(keys):
            raise ValueError(f"has {next(key for key in keys if keys.count(key) > 1)} twice")
        study = self.dataset.study
        known = sorted(one.id for one in of_study(study))
        if wrong := next((score.measure for score in self.scores if score.measure not in known), None):
            raise ValueError(f"has {wrong!r}, no measure of {study!r}; valid are {', '.join(known) or 'none'}")
        if self.ratings and self.ratings.path not in (None, self.ratings_path):
            raise ValueError(f"ratings.path is {self.ratings.path!r}, must be {self.ratings_path!r}")
        return self

    @property
    def stem(self) -> str:
        """Study, revision and rater, as they stand in the paths of its files."""
        revision = self.dataset.revision.removeprefix("sha256:")
        name = f"{self.rater.name} {self.rater.protocol or ''}"
        return f"{_slug(self.dataset.study)}/{_slug(revision)[:12]}/{_slug(name)[:60]}-{_digest([name])[:8]}"

    @property
    def path(self) -> str:
        """Its file in a results dataset; there is one for a rater, a protocol and a revision."""
        return f"{ENTRIES}/{self.stem}.json"

    @property
    def ratings_path(self) -> str:
        """The file of its ratings, where they are given."""
        return f"{RATINGS}/{self.stem}.parquet"


def items_digest(items: Iterable[str]) -> str:
    """Digest of a set of ids.

    >>> items_digest(["b", "a"]) == items_digest(["a", "b", "b"])
    True
    """
    return _digest(sorted({*items}))


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
