"""One round of the loop: prompts → pictures → annotation, in a folder of its own, each step as soon as it is whole."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.data.runs import link_file, replacing, write_file, write_json
from emohub.errors import BuildError, EmohubError
from emohub.generate.annotate import annotate, gather
from emohub.generate.counts import final_of
from emohub.generate.images import ATTEMPTS, METADATA, generate_images, line
from emohub.generate.local import Settings
from emohub.generate.prompts import Prompt, make_prompts, read_prompts, write_prompts
from emohub.generate.provenance import FORMATS
from emohub.generate.settings import Study
from emohub.hub.json_files import read_json, read_json_lines

WANTED, PROMPTS, IMAGES, ANNOTATION = "wanted.json", "prompts.parquet", "images", "annotation"
ANNOTATIONS, RECORD = "annotations.parquet", "round.json"
SOURCE = "big"  # where the builder of EmoNet-Face BIG looks


@dataclass(frozen=True)
class Round:
    """A finished round.

    Attributes:
        number: From 1.
        record: What `round.json` holds.
        prompts: Id → prompt.
        every: Its ratings above 0, and those of the emotion that a picture is to show: item, category, rating, hinted.
        ending: Of its pictures' files.
    """

    number: int
    record: Mapping[str, Any]
    prompts: Mapping[str, Prompt]
    every: pd.DataFrame
    ending: str

    def kept(self, rejected: Collection[str]) -> pd.DataFrame:
        """Its ratings without those of rejected pictures."""
        return self.every[~self.every["item"].isin(rejected)]

    @property
    def targets(self) -> dict[str, str | None]:
        """Item → emotion that it was to show."""
        return {id: prompt.emotion for id, prompt in self.prompts.items()}


def folder_of(out: Path, number: int) -> Path:
    """The folder of a round."""
    return out / "rounds" / f"{number:02}"


def begin(out: Path, number: int, wanted: Mapping[str, int], hinted: Sequence[str], target: int) -> None:
    """Write down what a round is to do, before it does anything."""
    folder = folder_of(out, number)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / WANTED, {"wanted": dict(wanted), "hinted": list(hinted), "target": target}, durable=True)


def begun(out: Path, number: int) -> bool:
    """Whether a round was begun."""
    return (folder_of(out, number) / WANTED).is_file()


def run_round(out: Path, number: int, study: Study, left: float | None) -> Round:
    """Do what is left of a round.

    Args:
        out: Folder of the loop.
        number: Of the round, which was begun.
        study: Settings.
        left: What may still be spent; None is no limit.
    """
    folder = folder_of(out, number)
    if not (folder / RECORD).is_file():
        _do(folder, number, study, left)
    prompts = {prompt.id: prompt for prompt in read_prompts(folder / PROMPTS)}
    every = pd.read_parquet(folder / ANNOTATIONS, columns=["item", "category", "rating", "hinted"])
    targets = every["item"].map({id: prompt.emotion for id, prompt in prompts.items()})
    every = every[(every["rating"] > 0) | (every["category"] == targets)]  # of 40 rows a picture some six matter
    return Round(number, read_json(folder / RECORD), prompts, every, FORMATS[study.images.format][0])


def _do(folder: Path, number: int, study: Study, left: float | None) -> None:
    todo = read_json(folder / WANTED)
    if not (folder / PROMPTS).is_file():
        name = f"{study.name}-{number:02}"
        how: dict[str, Any] = {"templates": study.prompts.templates, "intensities": study.prompts.intensities}
        prompts = make_prompts(todo["wanted"], seed=study.seed, name=name, **how)
        write_prompts(folder / PROMPTS, prompts, {"wanted": todo["wanted"], "seed": study.seed, "name": name})
    prompts = read_prompts(folder / PROMPTS)
    images = study.images
    made = generate_images(
        prompts,
        images.model,
        folder / IMAGES,
        options=images.options,
        checks=images.checks(),
        engine=images.engine,
        settings=Settings(**images.run),
    )
    ending = FORMATS[images.format][0]
    files = {one.id: folder / IMAGES / f"{one.id}{ending}" for one in prompts}
    files = {id: path for id, path in files.items() if path.is_file()}
    if not files:
        why = ", ".join(f"{n:,} {failure}" for failure, n in made["left_out"].items())
        raise EmohubError(
            f"None of the {len(prompts):,} prompts of round {number} has a picture: {why}. "
            f"{folder / IMAGES / ATTEMPTS} says why. Correct the cause, remove the folder, and go on."
        )
    requests = len(read_json_lines(folder / IMAGES / ATTEMPTS))
    paid = requests * images.price
    annotated = annotate(
        folder / ANNOTATION,
        files,
        {one.id: one.emotion for one in prompts},
        todo["hinted"],
        study.annotation,
        name=f"{study.name}, round {number}",
        seed=study.seed,
        origin=made["prompts"],
        budget=None if left is None else left - paid,
    )
    if not annotated["answered"]:
        why = ", ".join(f"{n:,} {failure}" for failure, n in annotated["failures"].items())
        raise EmohubError(
            f"None of the {annotated['questions']:,} questions of round {number} has a rating: {why}. "
            f"{folder / ANNOTATION} says why. Correct the cause, remove it, and run the same command again."
        )
    gather(folder / ANNOTATION, folder / ANNOTATIONS)
    record = {
        "round": number,
        **todo,
        "prompts": len(prompts),
        "generator": made["generator"],
        "requests": requests,
        "pictures": made["pictures"],
        "left_out": made["left_out"],
        "failed": made["failed"],
        "annotation": {"rater": study.annotation.rater, **annotated},
        "cost": {"pictures": paid, "annotation": annotated["cost"]},
    }
    write_json(folder / RECORD, record, durable=True)


def write_source(out: Path, one: Round, rejected: Collection[str]) -> None:
    """Link a round's annotated pictures into the folder that `emohub build dataset` reads, with their annotations."""
    target = out / SOURCE / f"{one.number:02}"
    final = final_of(one.kept(rejected))
    items = set(final["item"])
    if (target / METADATA).is_file() and {row["id"] for row in read_json_lines(target / METADATA)} == items:
        return
    images = folder_of(out, one.number) / IMAGES
    hinted = set(final.loc[final["hinted"], "item"])
    above = final[final["rating"] > 0]
    ratings = {id: dict(zip(its["category"], its["rating"], strict=True)) for id, its in above.groupby("item")}
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target, "emohub generate loop") as work:
        rows = []
        for id, prompt in one.prompts.items():
            if id not in items:
                continue
            name = f"{id}{one.ending}"
            if not (images / name).is_file():
                raise BuildError(f"{images / name} is missing, and the round is finished. Restore it.")
            link_file(images / name, work / name)
            about = {"prompt": prompt.text, "age": prompt.age, "ethnicity": prompt.ethnicity, "gender": prompt.gender}
            hint = prompt.emotion if id in hinted else None
            # One rating of 0 stands for all: a picture may show nothing, and an empty object would say nothing.
            given = ratings.get(id) or {str(final["category"].iloc[0]): 0.0}
            rows.append(
                {"file_name": name, "id": id, **about, "target": prompt.emotion, "hint": hint, "annotations": given}
            )
        write_file(work / METADATA, b"".join(map(line, rows)))
