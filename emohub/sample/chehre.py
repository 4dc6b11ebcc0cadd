"""The Chehre half of the demo's raw inputs: short videos of drawn faces, `labels.csv` and `emojis.csv`."""

import csv
import json
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import av
from PIL import Image
from tqdm import tqdm

from emohub.data.emojis import NONE, emoji
from emohub.drawing import draw_face

FRAMES, RATE, SIZE = 12, 12, 128
BIT_RATE = 300_000
HOLD = 4
"""Frames at the end in which the expression stays."""

PERFORMERS = ("AF_Y_001", "LF_Y_002", "WM_Y_001", "AM_Y_003", "WF_Y_004", "LM_Y_005", "AF_Y_007", "WM_Y_008")
"""The synthetic face of each performer."""

_ETHNICITY = {"A": "Asian", "L": "Hispanic or Latino", "W": "White"}
_GENDER = {"F": "woman", "M": "man"}

SHOWN = {
    "1f601": ("Elation", "Happy"),
    "1f60c": ("Contentment", "Relaxed"),
    "1f60f": ("Teasing", "Smirking"),
    "1f612": ("Contempt", "Judgmental"),
    "1f614": ("Disappointment", "Sad"),
    "1f624": ("Anger", "Angry"),
    "1f62d": ("Sadness", "Crying"),
    "1f62f": ("Astonishment/Surprise", "Surprised"),
    "1f631": ("Fear", "Scared"),
    "1f633": ("Embarrassment", "Embarrassed"),
    "1f914": ("Contemplation", "Thinking"),
    "1f922": ("Disgust", "Disgusted"),
}
"""Emoji code → the drawn expression, and the label that most raters see in it."""

EMOJIS_EACH = 3
VIDEOS = len(PERFORMERS) * EMOJIS_EACH
RATERS = 14
RATERS_OF_ROW = (2, 3, 3, 3, 2, 4)
REPEATED = 11
"""The row of `labels.csv` in which a rater answers twice."""

SEEN, NOT_SEEN, JITTERY = 0.85, 0.1, 0.06
"""Chance that a rater sees the usual label; of "None"; of a jitter flag."""

NONE_SINCE = datetime(2025, 6, 23, tzinfo=UTC)
"""Before this day the answer "None" was never stored."""
_BEFORE, _AFTER = datetime(2025, 6, 3, tzinfo=UTC), datetime(2025, 7, 2, tzinfo=UTC)

LABEL_SLOTS, MATCH_SLOTS = 4, 3
LABEL_FIELDS = ("", "_jitteryFlag", "_rank1", "_rank2", "_ratings", "_timestamp")
MATCH_FIELDS = ("", "_match_rating", "_timestamp")


def write(out: Path, seed: int, progress: tqdm) -> None:
    """Write `videos/`, `labels.csv` and `emojis.csv` into `out`."""
    (out / "videos").mkdir(parents=True)
    rng = random.Random(f"chehre {seed}")
    raters = [_uuid(rng) for _ in range(RATERS)]
    codes = tuple(SHOWN)
    labels, matches = [], []
    for number in range(VIDEOS):
        performer, code = number // EMOJIS_EACH, codes[number % len(codes)]
        variant = PERFORMERS[performer]
        name = f"{variant}--{_uuid(random.Random(f'performer {seed} {performer}'))}_{code}.mp4"
        write_video(out / "videos" / name, _frames(variant, code, seed, rng.uniform(0.75, 1.0)))
        panel = rng.sample(raters, LABEL_SLOTS + MATCH_SLOTS)
        labels.append([name, code, *_labels(number, code, panel[:LABEL_SLOTS], rng), variant])
        matches.append([name, code, *_matches(number, panel[LABEL_SLOTS:], rng), variant])
        progress.update()
    _write_csv(out / "labels.csv", LABEL_FIELDS, LABEL_SLOTS, labels)
    _write_csv(out / "emojis.csv", MATCH_FIELDS, MATCH_SLOTS, matches)


def _frames(variant: str, code: str, seed: int, strength: float) -> list[Image.Image]:
    """A face that moves from neutral to an expression and stays there."""
    rising = FRAMES - HOLD
    shares = [k / rising for k in range(rising + 1)]
    who = {"ethnicity": _ETHNICITY[variant[0]], "gender": _GENDER[variant[1]]}
    face_seed = PERFORMERS.index(variant) + 1_000 * seed
    drawn = [
        draw_face(
            SHOWN[code][0], age=20, intensity=strength * share**2 * (3 - 2 * share), seed=face_seed, size=SIZE, **who
        )
        for share in shares
    ]
    return drawn + [drawn[-1]] * (HOLD - 1)


def write_video(path: Path, frames: Sequence[Image.Image]) -> None:
    """Write square frames of one size as an mp4, `RATE` a second."""
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = cast(av.VideoStream, container.add_stream(codec, rate=RATE))
        stream.width = stream.height = frames[0].width
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        stream.bit_rate = BIT_RATE
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())


def _labels(number: int, code: str, panel: Sequence[str], rng: random.Random) -> list[str]:
    """The raters' fields of one row of `labels.csv`: two to four raters, in one row a rater twice."""
    count = RATERS_OF_ROW[number % len(RATERS_OF_ROW)]
    who = [*panel[: count - 1], panel[0]] if number == REPEATED else list(panel[:count])
    fields: list[str] = []
    for rater, when in zip(who, _times(count, rng), strict=True):
        rank1, rank2, ratings = _answer(code, when, rng)
        text = json.dumps(ratings, separators=(",", ":")).replace('"', '""')
        jittery = "true" if rng.random() < JITTERY else "false"
        fields += [rater, jittery, rank1, rank2, f'"{text}"', _stamp(when)]
    return fields + [""] * ((LABEL_SLOTS - count) * len(LABEL_FIELDS))


def _answer(code: str, when: datetime, rng: random.Random) -> tuple[str, str, dict[str, int]]:
    """A rater's first and second label, and a rating 0 to 3 for each label of the emoji."""
    labels, usual = emoji(code).labels, SHOWN[code][1]
    may_be_none = when >= NONE_SINCE
    if may_be_none and rng.random() < NOT_SEEN:
        return NONE, NONE, dict.fromkeys(labels, 0)
    first = usual if rng.random() < SEEN else rng.choice(labels)
    second = rng.choice([label for label in labels if label != first])
    ratings = {label: rng.choice((0, 0, 1, 1, 2)) for label in labels}
    ratings |= {first: rng.choice((2, 3, 3, 3)), second: rng.choice((1, 2, 2))}
    return first, NONE if may_be_none and rng.random() < NOT_SEEN else second, ratings


def _matches(number: int, panel: Sequence[str], rng: random.Random) -> list[str]:
    """The raters' fields of one row of `emojis.csv`: three raters, on every third row two."""
    count = 2 if number % 3 == 1 else 3
    fields: list[str] = []
    for rater, when in zip(panel, _times(count, rng), strict=False):
        fields += [rater, str(rng.choice((0, 1, 2, 2, 3, 3))), _stamp(when)]
    return fields + [""] * ((MATCH_SLOTS - count) * len(MATCH_FIELDS))


def _times(count: int, rng: random.Random) -> list[datetime]:
    """Times of the answers to one video, in order: the first before "None" was stored, the last after."""
    starts = [_BEFORE] * (count // 2) + [_AFTER] * (count - count // 2)
    return sorted(start + timedelta(milliseconds=rng.randrange(19 * 86_400_000)) for start in starts)


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _write_csv(path: Path, fields: Sequence[str], slots: int, rows: Sequence[Sequence[str]]) -> None:
    """Every field quoted, as upstream writes it."""
    columns = [f"pid_{slot}{field}" for slot in range(1, slots + 1) for field in fields]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([["video_name", "emoji_code", *columns, "variant"], *rows])
