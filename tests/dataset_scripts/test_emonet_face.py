"""EmoNet-Face from every layout it comes in: the same images, ratings and demographics whatever holds them."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emohub.data.builder import Plan
from emohub.data.problems import Problem, ProblemLog
from emohub.data.splits import split_of
from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.dataset.registry import find
from emohub.errors import SourceError
from tests.raw_inputs import build, jpeg, png, write_csv, write_part, write_tar

EmoNetFace = find("emonet-face").builder
GROUP = {emotion.name: emotion.group for emotion in EMOTIONS}
CSV_NAMES = ["Hopelessness" if name == "Helplessness" else name for name in NAMES]
PROMPT = (
    "a focused close-up photo of a {ethnicity} {gender} of {age} years with soft smooth skin who seems to genuinely "
    "experience joy, mirth. Strong facial expression of joy, mirth. No wrinkles"
)
WHO = (
    {"age": 20, "ethnicity": "white caucasian north american", "gender": "woman"},
    {"age": 80, "ethnicity": "Native Hawaiian or Other Pacific Islander", "gender": "non-binary person"},
    {"age": 50, "ethnicity": "arabic", "gender": "man"},
)
NOBODY = {"prompt": None, "age": None, "ethnicity": None, "gender": None}


def described(number: int) -> dict[str, Any]:
    who = WHO[number % len(WHO)]
    return {"prompt": PROMPT.format(**who), **who}


# ---- What is true, before any layout

HUMANS = ("human-1", "human-2", "human-3", "human-4")
HQ = {f"{'flux' if n % 2 else 'mj'} {n}.0": png(n, 12) for n in range(7)}  # names with a blank and a dot
TIED, UNTOUCHED = "mj 2.0", "flux 3.0"


def _rated(item: str, rater: str) -> dict[str, float]:
    """What a rater gave an image: seeded, few emotions, whole numbers for humans."""
    if item == UNTOUCHED and rater.startswith("human"):
        return {}
    if item == TIED and rater.startswith("human"):
        return {"Fear": 5, "Awe": 5}
    random = np.random.default_rng([ord(letter) for letter in item + rater])
    names = [str(name) for name in random.choice(NAMES, 6, replace=False)]
    if rater.startswith("human"):
        return {name: int(random.integers(1, 8)) for name in names}
    top = 1.0 if rater.startswith("Hume") else 9.0
    return {name: round(float(random.uniform(-0.25 * (top > 1), top)), 3) for name in names}


RATERS = (*HUMANS, "Hume Face", "Empathic Insight Face Large", "Random Baseline", "Gemini 2.5 Pro MS")
KINDS = dict(zip(RATERS, (*["human"] * 4, "model", "model", "baseline", "vlm"), strict=True))
RATED = {(item, rater): _rated(item, rater) for item in HQ for rater in RATERS}

BINARY_VOTES = {  # item → (annotator, answer, emotion); the target is the emotion of the first
    "00000": ("human-1 True Awe", "human-3 False Contempt"),
    "01999": ("human-1 False Hopelessness", "human-5 True Triumph"),
    "02000": ("human-1 True Relief", "human-4 False Relief", "human-3 False Pain"),
    "10001": ("human-6 True Pain", "human-1 True Pain", "human-2 True Pain", "human-6 False Relief"),
    "13000": ("human-1 True Contempt", "human-2 True Contempt", "human-4 False Contempt", "human-1 True Awe"),
    "19998": ("human-4 False Sadness", "human-8 False Elation"),
}
STATUSES = ("single_yes", "rejected_b1", "split_1_1", "consensus_3_0", "split_2_1", "rejected_b1")
STATUS = dict(zip(BINARY_VOTES, STATUSES, strict=True))
BINARY = {item: jpeg(100 + n) for n, item in enumerate(BINARY_VOTES)}
NEW = {f"new_{n}": jpeg(200 + n) for n in range(5)}
BIG = {f"face_{n}": data for n, data in enumerate([*NEW.values(), *BINARY.values()])}  # BINARY under other names
BIG_RATED = {name: {NAMES[(3 * n + k) % 40]: 1 + (n + k) % 7 for k in range(5)} for n, name in enumerate(BIG)}


def keyed(ratings: Mapping[str, float]) -> dict[str, float]:
    return {f"{GROUP[name]}|{name}": value for name, value in ratings.items()} | {"Extra Dimensions|Arousal": 3}


# ---- Layouts

Write = Callable[[Path], None]


def hq_table(path: Path) -> None:
    """Keys as `Group|Emotion` for humans, bare for models, as upstream mixes them."""
    rows = [
        (f"{item}.png", rater, str(keyed(ratings) if rater in HUMANS else ratings), rater in HUMANS)
        for (item, rater), ratings in reversed(RATED.items())
    ]
    write_csv(path, ("image", "annotator", "annotations", "human"), rows)


def hq_metadata() -> list[dict[str, Any]]:
    return [{"file_name": f"{item}.png", **described(n), "generator": item.split()[0]} for n, item in enumerate(HQ)]


def hq_folder(folder: Path) -> None:
    (folder / "hq").mkdir(parents=True)
    hq_table(folder / "hq.csv")
    rows = hq_metadata()
    write_csv(folder / "hq" / "metadata.csv", list(rows[0]), [list(row.values()) for row in rows])
    for item, data in HQ.items():
        (folder / "hq" / f"{item}.png").write_bytes(data)


def hq_all_in_its_folder(folder: Path) -> None:
    (folder / "hq" / "images" / "a").mkdir(parents=True)
    hq_table(folder / "hq" / "hq.csv")
    (folder / "hq" / "images" / "metadata.jsonl").write_text("\n".join(json.dumps(row) for row in hq_metadata()))
    for item, data in HQ.items():
        (folder / "hq" / "images" / ("a" if "flux" in item else ".") / f"{item}.png").write_bytes(data)


def hq_flat(folder: Path) -> None:
    hq_folder(folder)
    for path in (folder / "hq").iterdir():
        path.rename(folder / path.name)
    (folder / "hq").rmdir()


def hub_parquet(folder: Path, rows: Sequence[Mapping[str, Any]], features: Mapping[str, Any], shards: int = 2) -> None:
    """As `push_to_hub` leaves them: data/train-0000k-of-0000n.parquet, small row groups, a card."""
    (folder / "data").mkdir(parents=True)
    table = datasets.Dataset.from_list([dict(row) for row in rows], features=datasets.Features(dict(features)))
    for number in range(shards):
        shard = table.shard(shards, number, contiguous=True)
        shard.to_parquet(folder / "data" / f"train-{number:05d}-of-{shards:05d}.parquet", batch_size=2)
    (folder / "README.md").write_text("# Upstream's card\n")


HUB_ORDER = [4, 0, 6, 2, 5, 1, 3]  # of HQ: not that of hq.csv


def hq_hub(folder: Path, raters: Sequence[str] = HUMANS) -> None:
    """The image column is called `path`, its file name is lost; `label` is the text of a literal."""
    items = [list(HQ)[n] for n in HUB_ORDER]
    full = dict.fromkeys(NAMES, 0)
    labels = [
        str(
            [{rater: {f"{GROUP[k]}|{k}": v for k, v in (full | RATED[item, rater]).items()}} for rater in raters[::-1]]
        )
        for item in items
    ]
    rows = [
        {"path": {"bytes": HQ[item], "path": None}, "label": label} for item, label in zip(items, labels, strict=True)
    ]
    hub_parquet(folder, rows, {"path": datasets.Image(), "label": datasets.Value("string")})


def hq_hub_and_table(folder: Path) -> None:
    hq_hub(folder)
    hq_table(folder / "hq.csv")


def hq_hub_in_its_folder(folder: Path) -> None:
    hq_hub(folder / "hq", raters=RATERS)
    hq_table(folder / "hq.csv")


def binary_table(path: Path) -> None:
    rows = [(item, *vote.split()) for item, votes in BINARY_VOTES.items() for vote in sorted(votes)]
    assert all(sorted(votes)[0] == votes[0] for votes in BINARY_VOTES.values() if len(votes) == 2)
    write_csv(path, ("path", "annotator", "value", "emotion"), rows)


def binary_parts(folder: Path) -> None:
    binary_table(folder / "binary.csv")
    for n, (item, data) in enumerate(BINARY.items()):
        write_part(folder, item, data)
        path = folder / f"part-{int(item) // 2000:02d}" / f"{int(item) % 2000:04d}.json"
        words = {name.capitalize(): value for name, value in described(n).items()}
        path.write_text(json.dumps(json.loads(path.read_text()) | words))


def binary_parts_in_its_folder(folder: Path) -> None:
    binary_parts(folder / "binary")


def binary_files(folder: Path) -> None:
    binary_table(folder / "binary.csv")
    rows = [{"file_name": f"images/{item}.jpg", **described(n)} for n, item in enumerate(BINARY)]
    write_csv(folder / "metadata.csv", list(rows[0]), [list(row.values()) for row in rows])
    (folder / "images").mkdir()
    for item, data in BINARY.items():
        (folder / "images" / f"{item}.jpg").write_bytes(data)


def binary_hub(folder: Path) -> None:
    """`path` {bytes, "00000.jpg"}, `emotion` a ClassLabel with the csv's names, and a column that nobody knows."""
    binary_table(folder / "binary.csv")
    target = {item: CSV_NAMES.index(votes[0].split()[2]) for item, votes in BINARY_VOTES.items()}
    prompts = [PROMPT.format(**WHO[n % 3]) for n in range(len(BINARY))]
    rows = [
        {"path": {"bytes": data, "path": f"{item}.jpg"}, "emotion": target[item], "Prompt": prompt}
        for (item, data), prompt in zip(BINARY.items(), prompts, strict=True)
    ]
    features = {"emotion": datasets.ClassLabel(names=CSV_NAMES), "Prompt": datasets.Value("string")}
    hub_parquet(folder, rows[::-1], {"path": datasets.Image(), **features})


def big_texts() -> dict[str, dict[str, Any]]:
    """Demographics in a column of their own, as columns, or only in the prompt."""
    texts = {}
    for n, name in enumerate(BIG):
        text = described(n)
        who = {key: text.pop(key) for key in WHO[0]}
        text |= ({"demographics": who}, {k.capitalize(): str(v) for k, v in who.items()}, {})[n % 3]
        texts[name] = {"annotations": keyed(BIG_RATED[name]), **text}
    return texts


def big_tars(folder: Path) -> None:
    members = [
        member
        for name, text in big_texts().items()
        for member in ((f"{name}.json", json.dumps(text).encode()), (f"{name}.jpg", BIG[name]))
    ]
    write_tar(folder / "00000.tar", members[:8])
    write_tar(folder / "00001.tar", members[8:])


def big_tars_in_its_folder(folder: Path) -> None:
    big_tars(folder / "big")


def big_files(folder: Path) -> None:
    (folder / "big").mkdir(parents=True)
    lines = [json.dumps({"file_name": f"{name}.jpg", **text}) for name, text in big_texts().items()]
    (folder / "big" / "metadata.jsonl").write_text("\n".join(lines))
    for name, data in BIG.items():
        (folder / "big" / f"{name}.jpg").write_bytes(data)


def big_hub(folder: Path, names: bool = True) -> None:
    """No column has a name that could be known: the image and the ratings are found by what they are."""
    rows = [
        {
            "picture": {"bytes": BIG[name], "path": f"{name}.jpg" if names else None},
            "n": n,
            "text": described(n)["prompt"],
            "gemini": str([{"Gemini 2.0 Flash": keyed(BIG_RATED[name])}]) if n % 2 else json.dumps(BIG_RATED[name]),
        }
        for n, name in enumerate(BIG)
    ]
    features = {"n": "int32", "text": "string", "gemini": "string"}
    kinds = {name: datasets.Value(kind) for name, kind in features.items()}
    hub_parquet(folder, rows, {"picture": datasets.Image(), **kinds}, shards=3)


def big_hub_nameless(folder: Path) -> None:
    big_hub(folder / "big", names=False)


def big_hub_structs(folder: Path) -> None:
    """Ratings as an Arrow struct: every row has every key, null where the model wrote none."""
    rows = [
        {"path": {"bytes": BIG[name], "path": f"{name}.jpg"}, "Annotations": keyed(BIG_RATED[name]), **described(n)}
        for n, name in enumerate(BIG)
    ]
    (folder / "big").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "big" / "train.parquet")


# ---- Building


class Made(NamedTuple):
    rows: dict[str, dict[str, Any]]  # by item; long tables by (item, rater, category)
    splits: dict[str, str]
    problems: list[Problem]
    plan: Plan


def make(config: str, source: Path, **options: Any) -> Made:
    """Build one config and read its Parquet back with pyarrow alone."""
    work = source.with_name(f"{source.name}-{config}-built")
    shutil.rmtree(work, ignore_errors=True)
    (work / "log").mkdir(parents=True)
    log = ProblemLog(work / "log")
    options = {"chosen": {"positives": "consensus"}} | options
    builder = EmoNetFace(config_name=config, cache_dir=str(work / "cache"), source=source, log=log, **options)
    builder.download_and_prepare(str(work / "out"), file_format="parquet", download_mode="force_redownload")
    rows, splits = {}, {}
    for path in sorted((work / "out").glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            item = row.get("item", row.get("name"))
            key = (item, row["rater"], row["category"]) if "rater" in row else item
            assert key not in rows
            rows[key] = row
            splits[item] = path.name.split("-")[1].split(".")[0]
    return Made(rows, splits, list(log), builder.planned)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


def write_all(source: Path, *writes: Write) -> Path:
    for write in writes:
        write(source)
    return source


# ---- HQ

HQ_LAYOUTS = (hq_folder, hq_all_in_its_folder, hq_flat, hq_hub_and_table, hq_hub_in_its_folder)


def vector(item: str, rater: str) -> list[float]:
    scale = 7 if rater == "Hume Face" else 1
    return [float(np.float32(scale * RATED[item, rater].get(name, 0))) for name in NAMES]


@pytest.mark.parametrize("write", HQ_LAYOUTS)
def test_hq_is_the_same_in_every_layout(write: Write, source: Path) -> None:
    write(source)
    made = make("hq", source)
    assert made.problems == []
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == HQ
    assert {row["image"]["path"] for row in made.rows.values()} == {f"{item}.png" for item in HQ}
    assert set(made.splits.values()) == {"test"}
    for number, item in enumerate(HQ):
        row = made.rows[item]
        rated = {answer["rater"]: (answer["kind"], answer["intensities"]) for answer in row["ratings"]}
        assert len(row["ratings"]) == len(RATERS)
        assert rated == {rater: (KINDS[rater], vector(item, rater)) for rater in RATERS}
        mean = [sum(RATED[item, who].get(name, 0) for who in HUMANS) / 4 for name in NAMES]
        assert row["mean_intensity"] == [float(np.float32(value)) for value in mean]
        assert row["top_emotion"] == (mean.index(max(mean)) if any(mean) else None)
        told = {name: row[name] for name in NOBODY}
        if "hub" in write.__name__:
            assert (told, row["generator"]) == (NOBODY, None)
        else:
            assert (told, row["generator"]) == (described(number), item.split()[0])
    assert made.rows[TIED]["top_emotion"] == min(NAMES.index("Awe"), NAMES.index("Fear"))
    assert made.rows[UNTOUCHED]["top_emotion"] is None


def test_an_image_that_no_human_rated_has_no_mean(source: Path) -> None:
    hq_folder(source)
    item = next(iter(HQ))
    lines = (source / "hq.csv").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith((f"{item}.png", f'"{item}.png')) or "human-" not in line]
    assert len(lines) - len(kept) == len(HUMANS)
    (source / "hq.csv").write_text("".join(kept))
    rows = make("hq", source).rows
    assert rows[item]["mean_intensity"] is None and rows[item]["top_emotion"] is None
    assert {answer["kind"] for answer in rows[item]["ratings"]} == {"model", "baseline", "vlm"}
    assert all(row["mean_intensity"] for name, row in rows.items() if name != item)


def test_hq_counts_what_the_card_must_say(source: Path) -> None:
    hq_folder(source)
    plan = make("hq_ratings", source).plan
    outside = [
        value for (_, who), ratings in RATED.items() if who not in HUMANS
        for value in ratings.values() if who != "Hume Face" and not 0 <= value <= 7
    ]  # fmt: skip
    assert outside
    assert plan.counts == {"images": 7, "images with 4 human ratings": 7}
    assert plan.quirks == {
        "intensities of models outside 0–7, kept as they are": len(outside),
        "annotations by Hume Face, written 0–1 upstream, times 7": 7,
    }


@pytest.mark.parametrize("write", [hq_folder, hq_hub_and_table, hq_hub])
def test_hq_ratings_are_those_of_hq(write: Write, source: Path) -> None:
    write(source)
    nested, long = make("hq", source), make("hq_ratings", source)
    assert long.problems == []
    melted = {
        (item, answer["rater"], name): (answer["kind"], value)
        for item, row in nested.rows.items()
        for answer in row["ratings"]
        for name, value in zip(NAMES, answer["intensities"], strict=True)
    }
    assert {key: (row["kind"], float(np.float32(row["rating"]))) for key, row in long.rows.items()} == melted
    assert {(row["sample"], row["step"]) for row in long.rows.values()} == {(None, None)}
    assert long.splits == nested.splits


def test_hq_from_the_hub_alone_takes_ids_from_the_content(source: Path) -> None:
    hq_hub(source)
    made = make("hq", source)
    assert made.problems == []
    images = {row["image"]["bytes"]: row for row in made.rows.values()}
    assert images.keys() == set(HQ.values())
    for item, data in HQ.items():
        row = images[data]
        assert {answer["rater"]: answer["intensities"] for answer in row["ratings"]} == {
            rater: vector(item, rater) for rater in HUMANS
        }
    again = make("hq", write_all(source.with_name("again"), lambda folder: hq_hub(folder, HUMANS[::-1])))
    assert again.rows.keys() == made.rows.keys()


def test_hub_images_that_no_row_of_hq_csv_fits_are_listed(source: Path) -> None:
    hq_hub_and_table(source)
    table = (source / "hq.csv").read_text().splitlines(keepends=True)
    (source / "hq.csv").write_text("".join(line for line in table if not line.startswith("mj 4.0.png,human-3")))
    made = make("hq", source)
    assert made.rows.keys() == HQ.keys() - {"mj 4.0"}
    assert {problem.what.split(";")[0] for problem in made.problems} == {
        "its human ratings stand nowhere in hq.csv",
        "is in the table but has no file",
    }


def test_a_hub_row_without_image_moves_no_label(source: Path) -> None:
    hq_hub_and_table(source)
    path = source / "data" / "train-00000-of-00002.parquet"
    table = pq.read_table(path)
    images, field = table["path"].to_pylist(), table.schema.field("path")
    pq.write_table(table.set_column(0, field, pa.array([None, *images[1:]], field.type)), path)
    made = make("hq", source)
    lost = list(HQ)[HUB_ORDER[0]]
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == {
        item: data for item, data in HQ.items() if item != lost
    }
    assert {problem.item for problem in made.problems} == {lost}


@pytest.mark.parametrize("write", [hq_folder, hq_hub])
def test_an_image_with_one_bad_annotation_is_left_out_of_both_configs(write: Write, source: Path) -> None:
    write(source)
    if write is hq_folder:
        text = (source / "hq.csv").read_text()
        broken = text.replace(str(keyed(RATED["flux 5.0", "human-2"])), "{'Awe': 8}")
        (source / "hq.csv").write_text(broken)
    else:
        path = source / "data" / "train-00000-of-00002.parquet"
        table = pq.read_table(path)
        labels = table["label"].to_pylist()
        labels[0] = labels[0].replace("|Awe': ", "|Awe': 1")
        pq.write_table(table.set_column(1, "label", pa.array(labels)), path)
    lost = HQ["flux 5.0"] if write is hq_folder else HQ[list(HQ)[HUB_ORDER[0]]]
    nested, long = make("hq", source), make("hq_ratings", source)
    assert {row["image"]["bytes"] for row in nested.rows.values()} == set(HQ.values()) - {lost}
    assert {item for item, _, _ in long.rows} == nested.rows.keys()
    assert any("rating is outside 0–7" in problem.what for problem in nested.problems)
    assert [problem.what for problem in nested.problems] == [problem.what for problem in long.problems]
    assert nested.plan.counts == long.plan.counts == {"images": 6, "images with 4 human ratings": 6}


def test_an_image_without_four_humans_counts(source: Path) -> None:
    hq_folder(source)
    table = (source / "hq.csv").read_text().splitlines(keepends=True)
    (source / "hq.csv").write_text("".join(line for line in table if not line.startswith("mj 4.0.png,human-3")))
    assert make("hq_ratings", source).plan.counts == {"images": 7, "images with 4 human ratings": 6}


# ---- BINARY

BINARY_LAYOUTS = (binary_parts, binary_parts_in_its_folder, binary_files, binary_hub)


@pytest.mark.parametrize("write", BINARY_LAYOUTS)
def test_binary_is_the_same_in_every_layout(write: Write, source: Path) -> None:
    write(source)
    made = make("binary", source)
    assert made.problems == []
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == BINARY
    assert {item: row["image"]["path"] for item, row in made.rows.items()} == {i: f"{i}.jpg" for i in BINARY}
    statuses = EmoNetFace.builder_configs["binary"].features["status"].names
    for number, (item, votes) in enumerate(BINARY_VOTES.items()):
        row, split = made.rows[item], [vote.split() for vote in votes]
        target, contrastive = (CSV_NAMES.index(split[at][2]) for at in (0, -1))
        assert (row["target"], row["contrastive"], statuses[row["status"]]) == (target, contrastive, STATUS[item])
        assert [(v["rater"], str(v["vote"]), CSV_NAMES[v["emotion"]]) for v in row["votes"]] == [*map(tuple, split)]
        assert [v["step"] for v in row["votes"]] == [*range(1, len(votes)), 0]
        known = {contrastive: None if split[-1][1] == "True" else 0}
        known[target] = {"rejected_b1": 0, "consensus_3_0": 1}.get(STATUS[item])
        assert row["labels"] == [known.get(n) for n in range(40)]
        assert {name: row[name] for name in NOBODY} == described(number)


def test_binary_ratings_are_the_votes(source: Path) -> None:
    binary_table(source / "binary.csv")
    made = make("binary_ratings", source)
    expected = {
        (item, who, NAMES[CSV_NAMES.index(emotion)]): (float(yes == "True"), step)
        for item, votes in BINARY_VOTES.items()
        for step, (who, yes, emotion) in zip([*range(1, len(votes)), 0], map(str.split, votes), strict=True)
    }
    assert {key: (row["rating"], row["step"]) for key, row in made.rows.items()} == expected
    assert made.plan.counts == {"images": 6, "votes": sum(map(len, BINARY_VOTES.values()))}
    assert made.plan.quirks["images whose first vote was yes and which nobody saw again"] == 1


# ---- BIG

BIG_LAYOUTS = (big_tars, big_tars_in_its_folder, big_files, big_hub, big_hub_nameless, big_hub_structs)


@pytest.mark.parametrize("write", BIG_LAYOUTS)
def test_big_is_the_same_in_every_layout(write: Write, source: Path) -> None:
    write(source)
    made = make("big", source)
    assert made.problems == []
    by_image = {row["image"]["bytes"]: row for row in made.rows.values()}
    assert by_image.keys() == set(BIG.values()) and len(made.rows) == len(BIG)
    for number, (name, data) in enumerate(BIG.items()):
        row = by_image[data]
        assert row["intensities"] == [float(BIG_RATED[name].get(emotion, 0)) for emotion in NAMES]
        assert row["in_binary"] is None
        assert {field: row[field] for field in NOBODY} == described(number)
        if write is not big_hub_nameless:
            assert row["item"] == f"big-{name}"
    assert made.plan.counts == {"images": len(BIG)}
    assert made.splits == {item: split_of(item, {"train": 0.95, "validation": 0.05}) for item in made.rows}
    assert make("big", source).rows.keys() == made.rows.keys()


@pytest.mark.parametrize("binary", BINARY_LAYOUTS)
@pytest.mark.parametrize("big", [big_tars_in_its_folder, big_files, big_hub_nameless])
def test_big_knows_the_images_of_binary(binary: Write, big: Write, source: Path) -> None:
    """BIG contains BINARY (App. B.1): such an image has one id and one split in both."""
    write_all(source, binary, big)
    shares = {"train": 0.5, "validation": 0.5}
    made, votes = make("big", source, shares=shares), make("binary", source, shares=shares)
    assert made.problems == votes.problems == []
    assert {row["image"]["bytes"]: row["item"] for row in made.rows.values() if row["in_binary"]} == {
        data: item for item, data in BINARY.items()
    }
    others = {row["item"]: row["image"]["bytes"] for row in made.rows.values() if row["in_binary"] is False}
    assert set(others.values()) == set(NEW.values())
    assert all(item.startswith("big-") for item in others)
    assert {item: made.splits[item] for item in votes.splits} == votes.splits
    assert len(set(votes.splits.values())) == 2
    assert made.plan.quirks == {"images that are also in BINARY": len(BINARY)}


def test_one_image_of_big_twice_under_one_name(source: Path) -> None:
    write_tar(source / "1.tar", [("a.jpg", jpeg(1)), ("a.json", b'{"annotations": {"Awe": 1}}')])
    write_tar(source / "2.tar", [("a.jpg", jpeg(2)), ("a.json", b'{"annotations": {"Awe": 2}}')])
    made = make("big", source)
    assert [problem.what for problem in made.problems] == ["a second image with the id 'big-a'"]
    assert made.plan.counts == {"images": 2}


# ---- Rows that say odd things


def tar_of(source: Path, **fields: Any) -> Path:
    write_tar(source / "x.tar", [("a.jpg", jpeg()), ("a.json", json.dumps(fields).encode())])
    return source


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": "a face"}, "no column rates emotions: prompt = 'a face'"),
        ({"annotations": {"Awe": 8}}, "intensity outside 0–7: Awe = 8"),
        ({"annotations": {"Awe": -1}}, "intensity outside 0–7: Awe = -1"),
        ({"annotations": "{'Awe': 1"}, "neither a Python literal nor JSON"),
        ({"annotations": {"Hapiness": 1}}, "Unknown emotion 'Hapiness'"),
        ({"annotations": [{"Awe": 1}, {"Awe": 2}]}, "has 2 annotations, not one"),
        ({"annotations": {"Awe": 1}, "age": "old"}, "age is not a number of years: 'old'"),
        ({"annotations": {"Awe": 1}, "age": [30]}, "age is not a number of years"),
        ({"annotations": {"Awe": 1}, "age": 1e999}, "age is not a number of years: inf"),
        ({"annotations": {"Awe": 1}, "age": 10**400}, "age is not a number of years"),
        ({"annotations": {"Awe": 1}, "gender": 3}, "gender is not text: 3"),
        ({"annotations": {"Awe": 1}, "prompt": ["a"]}, "prompt is not text"),
        ({"annotations": {"Awe": 1}, "demographics": "{'age': 30"}, "neither a Python literal nor JSON"),
        ({"annotations": {"Awe": 1}, "demographics": "{'age', 30}"}, "demographics is not a dict"),
        ({"annotations": {"Awe": 1}, "demographics": {"ethnicity": {}}}, "ethnicity is not text"),
    ],
)
def test_a_row_that_cannot_be_is_listed(fields: dict[str, Any], said: str, source: Path) -> None:
    made = make("big", tar_of(source, **fields))
    assert made.rows == {}
    (problem,) = made.problems
    assert problem.item == "big-a" and said in problem.what


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, NOBODY),
        ({"prompt": "", "age": None, "gender": ""}, NOBODY),
        ({"prompt": "A smile."}, NOBODY | {"prompt": "A smile."}),
        ({"demographics": "a woman of thirty"}, NOBODY),  # prose: not understood, no reason to lose the image
        ({"demographics": "{'Age': '30', 'GENDER': 'man'}"}, NOBODY | {"age": 30, "gender": "man"}),
        ({"Age": 30.0}, NOBODY | {"age": 30}),
        ({"demographics": "{1: 2, 'age': 30}"}, NOBODY | {"age": 30}),
        (
            {"prompt": "photo of an Asian man of 40 years, smiling", "age": 41},
            {"prompt": "photo of an Asian man of 40 years, smiling", "age": 41, "ethnicity": "Asian", "gender": "man"},
        ),
    ],
)
def test_demographics_from_wherever_they_stand(fields: dict[str, Any], told: dict[str, Any], source: Path) -> None:
    made = make("big", tar_of(source, annotations={"Awe": 1}, **fields))
    assert made.problems == []
    assert {name: made.rows["big-a"][name] for name in NOBODY} == told


ETHNICITIES = (
    *(
        "American Indian or Alaska Native",
        "white caucasian north american",
        "Middle Eastern",
        "North African",
        "Asian",
    ),
    *("White", "South Asian", "white caucasian european", "Hispanic or Latino", "Southeast Asian", "arabic"),
    *("Native Hawaiian or Other Pacific Islander", "Black or African American", "Indian"),
)


@pytest.mark.parametrize("ethnicity", ETHNICITIES)
@pytest.mark.parametrize("gender", ["man", "woman", "non-binary person"])
def test_every_prompt_of_the_template_is_understood(ethnicity: str, gender: str) -> None:
    from dataset_scripts.emonet_face.described import described as described_

    for age in range(20, 90, 10):
        who = {"age": age, "ethnicity": ethnicity, "gender": gender}
        assert described_({"prompt": PROMPT.format(**who)}) == {"prompt": PROMPT.format(**who), **who}


# ---- What a source holds

ALL = ["hq", "binary", "big", "hq_ratings", "binary_ratings", "emotions"]


@pytest.mark.parametrize(
    ("writes", "configs"),
    [
        *(((write,), ["hq", "hq_ratings", "emotions"]) for write in (*HQ_LAYOUTS, hq_hub) if write is not hq_flat),
        *(((write,), ["binary", "binary_ratings", "emotions"]) for write in BINARY_LAYOUTS),
        *(((write,), ["big", "emotions"]) for write in BIG_LAYOUTS),
        ((lambda folder: hq_table(folder / "hq.csv"),), ["hq_ratings", "emotions"]),
        ((lambda folder: binary_table(folder / "binary.csv"),), ["binary_ratings", "emotions"]),
        ((hq_folder, binary_parts, big_tars_in_its_folder), ALL),  # upstream's GitHub beside the tars
        ((hq_folder, binary_parts, big_tars), ALL),
        ((hq_hub_in_its_folder, binary_parts, big_tars), ALL),
        ((hq_hub_in_its_folder, binary_parts_in_its_folder, big_files), ALL),
        ((hq_folder, lambda folder: binary_hub(folder), big_hub_structs), ALL),
        ((hq_hub_and_table, binary_parts_in_its_folder, big_tars), ALL),
        ((lambda folder: None,), []),
    ],
)
def test_configs_found_in_a_source_can_be_built(writes: Sequence[Write], configs: list[str], source: Path) -> None:
    write_all(source, *writes)
    assert EmoNetFace.found_in(source) == configs
    images = {"hq": HQ, "binary": BINARY, "big": BIG}
    for config in configs:
        made = make(config, source)
        assert made.problems == []
        if config in images:
            assert Counter(row["image"]["bytes"] for row in made.rows.values()) == Counter(images[config].values())


def test_hq_and_binary_in_one_flat_folder(source: Path) -> None:
    hq_flat(source)
    held = [path.read_text().splitlines() for path in (source / "metadata.csv",)]
    binary_files(source)
    lines = (source / "metadata.csv").read_text().splitlines()
    blank = "," * (held[0][0].count(",") - lines[0].count(","))
    (source / "metadata.csv").write_text("\n".join([*held[0], *(line + blank for line in lines[1:])]) + "\n")
    assert make("hq", source).rows.keys() == HQ.keys()
    made = make("binary", source)
    assert made.rows.keys() == BINARY.keys() and made.problems == []


def test_a_file_that_only_one_set_could_own_is_read_by_no_other(source: Path) -> None:
    write_all(source, big_tars, binary_parts)
    hq_table(source / "hq.csv")
    assert EmoNetFace.found_in(source) == ["binary", "big", "hq_ratings", "binary_ratings", "emotions"]


def test_an_unreadable_parquet_is_listed_not_raised(source: Path) -> None:
    hq_hub(source)
    (source / "data" / "train-00001-of-00002.parquet").write_text("version https://git-lfs.github.com/spec/v1\n")
    made = make("hq", source)
    assert len(made.rows) == 4
    assert [problem.where for problem in made.problems] == ["train-00001-of-00002.parquet"]


@pytest.mark.parametrize(
    ("config", "write", "said"),
    [
        ("hq", None, "neither hq.csv nor the Parquet of HQ; found nothing"),
        ("hq_ratings", binary_parts, "neither hq.csv nor the Parquet of HQ; found binary.csv, part-00"),
        ("binary", None, "lacks binary.csv, which holds BINARY's votes; found nothing"),
        ("binary_ratings", hq_folder, "lacks binary.csv, which holds BINARY's votes; found hq, hq.csv"),
        ("big", hq_folder, "Config 'big' needs images, and .* has none for it.* Add them.$"),
        ("hq", lambda folder: hq_table(folder / "hq.csv"), "or build the ratings alone with --config hq_ratings"),
        ("binary", lambda folder: binary_table(folder / "binary.csv"), "alone with --config binary_ratings"),
    ],
)
def test_a_config_without_its_files_says_what_to_do(config: str, write: Write | None, said: str, source: Path) -> None:
    if write:
        write(source)
    with pytest.raises((SourceError, datasets.exceptions.DatasetGenerationError), match=said):
        make(config, source)


def test_tables_and_images_must_fit(source: Path) -> None:
    binary_parts(source)
    (source / "part-00" / "0000.json").rename(source / "part-00" / "0007.json")
    made = make("binary", source)
    assert made.rows.keys() == BINARY.keys() - {"00000"}
    assert {problem.item: problem.what for problem in made.problems} == {
        "00000": "is in the table but has no file; add the file or pass --skip-bad",
        "00007": "is a file without a row in the table; remove it or pass --skip-bad",
    }


def test_bytes_stay_even_where_a_file_of_that_name_lies_in_the_working_directory(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`datasets` reads an image again from its path if that exists, and throws the given bytes away."""
    binary_parts(source)
    monkeypatch.chdir(source)
    for item in BINARY:
        (source / f"{item}.jpg").write_bytes(jpeg(999))
    made = make("binary", source)
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == BINARY


@pytest.mark.parametrize("processes", [1, 3])
def test_several_processes_build_the_same(processes: int, source: Path) -> None:
    """Through the whole build: the repo has every image once, whatever the number of processes."""
    write_all(source, hq_hub_and_table, binary_parts_in_its_folder, big_tars_in_its_folder)
    out = source.with_name("repo")
    record = build("emonet-face", source, out, num_proc=processes)
    assert list(record["configs"]) == ALL
    for config, images in {"hq": HQ, "binary": BINARY, "big": BIG}.items():
        rows = [row for path in (out / config).glob("*.parquet") for row in pq.read_table(path).to_pylist()]
        assert Counter(row["image"]["bytes"] for row in rows) == Counter(images.values())
        if config != "big":
            assert {row["item"]: row["image"]["bytes"] for row in rows} == images


@pytest.mark.parametrize("config", ["hq_ratings", "binary_ratings", "hq", "binary"])
def test_tables_with_nothing_good_in_them_are_listed(config: str, source: Path) -> None:
    write_csv(source / "hq.csv", ("image", "annotator", "annotations", "human"), [("a.png", "human-1", "{", "True")])
    write_csv(source / "binary.csv", ("path", "annotator", "value", "emotion"), [("00000", "human-1", "maybe", "Awe")])
    (source / "a.png").write_bytes(png())
    made = make(config, source)
    assert made.rows == {} and made.plan.counts["images"] == 0
    assert made.problems


def test_a_broken_table_of_the_other_set_is_named(source: Path) -> None:
    """Which images belong to HQ is read from hq.csv when BINARY's lie in the same folder."""
    binary_files(source)
    (source / "hq.csv").touch()
    with pytest.raises(SourceError, match="hq.csv is empty"):
        make("binary", source)
