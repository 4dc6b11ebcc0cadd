"""Tiny raw inputs in the upstream layouts, for tests that build from them or break them first."""

import base64
import csv
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from emohub.dataset import card as cards
from emohub.dataset.build import Options, build_dataset

# ---- Media


def _picture(seed: int, size: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8))


@cache
def jpeg(seed: int = 0, size: int = 16) -> bytes:
    out = io.BytesIO()
    _picture(seed, size).save(out, "JPEG")
    return out.getvalue()


@cache
def png(seed: int = 0, size: int = 16) -> bytes:
    out = io.BytesIO()
    _picture(seed, size).save(out, "PNG")
    return out.getvalue()


@cache
def mp4(seed: int = 0, size: int = 32, frames: int = 3) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_image(_picture(seed + number, size))))
        container.mux(stream.encode())
    return out.getvalue()


def bomb() -> bytes:
    """A whole PNG of a few kilobytes that unpacks to 400 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(2_501) * 20_000, 9)
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def undecodable_png() -> bytes:
    """Every chunk is there, but the pixels are not zlib."""
    data = bytearray(png())
    at = data.index(b"IDAT") + 4
    data[at : at + 20] = bytes(20)
    return bytes(data)


def undecodable_mp4() -> bytes:
    """Every box is there, but the later frames are noise."""
    data = bytearray(mp4(frames=6))
    start = data.index(b"mdat") + 4
    size = int.from_bytes(data[start - 8 : start - 4], "big") - 8
    half = start + size // 2
    data[half : start + size] = np.random.default_rng(1).bytes(start + size - half)
    return bytes(data)


# ---- Tables


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def read_csv(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def set_cell(path: Path, row: int, column: str, value: str) -> None:
    """Overwrite one cell; `row` counts from 0 below the header."""
    table = read_csv(path)
    assert column in table[row]
    table[row][column] = value
    write_csv(path, list(table[0]), [list(cells.values()) for cells in table])


def append_row(path: Path, cells: Sequence[str]) -> None:
    table = read_csv(path)
    write_csv(path, list(table[0]), [*(list(row.values()) for row in table), cells])


# ---- EmoNet-Face: hq.csv + hq/, binary.csv + part-0P/, big/*.tar

HQ_ITEMS = ("flux_0001", "flux_0002", "mid_0003")
HUMANS = ("human-1", "human-2", "human-3", "human-4")
BINARY_VOTES = {  # item → votes (annotator, value, emotion); part 1 asks human-1, human-4, human-6 in turn
    "00000": (("human-1", "False", "Awe"), ("human-3", "False", "Contempt")),
    "02000": (("human-1", "True", "Awe"), ("human-3", "False", "Contempt"), ("human-4", "False", "Awe")),
    "02001": (
        ("human-1", "True", "Relief"),
        ("human-3", "True", "Pain"),
        ("human-4", "True", "Relief"),
        ("human-6", "True", "Relief"),
    ),
}
PROMPT = "a focused close-up photo of a Asian woman of 30 years with soft smooth skin who seems to experience awe"


def write_emonet(source: Path, *, hq: bool = True, binary: bool = True, big: bool = True) -> Path:
    if hq:
        write_hq(source)
    if binary:
        write_binary(source)
    if big:
        write_big(source)
    return source


def write_hq(source: Path) -> None:
    rows = []
    for number, item in enumerate(HQ_ITEMS):
        name = f"{item}.jpg"
        (source / "hq").mkdir(parents=True, exist_ok=True)
        (source / "hq" / name).write_bytes(jpeg(number))
        for rater, human in enumerate(HUMANS):
            rows.append((name, human, str({"Awe Group|Awe": rater, "Amusement": 7 - number}), "True"))
        rows.append((name, "Empathic Insight Face Small", str({"Awe": 1.25, "Pride": -0.5}), "False"))
    write_csv(source / "hq.csv", ("image", "annotator", "annotations", "human"), rows)


def part_file(source: Path, item: str) -> Path:
    part, index = divmod(int(item), 2_000)
    return source / f"part-{part:02d}" / f"{index:04d}.json"


def write_part(source: Path, item: str, image: bytes) -> None:
    path = part_file(source, item)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "path": item,
        "ind": int(item) % 2_000,
        "Prompt": PROMPT,
        "Age": 30,
        "Ethnicity": "Asian",
        "Gender": "woman",
        "Emotion": "awe, wonder",
        "image": {"path": f"{item}.jpg", "bytes": base64.b64encode(image).decode()},
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def write_binary(source: Path) -> None:
    for number, item in enumerate(BINARY_VOTES):
        write_part(source, item, jpeg(10 + number))
    rows = [(item, *vote) for item, votes in BINARY_VOTES.items() for vote in votes]
    write_csv(source / "binary.csv", ("path", "annotator", "value", "emotion"), rows)


BIG_KEYS = ("big_0", "big_1", "big_2")


def big_members() -> dict[str, bytes]:
    members = {}
    for number, key in enumerate(BIG_KEYS):
        text = {"prompt": PROMPT, "annotations": {"Awe": 5, "Relief": number}}
        members |= {f"{key}.jpg": jpeg(20 + number), f"{key}.json": json.dumps(text).encode()}
    return members


def write_tar(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def write_big(source: Path, changed: Mapping[str, bytes] = {}) -> None:
    write_tar(source / "big" / "00000.tar", list((big_members() | dict(changed)).items()))


# ---- Chehre: labels.csv, emojis.csv, videos/

LABELS = {  # as in the study's emoji_labels.json
    "1f612": ("Annoyed", "Disgust", "Judgmental", "Side eye", "Unimpressed"),
    "1f608": ("Devious", "Evil", "Mischievous"),
}
LABEL_HEADER = (
    "video_name",
    "emoji_code",
    *(
        f"pid_{k}{name}"
        for k in range(1, 5)
        for name in ("", "_jitteryFlag", "_rank1", "_rank2", "_ratings", "_timestamp")
    ),
    "variant",
)
EMOJI_HEADER = (
    "video_name",
    "emoji_code",
    *(f"pid_{k}{name}" for k in range(1, 4) for name in ("", "_match_rating", "_timestamp")),
    "variant",
)
PERFORMERS = tuple(f"{n:08x}-0000-4000-8000-000000000000" for n in range(4))
EARLY, LATE = "2025-06-03T06:16:39.161Z", "2025-07-01T06:16:39.161Z"

Answer = tuple[str, dict[str, int], str, str, str, str]  # rater, ratings, rank1, rank2, jitteryFlag, timestamp
Match = tuple[str, str, str]  # rater, match rating, timestamp


def video(face: str, performer: int, code: str) -> str:
    return f"{face}--{PERFORMERS[performer]}_{code}"


VIDEOS = (video("AF_Y_001", 0, "1f612"), video("WM_Y_002", 1, "1f608"), video("LF_Y_003", 2, "1f612"))


def twice_quoted(ratings: dict[str, int]) -> str:
    return '"' + json.dumps(ratings, separators=(",", ":")).replace('"', '""') + '"'


def rated(code: str, *values: int) -> dict[str, int]:
    return dict(zip(LABELS[code], values, strict=True))


def label_row(item: str, answers: Sequence[Answer]) -> list[str]:
    cells = []
    for rater, ratings, rank1, rank2, jitter, timestamp in answers:
        cells += [rater, jitter, rank1, rank2, twice_quoted(ratings), timestamp]
    cells += [""] * (24 - len(cells))
    return [f"{item}.mp4", item.rpartition("_")[2], *cells, item.partition("--")[0]]


def match_row(item: str, matches: Sequence[Match]) -> list[str]:
    cells = [cell for match in matches for cell in match]
    cells += [""] * (9 - len(cells))
    return [f"{item}.mp4", item.rpartition("_")[2], *cells, item.partition("--")[0]]


def some_answers(item: str) -> list[Answer]:
    code = item.rpartition("_")[2]
    first, second, *_ = LABELS[code]
    values = [3, 1, 0, 0, 0][: len(LABELS[code])]
    return [
        (f"rater-{n}", rated(code, *values[n:], *values[:n]), first, second, "false", (EARLY, LATE)[n > 0])
        for n in range(3)
    ]


def write_chehre(
    source: Path,
    answers: Mapping[str, Sequence[Answer]] | None = None,
    matches: Mapping[str, Sequence[Match]] | None = None,
    *,
    videos: bool = True,
) -> Path:
    answers = {item: some_answers(item) for item in VIDEOS} if answers is None else answers
    matches = matches or {item: [("rater-8", "2", LATE), ("rater-9", "3", LATE)] for item in answers}
    write_csv(source / "labels.csv", LABEL_HEADER, [label_row(*pair) for pair in answers.items()])
    write_csv(source / "emojis.csv", EMOJI_HEADER, [match_row(*pair) for pair in matches.items()])
    for number, item in enumerate(answers if videos else ()):
        (source / "videos").mkdir(exist_ok=True)
        (source / "videos" / f"{item}.mp4").write_bytes(mp4(number))
    return source


# ---- Building


def build(name: str, source: Path, out: Path, *configs: str, **options: Any) -> dict[str, Any]:
    """Build what is there, with its card; tiny inputs are never the published data."""
    return _build(name, source, out, configs, options, cards.write_dataset_card)


def build_data(name: str, source: Path, out: Path, *configs: str, **options: Any) -> dict[str, Any]:
    """The same without a card."""
    return _build(name, source, out, configs, options, None)


def _build(
    name: str, source: Path, out: Path, configs: Sequence[str], options: Any, write_card: Any
) -> dict[str, Any]:
    given = Options(**{"allow_partial": True} | options)
    return build_dataset(name, str(source), out, configs=configs, options=given, write_card=write_card)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def problems(repo: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (repo / "problems.jsonl").read_text(encoding="utf-8").split("\n") if line]
