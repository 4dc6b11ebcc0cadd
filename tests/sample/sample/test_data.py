"""The raw inputs of the sample, dataset by dataset."""

import ast
import base64
import csv
import io
import itertools
import json
import re
import statistics
from datetime import datetime
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from emohub.data.emojis import NONE, emoji
from emohub.data.prompts import AGES, ETHNICITIES, GENDERS
from emohub.data.taxonomy import EMOTIONS, NAMES, canonical, is_dimension
from emohub.sample import chehre as sample_chehre

# Restated from the notes on the raw data, not taken from the code under test.
FIRST = {0: 1, 1: 1, 2: 1, 3: 4, 4: 4, 5: 6, 6: 1, 7: 1, 8: 4, 9: 4}


CHAINS = {
    0: ["1"], 1: ["146"], 2: ["146"], 3: ["461"], 4: ["461"], 5: ["612"],
    6: ["124", "146"], 7: ["124", "146"], 8: ["461", "412"], 9: ["412"],
}  # fmt: skip


@pytest.fixture(scope="module")
def binary(emonet: Path) -> dict[str, list[dict[str, str]]]:
    rows = rows_of(emonet / "binary.csv")
    return {path: list(group) for path, group in itertools.groupby(rows, lambda row: row["path"])}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def target_of(path: str, rows: list[dict[str, str]]) -> str:
    emotions = [row["emotion"] for row in rows]
    most = max(emotions, key=emotions.count)
    first = f"human-{FIRST[int(path) // 2000]}"
    return most if len(rows) > 2 else next(row["emotion"] for row in rows if row["annotator"] == first)


def test_hq_metadata_follows_the_images(emonet: Path) -> None:
    metadata = rows_of(emonet / "hq" / "metadata.csv")
    assert list(metadata[0]) == ["file_name", "prompt", "age", "ethnicity", "gender", "generator"]
    assert {row["file_name"] for row in metadata} == {path.name for path in (emonet / "hq").glob("*.jpg")}
    assert len(metadata) == 48
    for row in metadata:
        assert int(row["age"]) in AGES and row["ethnicity"] in ETHNICITIES and row["gender"] in GENDERS
        assert f"a {row['ethnicity']} {row['gender']} of {row['age']} years" in row["prompt"]
        image = Image.open(emonet / "hq" / row["file_name"])
        image.load()
        assert (image.format, image.size) == ("JPEG", (256, 256))


def test_hq_annotations(emonet: Path) -> None:
    rows = rows_of(emonet / "hq.csv")
    assert list(rows[0]) == ["image", "annotator", "annotations", "human"]
    assert {row["image"] for row in rows} == {path.name for path in (emonet / "hq").glob("*.jpg")}
    for image, group in itertools.groupby(rows, lambda row: row["image"]):
        raters = [row["annotator"] for row in group if row["human"] == "True"]
        assert len(set(raters)) == len(raters) == 4, image
    assert {row["annotator"] for row in rows if row["human"] == "True"} == {f"human-{k}" for k in range(1, 9)}
    keys = {f"{emotion.group}|{emotion.name}" for emotion in EMOTIONS} | set(NAMES)
    for row in rows:
        ratings = {k: v for k, v in ast.literal_eval(row["annotations"]).items() if not is_dimension(k)}
        assert ratings and set(ratings) <= keys, row
        high = 1 if row["annotator"].startswith("Hume") else 7
        assert all(0 <= value <= high for value in ratings.values()), row
        if row["human"] == "True":
            assert all(type(value) is int and value > 0 for value in ratings.values()) and len(ratings) < 15
        if row["annotator"].endswith("ZS"):
            assert len(ratings) == 25


def test_humans_agree_well_beyond_chance_and_far_from_perfectly(emonet: Path) -> None:
    ratings: dict[str, list[list[float]]] = {}
    for row in rows_of(emonet / "hq.csv"):
        if row["human"] == "True":
            given = {canonical(k): v for k, v in ast.literal_eval(row["annotations"]).items()}
            ratings.setdefault(row["image"], []).append([given.get(name, 0) for name in NAMES])
    by_pair = [spearman(*pair) for raters in ratings.values() for pair in itertools.combinations(raters, 2)]
    assert 0.4 < statistics.mean(by_pair) < 0.9


def spearman(a: list[float], b: list[float]) -> float:
    def ranks(values: list[float]) -> list[float]:
        return [sum(w < v for w in values) + (values.count(v) - 1) / 2 for v in values]

    return statistics.correlation(ranks(a), ranks(b))


def test_binary_csv_is_as_upstream_writes_it(emonet: Path) -> None:
    text = (emonet / "binary.csv").read_bytes()
    assert text.startswith(b"path,annotator,value,emotion\n00000,human-1,") and b"\r" not in text
    rows = rows_of(emonet / "binary.csv")
    assert rows == sorted(rows, key=lambda row: (row["path"], row["annotator"]))
    assert {row["value"] for row in rows} == {"True", "False"}
    emotions = {row["emotion"] for row in rows}
    assert "Hopelessness" in emotions and "Helplessness" not in emotions
    assert all(re.fullmatch(r"\d{5}", row["path"]) for row in rows)


def test_every_emotion_is_a_target_and_contrasts_are_mutual(binary: dict[str, list[dict[str, str]]]) -> None:
    pairs: dict[str, set[str]] = {}
    for path, rows in binary.items():
        target = target_of(path, rows)
        pairs.setdefault(target, set()).update({row["emotion"] for row in rows} - {target})
    assert {canonical(name) for name in pairs} == set(NAMES)
    assert all(len(partners) == 1 for partners in pairs.values())
    partner = {name: partners.pop() for name, partners in pairs.items()}
    assert all(partner[partner[name]] == name for name in partner)


def test_chains_stop_at_the_first_no(binary: dict[str, list[dict[str, str]]]) -> None:
    statuses = set()
    for path, rows in binary.items():
        part, target = int(path) // 2000, target_of(path, rows)
        votes = {row["annotator"][-1]: row["value"] == "True" for row in rows if row["emotion"] == target}
        assert len(rows) == len(votes) + 1, "one vote on the contrastive emotion"
        chain = next(c for c in CHAINS[part] if set(c[: len(votes)]) == set(votes))
        values = [votes[annotator] for annotator in chain[: len(votes)]]
        assert all(values[:-1])
        assert len(values) == len(chain) or not values[-1], path
        statuses.add(tuple(values))
    assert statuses == {(False,), (True,), (True, False), (True, True, False), (True, True, True)}
    assert {int(path) // 2000 for path in binary} == set(range(10))


def test_parts_hold_the_images_of_the_csv(emonet: Path, binary: dict[str, list[dict[str, str]]]) -> None:
    found = {}
    for path in emonet.glob("part-*/*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        assert list(content) == ["path", "ind", "Prompt", "Age", "Ethnicity", "Gender", "Emotion", "image"]
        assert f"{2000 * int(path.parent.name[5:]) + int(path.stem):05d}" == content["path"]
        found[content["path"]] = content
        Image.open(io.BytesIO(base64.b64decode(content["image"]["bytes"], validate=True))).load()
    assert set(found) == set(binary)
    descriptors = {", ".join(emotion.descriptors): emotion.name for emotion in EMOTIONS}
    for path, rows in binary.items():
        assert descriptors[found[path]["Emotion"]] == canonical(target_of(path, rows))


def test_big_samples(big: dict[str, dict[str, bytes]]) -> None:
    assert len(big) == 200
    keys = {f"{emotion.group}|{emotion.name}" for emotion in EMOTIONS}
    for files in big.values():
        assert set(files) == {"jpg", "json"}
        content = json.loads(files["json"])
        assert set(content) == {"prompt", "demographics", "annotations"}
        assert set(content["demographics"]) == {"age", "ethnicity", "gender"}
        assert len(content["annotations"]) == 5 and set(content["annotations"]) <= keys
        assert all(type(value) is int and 1 <= value <= 7 for value in content["annotations"].values())
        Image.open(io.BytesIO(files["jpg"])).load()


def test_big_holds_the_binary_images_byte_for_byte(emonet: Path, big: dict[str, dict[str, bytes]]) -> None:
    images = [files["jpg"] for files in big.values()]
    assert len(set(images)) == len(images)
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in emonet.glob("part-*/*.json")]
    assert {base64.b64decode(part["image"]["bytes"]) for part in parts} < set(images)
    hq = {path.read_bytes() for path in (emonet / "hq").glob("*.jpg")}
    assert not hq & set(images)


def test_chehre_files_are_quoted_as_upstream_and_in_one_order(chehre: Path) -> None:
    labels, matches = rows_of(chehre / "labels.csv"), rows_of(chehre / "emojis.csv")
    order = [row["video_name"] for row in labels]
    assert order == [row["video_name"] for row in matches]
    assert set(order) == {path.name for path in (chehre / "videos").iterdir()} and len(order) == 24
    text = (chehre / "labels.csv").read_text(encoding="utf-8")
    assert text.startswith('"video_name","emoji_code","pid_1","pid_1_jitteryFlag","pid_1_rank1"') and "\r" not in text
    assert re.search(r'"""\{""""[A-Z][a-z ]+"""":[0-3]', text)
    name = re.compile(r"(?P<variant>[ALW][FM]_Y_\d{3})--(?P<performer>[0-9a-f-]{36})_(?P<emoji>[0-9a-f]+)\.mp4")
    found = [name.fullmatch(video) for video in order]
    for match, row in zip(found, labels, strict=True):
        assert match and (match["variant"], match["emoji"]) == (row["variant"], row["emoji_code"])
    assert len({m["performer"] for m in found if m}) == 8


def test_chehre_answers(chehre: Path) -> None:
    raters_of, nones, times, flags, repeated = [], [], [], [], 0
    for row in rows_of(chehre / "labels.csv"):
        labels = emoji(row["emoji_code"]).labels
        given = [k for k in range(1, 5) if row[f"pid_{k}"]]
        raters_of.append(len(given))
        repeated += len(given) - len({row[f"pid_{k}"] for k in given})
        for k in given:
            ratings = json.loads(row[f"pid_{k}_ratings"][1:-1].replace('""', '"'))
            assert tuple(ratings) == labels and set(ratings.values()) <= {0, 1, 2, 3}
            ranks = [row[f"pid_{k}_rank{n}"] for n in (1, 2)]
            assert set(ranks) <= {*labels, NONE} and (len(set(ranks)) == 2 or ranks[0] == NONE)
            when = datetime.fromisoformat(row[f"pid_{k}_timestamp"])
            times.append(when)
            nones += [when] * (NONE in ranks)
            flags.append(row[f"pid_{k}_jitteryFlag"])
    assert set(raters_of) == {2, 3, 4} and repeated == 1
    assert set(flags) == {"true", "false"}
    assert min(times) < sample_chehre.NONE_SINCE <= max(times)
    assert nones and min(nones) >= sample_chehre.NONE_SINCE


def test_chehre_matches(chehre: Path) -> None:
    counts = set()
    for row in rows_of(chehre / "emojis.csv"):
        given = [k for k in range(1, 4) if row[f"pid_{k}"]]
        counts.add(len(given))
        assert all(row[f"pid_{k}_match_rating"] in "0123" for k in given)
    assert counts == {2, 3}


def test_videos_decode_and_move(chehre: Path) -> None:
    for path in (chehre / "videos").iterdir():
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in container.decode(video=0)]
        assert len(frames) == sample_chehre.FRAMES and frames[0].shape == (128, 128, 3)
        assert np.abs(frames[-1] - frames[0]).mean() > 2, path.name
