"""`labels.csv` and `emojis.csv` of the perception study: one row per video, one group of columns per rater.

Quirks of these files (counted in the card): ratings are CSV-quoted twice, "None" is an answer and not a missing value,
a rater can have answered a video twice, and before 2025-06-23 "None" was never stored as a first choice.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.data.emojis import EMOJIS, NONE, Emoji, emoji
from emohub.data.media import safe_name
from emohub.data.problems import ProblemLog
from emohub.data.source import read_csv
from emohub.errors import MediaError, SourceError, UnknownNameError
from emohub.hub.json_files import parse_json

LABEL_RATERS, EMOJI_RATERS = 4, 3
SCALE = (0, 3)
NONE_STORED_FROM = "2025-06-23"  # no first choice "None" is stored before; a sharp break, inferred
VIDEO_NAME = re.compile(r"(?P<face>[A-Z]{2}_[A-Z]_\d{3})--(?P<performer>[0-9a-f-]{36})_(?P<emoji>[0-9a-f]+)\.mp4")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)

LABEL_COLUMNS = ("jitteryFlag", "rank1", "rank2", "ratings", "timestamp")
EMOJI_COLUMNS = ("match_rating", "timestamp")


@dataclass(frozen=True, slots=True)
class Answer:
    """One rater's answer about one video's labels."""

    rater: str
    ratings: dict[str, int]  # label → 0–3
    rank1: str
    rank2: str
    jitter: bool
    timestamp: str

    @property
    def none_stored(self) -> bool:
        """Whether a first choice "None" would have been stored when this was answered."""
        return self.timestamp[:10] >= NONE_STORED_FROM


@dataclass(frozen=True, slots=True)
class Match:
    """How well one rater found that one video fits its emoji."""

    rater: str
    rating: int  # 0–3
    timestamp: str


@dataclass(slots=True)
class Clip:
    """One video: who performs what with which face, and the raters' answers."""

    item: str
    emoji: Emoji
    performer: str
    face: str
    answers: list[Answer] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    repeated: int = 0  # answers of raters who had answered before, left out


def read_clips(source: Path, log: ProblemLog) -> tuple[dict[str, Clip], Counter[str]]:
    """Every video of the two tables, and how often each quirk was met.

    Returns:
        ({item: clip}, {quirk: count}); a video with a broken answer goes to the log and is left out.
    """
    quirks: Counter[str] = Counter()
    clips = dict(_read(source / "labels.csv", LABEL_RATERS, LABEL_COLUMNS, _answers, log, quirks))
    matched = dict(_read(source / "emojis.csv", EMOJI_RATERS, EMOJI_COLUMNS, _matches, log, quirks))
    bad = {problem.item for problem in log}
    for item in sorted((set(clips) ^ set(matched)) - bad):
        log.add(
            item, f"is in {'labels.csv' if item in clips else 'emojis.csv'} only; both tables list every video", item
        )
    both = {item: clip for item, clip in clips.items() if item in matched}
    for item, clip in both.items():
        clip.matches = matched[item].matches
        clip.repeated += matched[item].repeated
    quirks.update(_of_answers([answer for clip in both.values() for answer in clip.answers]))
    quirks.update(_of_label_sets(source, log))
    return both, quirks


def _read(
    path: Path,
    raters: int,
    names: tuple[str, ...],
    fill: Callable[[Clip, list[dict[str, str]], Counter[str]], None],
    log: ProblemLog,
    quirks: Counter[str],
) -> Iterator[tuple[str, Clip]]:
    columns = [f"pid_{k}{name}" for k in range(1, raters + 1) for name in ("", *(f"_{name}" for name in names))]
    table = read_csv(path, ["video_name", "emoji_code", "variant", *columns])
    repeated = set(table.loc[table["video_name"].duplicated(), "video_name"])
    for line, row in enumerate(table.to_dict("records"), start=2):
        item = row["video_name"].removesuffix(".mp4")
        cells = [
            {"pid": row[f"pid_{k}"], **{name: row[f"pid_{k}_{name}"] for name in names}} for k in range(1, raters + 1)
        ]
        try:
            if row["video_name"] in repeated:
                raise ValueError(f"video {row['video_name']!r} has more than one row")
            clip = _clip(row)
            fill(clip, _given(cells), quirks)
        except (ValueError, MediaError, UnknownNameError) as error:
            log.add(f"{path.name} line {line}", error, item)
            continue
        yield item, clip


def _clip(row: dict[str, Any]) -> Clip:
    name = safe_name(row["video_name"])
    found = VIDEO_NAME.fullmatch(name)
    if not found:
        raise ValueError(f"video name {name!r} is not FACE--PERFORMER_EMOJI.mp4")
    for column, part in (("variant", "face"), ("emoji_code", "emoji")):
        if row[column] != found[part]:
            raise ValueError(f"{column} is {row[column]!r}, but the video name has {found[part]!r}")
    return Clip(name.removesuffix(".mp4"), emoji(found["emoji"]), found["performer"], found["face"])


def _given(cells: list[dict[str, str]]) -> list[dict[str, str]]:
    """The answers of raters that there are; an answer without a rater is broken."""
    for number, cell in enumerate(cells, start=1):
        if not cell["pid"] and any(cell.values()):
            raise ValueError(f"pid_{number} is empty, but its answers are not: {cell}")
    return [cell for cell in cells if cell["pid"]]


def _answers(clip: Clip, cells: list[dict[str, str]], quirks: Counter[str]) -> None:
    seen: set[str] = set()
    for cell in cells:
        answer = Answer(
            rater=cell["pid"],
            ratings=_ratings(cell["ratings"], clip.emoji, quirks),
            rank1=_rank(cell["rank1"], clip.emoji),
            rank2=_rank(cell["rank2"], clip.emoji),
            jitter=_flag(cell["jitteryFlag"]),
            timestamp=_time(cell["timestamp"]),
        )
        if answer.rater in seen:
            clip.repeated += 1
            quirks["label answers by a rater who had answered the video before (left out, first kept)"] += 1
            continue
        seen.add(answer.rater)
        clip.answers.append(answer)


def _matches(clip: Clip, cells: list[dict[str, str]], quirks: Counter[str]) -> None:
    seen: set[str] = set()
    for cell in cells:
        match = Match(cell["pid"], _number(cell["match_rating"], "match rating"), _time(cell["timestamp"]))
        if match.rater in seen:
            clip.repeated += 1
            quirks["emoji ratings by a rater who had rated the video before (left out, first kept)"] += 1
            continue
        seen.add(match.rater)
        clip.matches.append(match)


def _ratings(text: str, shown: Emoji, quirks: Counter[str]) -> dict[str, int]:
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        quirks["rating cells that are CSV-quoted twice"] += 1
        text = text[1:-1].replace('""', '"')
    try:
        pairs = parse_json(text, object_pairs_hook=list)
    except ValueError as error:
        raise ValueError(f"ratings are not JSON: {error}: {text[:60]!r}") from error
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise ValueError(f"ratings are not an object of label → rating: {text[:60]!r}")
    ratings = {label: _number(value, f"rating of {label!r}") for label, value in pairs}
    if len(ratings) < len(pairs):
        raise ValueError(f"ratings name a label twice: {text[:120]!r}")
    if outside := [label for label in ratings if label not in shown.labels]:
        raise ValueError(f"ratings for {outside}, which are not labels of {shown.code}; its labels are {shown.labels}")
    if missing := [label for label in shown.labels if label not in ratings]:
        raise ValueError(f"no rating for {missing}, labels of {shown.code}")
    return ratings


def _number(value: Any, what: str) -> int:
    low, high = SCALE
    if str(value) not in map(str, range(low, high + 1)):
        raise ValueError(f"{what} is {value!r:.60}, not a whole number from {low} to {high}")
    return int(value)


def _rank(value: str, shown: Emoji) -> str:
    if value not in (*shown.labels, NONE):
        raise ValueError(f"rank {value!r} is not a label of {shown.code}; its labels are {shown.labels} and {NONE!r}")
    return value


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError(f"jitteryFlag is {value!r}, not true or false")
    return value == "true"


def _time(value: str) -> str:
    if not TIMESTAMP.fullmatch(value):
        raise ValueError(f"timestamp is {value!r}, not a time such as '2025-06-03T06:16:39.161Z'")
    return value


def _of_answers(answers: list[Answer]) -> dict[str, int]:
    def below(answer: Answer) -> bool:
        return answer.rank1 != NONE and answer.ratings[answer.rank1] < max(answer.ratings.values())

    return {
        'first choices "None" (an answer, not a missing value)': sum(a.rank1 == NONE for a in answers),
        'second choices "None"': sum(a.rank2 == NONE for a in answers),
        f'answers before {NONE_STORED_FROM}, when no first choice "None" was stored': sum(
            not a.none_stored for a in answers
        ),
        "first choices that are not among the rater's highest-rated labels": sum(map(below, answers)),
        "answers that call the video jittery": sum(a.jitter for a in answers),
    }


def _of_label_sets(source: Path, log: ProblemLog) -> dict[str, int]:
    """Compare the study's own label sets with the kit's, where the source has them; count emojis that are dropped."""
    known = {shown.code: set(shown.labels) for shown in EMOJIS}
    dropped = {}
    if (path := source / "emoji_labels.json").is_file():
        sets = _json(path, dict)
        for code, labels in known.items():
            if not isinstance(found := sets.get(code), list) or set(map(str, found)) != labels:
                log.add(path.name, f"labels of {code} are {found}; the kit knows {sorted(labels)}")
        dropped["emoji codes with labels and no videos, dropped"] = len(set(sets) - set(known))
    if (path := source / "emoji_list.json").is_file():
        codes = {Path(str(name)).stem.rpartition("_")[2] for name in _json(path, list)}
        dropped["emojis of the list without labels, dropped"] = len(codes - set(known))
    return dropped


def _json(path: Path, kind: type) -> Any:
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SourceError(f"{path} is not JSON: {error}. Download it again.") from error
    if not isinstance(content, kind):
        raise SourceError(f"{path} holds a {type(content).__name__}, not a {kind.__name__}. Download it again.")
    return content


def long_labels(clips: dict[str, Clip]) -> pd.DataFrame:
    """The ratings table of labels: category = label, rating 0–3."""
    return pd.DataFrame(
        [
            (clip.item, answer.rater, "human", label, rating)
            for clip in clips.values()
            for answer in clip.answers
            for label, rating in answer.ratings.items()
        ],
        columns=["item", "rater", "kind", "category", "rating"],
    )


def long_matches(clips: dict[str, Clip]) -> pd.DataFrame:
    """The ratings table of emoji matches: category = the emoji's CLDR name, rating 0–3."""
    return pd.DataFrame(
        [
            (clip.item, match.rater, "human", clip.emoji.name, match.rating)
            for clip in clips.values()
            for match in clip.matches
        ],
        columns=["item", "rater", "kind", "category", "rating"],
    )


def rankings(clip: Clip) -> list[dict[str, Any]]:
    """Every rater's first and second choice of one video; "None" is an answer, null would be a missing one."""
    return [
        {
            "item": clip.item,
            "emoji_code": clip.emoji.code,
            "rater": answer.rater,
            "labels": list(clip.emoji.labels),
            "rank1": answer.rank1,
            "rank2": answer.rank2,
            "none_stored": answer.none_stored,
            "jitter": answer.jitter,
            "timestamp": answer.timestamp,
        }
        for answer in clip.answers
    ]
