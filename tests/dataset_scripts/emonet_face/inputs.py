"""Inputs and helpers of the tests of emonet face."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.builder import Plan
from emohub.data.problems import Problem, ProblemLog
from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.dataset.registry import find
from tests.raw_inputs import jpeg, png, write_csv, write_part, write_tar

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


RATED = {(item, rater): _rated(item, rater) for item in HQ for rater in RATERS}


BINARY_VOTES = {  # item → (annotator, answer, emotion); the target is the emotion of the first
    "00000": ("human-1 True Awe", "human-3 False Contempt"),
    "01999": ("human-1 False Hopelessness", "human-5 True Triumph"),
    "02000": ("human-1 True Relief", "human-4 False Relief", "human-3 False Pain"),
    "10001": ("human-6 True Pain", "human-1 True Pain", "human-2 True Pain", "human-6 False Relief"),
    "13000": ("human-1 True Contempt", "human-2 True Contempt", "human-4 False Contempt", "human-1 True Awe"),
    "19998": ("human-4 False Sadness", "human-8 False Elation"),
}


BINARY = {item: jpeg(100 + n) for n, item in enumerate(BINARY_VOTES)}


NEW = {f"new_{n}": jpeg(200 + n) for n in range(5)}


BIG = {f"face_{n}": data for n, data in enumerate([*NEW.values(), *BINARY.values()])}  # BINARY under other names


BIG_RATED = {name: {NAMES[(3 * n + k) % 40]: 1 + (n + k) % 7 for k in range(5)} for n, name in enumerate(BIG)}


def keyed(ratings: Mapping[str, float]) -> dict[str, float]:
    return {f"{GROUP[name]}|{name}": value for name, value in ratings.items()} | {"Extra Dimensions|Arousal": 3}


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


def write_all(source: Path, *writes: Write) -> Path:
    for write in writes:
        write(source)
    return source


HQ_LAYOUTS = (hq_folder, hq_all_in_its_folder, hq_flat, hq_hub_and_table, hq_hub_in_its_folder)


BINARY_LAYOUTS = (binary_parts, binary_parts_in_its_folder, binary_files, binary_hub)


BIG_LAYOUTS = (big_tars, big_tars_in_its_folder, big_files, big_hub, big_hub_nameless, big_hub_structs)
