"""`emohub generate prompts`: one row for each picture that is wanted, balanced by construction.

Columns: `id`; `text`; `emotion`, null for a neutral face; `words`, `intensity`, `template` as in
`emohub.data.prompts`; `ethnicity`, `gender`, `age`; `seed` of the picture. Every row is read back from its text before
it counts.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS, INTENSITIES, TEMPLATES, Person, Wording
from emohub.data.runs import replacing_file
from emohub.data.source import item_id
from emohub.data.taxonomy import EMOTIONS, NAMES, canonical
from emohub.errors import EmohubError, MediaError, listed
from emohub.generate.quotas import crossed

MAX_SEED = 2**31  # what every service takes as a seed
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "text", "emotion", "words", "intensity", "template")),
        ("ethnicity", pa.string()),
        ("gender", pa.string()),
        ("age", pa.int32()),
        ("seed", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One picture that is wanted.

    Attributes:
        id: Its id, which is also the name of its file.
        text: What a text-to-image model is told.
        emotion: What it is to show; None for a neutral face, or where a table from elsewhere does not say it.
        words: The emotion's words in the text.
        intensity: The word before them.
        template: Name of the form of the text.
        ethnicity: Of the person.
        gender: Of the person.
        age: Of the person, in years.
        seed: Of the picture, from 0 to 2³¹ − 1.
    """

    id: str
    text: str
    emotion: str | None
    words: str
    intensity: str
    template: str
    ethnicity: str
    gender: str
    age: int | None
    seed: int


def factors(templates: Sequence[str] = (), intensities: Sequence[str] | None = None) -> dict[str, dict[Any, int]]:
    """Factor → level → share: those of the paper, templates and intensities alike.

    Args:
        templates: Names of templates; by default all.
        intensities: Words for the intensity; by default all.

    Raises:
        EmohubError: a name that there is not.
    """
    for what, given, valid in (("template", templates, TEMPLATES), ("intensity", intensities or (), INTENSITIES)):
        if unknown := [name for name in given if name not in valid]:
            raise EmohubError(f"There is no {what} {unknown[0]!r}; valid: {', '.join(map(repr, valid))}.")
    return {
        "gender": dict(GENDERS),
        "age": dict.fromkeys(AGES, 1),
        "ethnicity": dict.fromkeys(ETHNICITIES, 1),
        "template": dict.fromkeys(templates or TEMPLATES, 1),
        "intensity": dict.fromkeys(INTENSITIES if intensities is None else intensities, 1),
    }


def make_prompts(
    wanted: Mapping[str | None, int],
    *,
    seed: int,
    name: str = "p",
    templates: Sequence[str] = (),
    intensities: Sequence[str] | None = None,
) -> list[Prompt]:
    """So many prompts for each emotion, in random order.

    Args:
        wanted: Emotion → how many; None stands for neutral faces.
        seed: Source of chance.
        name: How their ids begin.
        templates: Names of templates; by default all.
        intensities: Words for the intensity; by default all; a neutral face has none.

    Raises:
        EmohubError: an unknown emotion, or nothing wanted.

    Example:
        >>> [prompt.id for prompt in make_prompts({"Awe": 2}, seed=1)]
        ['p-000000', 'p-000001']
    """
    counts = {emotion and canonical(emotion): count for emotion, count in wanted.items() if count}
    if not counts or min(counts.values()) < 0:
        raise EmohubError(f"Wanted are {dict(wanted)} prompts; give a number above 0 for at least one emotion.")
    rng = np.random.default_rng([seed, int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)])
    shares = factors(templates, intensities)
    emotions = [emotion for emotion in (*NAMES, None) if emotion in counts]
    first = np.repeat(np.arange(len(emotions)), [counts[emotion] for emotion in emotions])
    levels = crossed(first, {factor: list(of.values()) for factor, of in shares.items()}, rng)
    words = _words(emotions, first, rng)
    found = []
    for number, row in enumerate(rng.permutation(len(first))):
        level = {factor: list(of)[levels[factor][row]] for factor, of in shares.items()}
        id = f"{name}-{number:06}"
        person: Person = {"ethnicity": level["ethnicity"], "gender": level["gender"], "age": level["age"]}
        wording = Wording(person, words[row], level["intensity"] if words[row] else "", level["template"])
        about: dict[str, Any] = {
            "words": wording.words,
            "intensity": wording.intensity,
            "template": wording.template,
            **person,
        }
        found.append(Prompt(id=id, text=wording.text(), emotion=emotions[first[row]], seed=seed_of(id, seed), **about))
    return found


def seed_of(id: str, seed: int = 0) -> int:
    """The seed of a picture, from its id alone and the seed of all."""
    return int(hashlib.sha256(f"{seed} {id}".encode()).hexdigest(), 16) % MAX_SEED


def _words(emotions: Sequence[str | None], first: np.ndarray, rng: np.random.Generator) -> list[str]:
    """The words of each row: all of its emotion's, each of them first as often as any other, within one."""
    descriptors = {emotion.name: emotion.descriptors for emotion in EMOTIONS}
    found = [""] * len(first)
    for at, emotion in enumerate(emotions):
        rows = rng.permutation(np.flatnonzero(first == at))
        own = descriptors[emotion] if emotion else ()
        for turn, row in enumerate(rows):
            start = turn % len(own) if own else 0
            found[row] = ", ".join((*own[start:], *own[:start]))
    return found


def write_prompts(path: Path, prompts: Sequence[Prompt], about: Mapping[str, Any]) -> None:
    """Write the rows as Parquet, whole or not at all, with how they were made in its metadata."""
    schema = SCHEMA.with_metadata({"emohub": json.dumps(about, ensure_ascii=False)})
    with replacing_file(path) as part:
        pq.write_table(pa.Table.from_pylist([asdict(prompt) for prompt in prompts], schema), part, compression="zstd")


def read_prompts(path: Path) -> list[Prompt]:
    """Prompts from Parquet: those of `emohub generate prompts`, or any table with `id` and `text`.

    Raises:
        EmohubError: it cannot be read, lacks a column, or holds an id twice or one that is no file name.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise EmohubError(f"{path} cannot be read: {error}. Give a table of `emohub generate prompts`.") from error
    if missing := {"id", "text"} - {*table.column_names}:
        columns = ", ".join(table.column_names)
        raise EmohubError(f"{path} has no column {', '.join(sorted(missing))}; its columns are {columns}.")
    found, bad = list[Prompt](), list[str]()
    seen: set[str] = set()
    for row in table.to_pylist():
        try:
            found.append(one := _prompt(row))
        except (MediaError, EmohubError, ValueError, TypeError) as error:
            bad.append(f"{row['id']!r}: {error}")
            continue
        if one.id in seen:
            bad.append(f"{one.id!r} is there twice")
        seen.add(one.id)
    if bad or not found:
        raise EmohubError(f"{path}: {len(bad)} of {table.num_rows} prompts cannot be used.\n{listed(bad)}")
    return found


def _prompt(row: Mapping[str, Any]) -> Prompt:
    id, text = row["id"], row["text"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"text is {text!r}; must be words")
    if item_id(f"{id}.png") != id:
        raise ValueError("an id must be a file name without its ending")
    seed = seed_of(id) if row.get("seed") is None else int(row["seed"])
    if not 0 <= seed < MAX_SEED:
        raise ValueError(f"seed is {seed}; must be from 0 to {MAX_SEED - 1}")
    emotion = row.get("emotion")
    texts = {
        name: cast(str, row.get(name) or "") for name in ("words", "intensity", "template", "ethnicity", "gender")
    }
    return Prompt(id=id, text=text, emotion=emotion and canonical(emotion), age=row.get("age"), seed=seed, **texts)
