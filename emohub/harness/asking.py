"""What a harness asks of a dataset, and what its answers are worth; nothing here knows a harness."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from huggingface_hub.constants import HF_HOME

from emohub.data.ratings import ratings_table
from emohub.data.runs import digest, replacing_file, write_file
from emohub.errors import MediaError
from emohub.rate.found import load, with_options
from emohub.rate.media import MediaSettings, encoded
from emohub.rate.protocol import BaseProtocol
from emohub.rate.questions import Ask, Attempt, Unreadable
from emohub.rate.target import Item, Target, open_target
from emohub.report.item import Settings
from emohub.results.measures import ALL, places
from emohub.results.recompute import computed

SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "video/mp4": ".mp4"}
RATER = "the model"


@dataclass(frozen=True)
class Task:
    """A dataset under a protocol.

    Attributes:
        target: What is asked about.
        protocol: How it is asked.
        study: Name of the study that has the numbers.
        media: How pictures and videos are sent.
    """

    target: Target
    protocol: BaseProtocol
    study: str
    media: MediaSettings

    def asks(self, wanted: Mapping[str, Iterable[str]] | None = None) -> Iterator[tuple[Item, Ask]]:
        """Every question.

        Args:
            wanted: Item → the categories that count there; by default all questions of all items.
        """
        for item in self.target.items:
            if wanted is not None and item.id not in wanted:
                continue
            for ask in self.protocol.asks(item):
                if wanted is None or not ask.part or ask.part in wanted[item.id]:
                    yield item, ask

    def files(self) -> dict[str, list[Path]]:
        """Item → its media as they are sent, in files of a cache; an item whose media do not decode has none."""
        key = digest([self.target.rows.fingerprint, self.media.max_side, self.media.frames, self.media.video_url])
        folder = Path(HF_HOME) / "emohub" / "harness" / key[:16]
        folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, list[Path]] = {}
        for item, data in self.target.media({one.id for one in self.target.items}):
            try:
                parts = encoded(data, video=self.target.is_video, settings=self.media)
            except MediaError:
                found[item.id] = []
                continue
            paths = [folder / f"{digest(item.id)[:24]}-{at}{SUFFIXES[part.mime]}" for at, part in enumerate(parts)]
            for path, part in zip(paths, parts, strict=True):
                if not path.is_file():
                    write_file(path, part.data)
            found[item.id] = paths
        return found

    def read(self, item: Item, part: str, attempt: Attempt) -> tuple[dict[str, float], str]:
        """(the ratings that an answer gives, why it gives none)."""
        if attempt.failure:
            return {}, attempt.failure
        try:
            return self.protocol.read(item, part, attempt), ""
        except Unreadable as error:
            return {}, error.failure


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a question.

    Attributes:
        item: Id of the item.
        sample: Number of the sample, where the same was asked several times.
        ratings: Category → rating; empty where there is none.
        failure: Why there is none.
    """

    item: str
    sample: int | None
    ratings: Mapping[str, float]
    failure: str


def task_of(
    dataset: str,
    config: str,
    study: str,
    protocol: str,
    options: Mapping[str, Any],
    *,
    revision: str | None = None,
    limit: int | None = None,
    max_side: int = 512,
    frames: int = 8,
) -> Task:
    """A dataset under a protocol.

    Args:
        dataset: Folder of a dataset repo, or a Hub dataset id.
        config: Its config with images or videos.
        study: Name of the study that has the numbers.
        protocol: Name of a protocol of `emohub rate`.
        options: Options of the protocol.
        revision: Commit, branch or tag of the dataset on the Hub.
        limit: The first so many items.
        max_side: Longest side of a picture in pixels.
        frames: Pictures that stand for a video.

    Raises:
        SourceError: no such dataset or config.
        EmohubError: no such protocol, or one that does not fit the dataset.
    """
    made: BaseProtocol = with_options(load("protocols", protocol), options, f"The protocol {protocol!r}")
    target = open_target(dataset, config, revision=revision, limit=limit, ratings=made.ratings or None)
    made.check(target)
    return Task(target, made, study, MediaSettings(max_side, frames))


def numbers(
    dataset: str, study: str, answers: Iterable[Answer], work: Path, revision: str | None = None
) -> dict[str, float]:
    """The leaderboard's numbers of a rater, as `emohub report` gives them, and how many answers could be read.

    Args:
        dataset: Folder of a dataset repo, or a Hub dataset id.
        study: Name of the study.
        answers: Every question that was asked; failures count in `answered`.
        work: Folder for a table.
        revision: Commit of the dataset on the Hub that was asked about.

    Returns:
        Measure → value; nan where it is undefined.
    """
    every = list(answers)
    found = {"answered": sum(not one.failure for one in every) / len(every) if every else float("nan")}
    rows = [
        (one.item, RATER, "vlm", category, rating, one.sample)
        for one in every
        for category, rating in one.ratings.items()
    ]
    if not rows:
        return found
    frame = pd.DataFrame(rows, columns=["item", "rater", "kind", "category", "rating", "sample"])
    path = work / "ratings.parquet"
    with replacing_file(path) as part:
        ratings_table(frame).to_parquet(part)
    records = computed(
        dataset, [path], Settings(bootstrap=2), study, whole=True, revision=revision, quiet=True
    ).records()
    of = {one["id"]: one for one in records if one["rater"] == RATER}
    for measure, by, _, id in places(study, RATER, of):
        if by == ALL and of[id]["value"] is not None:
            found[measure] = of[id]["value"]
    return found
