"""Raw inputs of any size for `benchmarks/scale.py`: small distinct pictures, tables, a tiny model, a server."""

import csv
import io
import json
import random
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS, Person, write_prompt
from emohub.data.taxonomy import EMOTIONS, NAMES

BINARY_MOST = 20_000  # ten parts of 2,000: its chains of raters are defined for these
HQ_MOST = 50_000  # images × 5 raters × 40 emotions: 10 million ratings
FOLDER = {"big": "source", "binary": "source", "hq": "source-hq"}
PER_TAR = 10_000
CHAIN = {0: 1, 1: 1, 2: 1, 3: 4, 4: 4, 5: 6, 6: 1, 7: 1, 8: 4, 9: 4}  # part of BINARY → its first rater
RATERS, CATEGORIES = 4, 12  # of the long tables: 10 million ratings of 203,201 items
GROUPS = {emotion.name: emotion.group for emotion in EMOTIONS}
ANSWER = """
import asyncio, json, socket, sys
import uvicorn
BODY = sys.argv[1].encode()
HEAD = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": BODY})
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(512)
print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
asyncio.run(uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")).serve([listener]))
"""


def picture(number: int) -> bytes:
    """A JPEG of 64 × 64 pixels that looks like no other one."""
    tiles = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(tiles).resize((64, 64), Image.Resampling.BICUBIC).save(out, "JPEG", quality=70)
    return out.getvalue()


@cache
def _large(number: int) -> bytes:
    small = np.random.default_rng(number).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(small).resize((1024, 1024), Image.Resampling.BICUBIC).save(out, "JPEG", quality=88)
    return out.getvalue()


def large_picture(number: int) -> bytes:
    """A JPEG of 1024 × 1024 pixels and about 250 kB, as Flux-Dev's are; a comment makes each one distinct."""
    data, note = _large(number % 20), f"{number:08d}".encode()
    return data[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + data[2:]


def once(folder: Path, make: Callable[[Path], None]) -> None:
    """Make a folder, unless it is there; an interrupted one is made again."""
    if not folder.is_dir():
        unfinished = folder.with_name(f"{folder.name}-unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(folder)


def big_and_binary(folder: Path, items: int) -> None:
    """BIG in tars, and BINARY, whose pictures are the first of BIG."""
    (folder / "big").mkdir()
    for start in range(0, items, PER_TAR):
        with tarfile.open(folder / "big" / f"{start // PER_TAR:05d}.tar", "w", format=tarfile.GNU_FORMAT) as tar:
            for number in range(start, min(items, start + PER_TAR)):
                add_to_tar(tar, f"{number:06d}.jpg", picture(number))
                add_to_tar(tar, f"{number:06d}.json", json.dumps(described(number)).encode())
    (folder / "binary").mkdir()
    with (folder / "binary.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("path", "annotator", "value", "emotion"))
        for number in range(min(items, BINARY_MOST)):
            (folder / "binary" / f"{number:05d}.jpg").write_bytes(picture(number))
            table.writerow((f"{number:05d}", f"human-{CHAIN[number // 2_000]}", "False", NAMES[number % 39]))
            table.writerow((f"{number:05d}", "human-5", "False", NAMES[number % 39 + 1]))


def add_to_tar(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def described(number: int) -> dict[str, object]:
    """Who is shown, and intensities of eight emotions; one of twenty faces is neutral."""
    rng = random.Random(number)
    shown = rng.sample(NAMES, 8)
    rated = shown if rng.random() < 0.95 else []  # the others are neutral
    who: Person = {"age": rng.choice(AGES), "ethnicity": rng.choice(ETHNICITIES), "gender": rng.choice(list(GENDERS))}
    return {"prompt": write_prompt(who, shown[0].lower()), "annotations": {name: rng.randint(1, 7) for name in rated}}


def hq(folder: Path, items: int) -> None:
    """HQ with three people and two models for every picture."""
    rng = random.Random(0)
    (folder / "hq").mkdir()
    raters = {**{f"human-{number}": True for number in (1, 2, 3)}, "Empathic Insight Face Small": False, "A ZS": False}
    with (folder / "hq.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("image", "annotator", "annotations", "human"))
        for number in range(items):
            name = f"face_{number:06d}.jpg"
            (folder / "hq" / name).write_bytes(picture(number))
            shown = rng.sample(NAMES, 8)
            for rater, human in raters.items():
                given = {f"{GROUPS[one]}|{one}": rng.randint(1, 7) for one in shown if rng.random() < 0.7}
                table.writerow((name, rater, str(given), human))


def ratings(folder: Path, items: int) -> None:
    """Long tables for the metrics: ratings of everybody, two samples of a model, ratings of people."""
    rng = np.random.default_rng(0)
    truth = rng.normal(2, 2, (1, CATEGORIES, items))
    values = np.clip(np.rint(truth + rng.normal(0, 1.5, (RATERS, CATEGORIES, items))), 0, 7)
    people = [(f"human {number}", 0) for number in range(RATERS)]
    _write_long(folder / "ratings.parquet", values, people)
    _write_long(folder / "references.parquet", values[2:], people[2:])
    _write_long(folder / "predictions.parquet", values[:2], [("a model", 0), ("a model", 1)])


def _write_long(path: Path, values: np.ndarray, raters: list[tuple[str, int]]) -> None:
    items = values.shape[-1]
    names = [f"image {number}" for number in range(items)]
    schema = pa.schema(
        [(name, pa.string()) for name in ("item", "rater", "category")]
        + [("sample", pa.int64()), ("rating", pa.float64())]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for (rater, sample), rated in zip(raters, values, strict=True):
            for category, cells in enumerate(rated):
                same = [[value] * items for value in (rater, f"category {category}", sample)]
                writer.write_table(pa.table([names, *same, cells], schema=schema))


def tiny_model(folder: Path) -> None:
    """A model repo whose tower has two layers of width 32."""
    from tests.spaces.tiny_model import write_tiny_model

    write_tiny_model(folder)


def prepare(folder: Path, items: int, shared: Path) -> None:
    """Everything that the commands of one size read and none of them makes."""
    once(folder / FOLDER["big"], lambda made: big_and_binary(made, items))
    once(folder / FOLDER["hq"], lambda made: hq(made, min(items, HQ_MOST)))
    once(folder / "ratings", lambda made: ratings(made, items))
    once(shared / "model", tiny_model)


def make_release(folder: Path) -> None:
    """A release of the dataset of BIG, ready to check and publish."""
    release = folder / "release"
    shutil.rmtree(release, ignore_errors=True)
    release.with_name(f".{release.name}.publish.json").unlink(missing_ok=True)
    (release / "datasets").mkdir(parents=True)
    shutil.copytree(folder / "repo-big", release / "datasets" / "emonet-face", copy_function=_link)
    for name in ("README.md", "croissant.json"):
        file = release / "datasets" / "emonet-face" / name
        text = file.read_text(encoding="utf-8").replace("ORG/", "bench/")
        file.unlink()  # it is a link
        file.write_text(text, encoding="utf-8")
    repo = {"kind": "dataset", "name": "emonet-face", "private": False, "gated": None, "digest": "0"}
    about = {"title": "Scale", "version": "0.1.0", "namespace": "bench", "collection": None, "repos": [repo]}
    (release / "release.json").write_text(json.dumps(about), encoding="utf-8")


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


@contextmanager
def answering(choice: Mapping[str, Any], tokens: int) -> Iterator[str]:
    """The address of a server of chat completions that answers everything with this choice, at once."""
    usage = {"prompt_tokens": 300, "completion_tokens": tokens}
    command = [sys.executable, "-c", ANSWER, json.dumps({"choices": [choice], "usage": usage})]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
