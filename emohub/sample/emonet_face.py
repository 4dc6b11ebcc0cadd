"""The EmoNet-Face half of the demo's raw inputs, in the layouts of upstream's GitHub repository and of WebDataset."""

import base64
import csv
import io
import json
import random
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS, write_prompt
from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.drawing import draw_face
from emohub.generate.generators.drawn import STRENGTH
from emohub.generate.images import Checks, generate_images
from emohub.generate.prompts import make_prompts

from .raters import PARTNER, hq_annotations, salience, votes

HQ, BINARY, NEW_BIG = 48, 80, 120
PORTRAITS = HQ + BINARY + NEW_BIG
PARTS, PART_SIZE = 10, 2_000
SHARDS = 2
QUALITY = 90
SHOWN_OTHERWISE = 0.2
"""Share of BINARY images whose generator missed the emotion of the prompt."""

GENERATORS = ("flux", "midjourney")
T = TypeVar("T")

_WORDS = {emotion.name: ", ".join(emotion.descriptors) for emotion in EMOTIONS}


@dataclass(frozen=True)
class Portrait:
    """A generated image: what was asked for, what it shows, and the JPEG."""

    emotion: str
    shown: str
    intensity: float
    age: int
    ethnicity: str
    gender: str
    jpeg: bytes
    text: str = ""

    @property
    def words(self) -> str:
        """The descriptors of the emotion that was asked for."""
        return _WORDS[self.emotion]

    @property
    def prompt(self) -> str:
        """The prompt, by default after the upstream template."""
        return self.text or write_prompt(
            {"ethnicity": self.ethnicity, "gender": self.gender, "age": self.age}, self.words
        )


def write(out: Path, seed: int, progress: tqdm) -> None:
    """Write `hq.csv`, `hq/`, `binary.csv`, `part-0P/`, `big/` and `splits.csv` into `out`."""
    out.mkdir(parents=True)
    _write_hq(out, _portraits("hq", HQ, seed, progress), random.Random(f"hq {seed}"))
    binary = _portraits("binary", BINARY, seed, progress, SHOWN_OTHERWISE)
    _write_binary(out, binary, random.Random(f"binary {seed}"))
    _write_csv(out / "splits.csv", ("id", "split"), [(_id_of(number), _split_of(number)) for number in range(BINARY)])
    big = binary + _generated(NEW_BIG, seed, progress)
    _write_big(out / "big", big, random.Random(f"big {seed}"))


def _portraits(name: str, count: int, seed: int, progress: tqdm, otherwise: float = 0) -> list[Portrait]:
    """Portraits whose emotions, ethnicities and ages are as even as their number allows."""
    rng = random.Random(f"portraits {name} {seed}")
    emotions, ethnicities = _even(NAMES, count, rng), _even(ETHNICITIES, count, rng)
    ages, genders = _even(AGES, count, rng), rng.choices(tuple(GENDERS), tuple(GENDERS.values()), k=count)
    made = []
    for emotion, ethnicity, age, gender in zip(emotions, ethnicities, ages, genders, strict=True):
        missed = rng.choice((PARTNER[emotion], rng.choice(NAMES)))
        shown = missed if rng.random() < otherwise else emotion
        intensity = round(rng.uniform(0.55, 1.0), 2)
        face = draw_face(
            shown, age=age, ethnicity=ethnicity, gender=gender, intensity=intensity, seed=rng.getrandbits(32)
        )
        jpeg = io.BytesIO()
        face.save(jpeg, "JPEG", quality=QUALITY)
        made.append(Portrait(emotion, shown, intensity, age, ethnicity, gender, jpeg.getvalue()))
        progress.update()
    return made


def _generated(count: int, seed: int, progress: tqdm) -> list[Portrait]:
    """Portraits made as `emohub generate` makes a data set, of each emotion as many, give or take one."""
    wanted: dict[str | None, int] = {
        emotion: count // len(NAMES) + (at < count % len(NAMES)) for at, emotion in enumerate(NAMES)
    }
    prompts = make_prompts(wanted, seed=seed, name="drawn")
    made = []
    with tempfile.TemporaryDirectory(prefix="emohub-sample-") as folder:
        generate_images(prompts, "drawn", Path(folder), checks=Checks(face=False))
        for one in prompts:
            person: dict[str, Any] = {"age": one.age, "ethnicity": one.ethnicity, "gender": one.gender}
            jpeg = (Path(folder) / f"{one.id}.jpg").read_bytes()
            emotion = str(one.emotion)
            made.append(Portrait(emotion, emotion, STRENGTH[one.intensity], **person, jpeg=jpeg, text=one.text))
            progress.update()
    return made


def _even(values: Sequence[T], count: int, rng: random.Random) -> list[T]:
    """`count` values in random order, each as often as any other, give or take one."""
    rounds = -(-count // len(values))
    drawn = [value for _ in range(rounds) for value in rng.sample(values, len(values))][:count]
    return rng.sample(drawn, count)


def _write_hq(out: Path, portraits: Sequence[Portrait], rng: random.Random) -> None:
    (out / "hq").mkdir()
    ratings, metadata = [], []
    for number, face in enumerate(portraits):
        generator = GENERATORS[number % len(GENERATORS)]
        name = f"{generator}_{number + 1:04d}.jpg"
        (out / "hq" / name).write_bytes(face.jpeg)
        metadata.append((name, face.prompt, face.age, face.ethnicity, face.gender, generator))
        for annotator, annotations, human in hq_annotations(number, salience(face.shown, face.intensity, rng), rng):
            ratings.append((name, annotator, str(annotations), human))
    _write_csv(out / "hq.csv", ("image", "annotator", "annotations", "human"), ratings)
    columns = ("file_name", "prompt", "age", "ethnicity", "gender", "generator")
    _write_csv(out / "hq" / "metadata.csv", columns, metadata)


def _write_binary(out: Path, portraits: Sequence[Portrait], rng: random.Random) -> None:
    rows: list[tuple[object, ...]] = []
    for number, face in enumerate(portraits):
        index, part = divmod(number, PARTS)
        path = _id_of(number)
        folder = out / f"part-{part:02d}"
        folder.mkdir(exist_ok=True)
        content = _part_json(face, path, index)
        (folder / f"{index:04d}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        rows += [(path, *vote) for vote in votes(part, face.emotion, face.shown, rng)]
    rows.sort(key=lambda row: (row[0], row[1]))
    _write_csv(out / "binary.csv", ("path", "annotator", "value", "emotion"), rows)


def _id_of(number: int) -> str:
    """The image id of a portrait of BINARY: the parts are filled in turn."""
    index, part = divmod(number, PARTS)
    return f"{PART_SIZE * part + index:05d}"


def _split_of(number: int) -> str:
    """A quarter of the demo is for validation: of so few images, the usual 5 % would be hardly any."""
    return "validation" if number % 4 == 0 else "train"


def _part_json(face: Portrait, path: str, index: int) -> dict[str, object]:
    return {
        "path": path,
        "ind": index,
        "Prompt": face.prompt,
        "Age": face.age,
        "Ethnicity": face.ethnicity,
        "Gender": face.gender,
        "Emotion": face.words,
        "image": {"path": f"{path}.jpg", "bytes": base64.b64encode(face.jpeg).decode("ascii")},
    }


def _write_big(out: Path, portraits: Sequence[Portrait], rng: random.Random) -> None:
    """WebDataset tars in random order; the BINARY images are among them, under other names."""
    out.mkdir()
    shuffled = rng.sample(portraits, len(portraits))
    for shard in range(SHARDS):
        with tarfile.open(out / f"{shard:05d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in range(shard * len(shuffled) // SHARDS, (shard + 1) * len(shuffled) // SHARDS):
                face, key = shuffled[number], f"big_{number:06d}"
                _add(tar, f"{key}.jpg", face.jpeg)
                _add(tar, f"{key}.json", json.dumps(_big_json(face, rng), ensure_ascii=False).encode("utf-8"))


def _big_json(face: Portrait, rng: random.Random) -> dict[str, object]:
    strength = salience(face.shown, face.intensity, rng)
    top = sorted(strength, key=lambda name: -strength[name])[:5]
    groups = {emotion.name: emotion.group for emotion in EMOTIONS}
    return {
        "prompt": face.prompt,
        "demographics": {"age": face.age, "ethnicity": face.ethnicity, "gender": face.gender},
        "annotations": {f"{groups[name]}|{name}": max(1, round(strength[name])) for name in top},
    }


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file with fixed owner and time, so that the tar's bytes follow from its content."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
