"""What leaves the store: tables that `emohub report` reads, and Label Studio's JSON, both ways."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from controls import Invalid
from given import Given
from study import Study

LABEL_STUDIO = "label_studio.json"
WHOLE = {"sample": "Int32", "step": "Int8"}


def tables(study: Study, answers: Sequence[Given]) -> dict[str, pd.DataFrame]:
    """Every table of an export.

    Args:
        study: The study.
        answers: In the order of saving; training and checks are no ratings and stand in `answers` alone.

    Returns:
        Name → table: those of the kind of study, and `answers` with one row per answer: its item, rater, step, sample,
        seconds and what was touched.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    numbered = study.rules.repeats > 0 or any(one.sample > 1 for one in answers)
    for one in answers:
        item = study.items[one.item]
        about = {"item": one.item, "rater": one.annotator, "step": one.step, "sample": one.sample, "role": item.role}
        touched = None if one.touched is None else list(one.touched)
        answer = json.dumps(dict(one.answer), ensure_ascii=False)
        rows["answers"].append({**about, "seconds": one.seconds, "touched": touched, "answer": answer})
        if item.role == "item":
            for table, row in study.kind.rows(one, item, one.sample if numbered else None):
                rows[table].append(row)
    return {name: _typed(pd.DataFrame(its)) for name, its in rows.items()}


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({name: type_ for name, type_ in WHOLE.items() if name in frame})


def to_label_studio(study: Study, answers: Sequence[Given]) -> list[dict[str, Any]]:
    """Tasks with annotations, as Label Studio imports and exports them: one task per item and step."""
    of: dict[tuple[str, int], list[Given]] = defaultdict(list)
    for one in answers:
        if study.items[one.item].role == "item":
            of[one.item, one.step].append(one)
    return [
        {
            "data": {"item": item, "step": step, "media": study.items[item].media},
            "annotations": [
                {
                    "completed_by": {"email": one.annotator},
                    "lead_time": one.seconds,
                    "meta": {"sample": one.sample, "touched": one.touched and list(one.touched)},
                    "result": [_result(name, value) for name, value in one.answer.items() if value is not None],
                }
                for one in given
            ],
        }
        for (item, step), given in of.items()
    ]


def _result(name: str, value: Any) -> dict[str, Any]:
    """One region: a number, or a choice."""
    kind: str
    content: Any
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind, content = "choices", [str(value).lower() if isinstance(value, bool) else value]
    else:
        kind, content = "number", value
    return {"from_name": name, "to_name": "media", "type": kind, "value": {kind: content}}


def from_label_studio(study: Study, tasks: Sequence[Mapping[str, Any]]) -> Iterator[Given]:
    """The inverse.

    Raises:
        ValueError: a task of another form, an unknown item, or an answer that its question does not allow.
    """
    for number, task in enumerate(tasks, 1):
        try:
            item, step = str(task["data"]["item"]), int(task["data"].get("step", 1))
            for one in task.get("annotations", ()):
                raw = {region["from_name"]: _value(region) for region in one["result"]}
                meta = one.get("meta") or {}
                who = one["completed_by"]
                name = (
                    who.get("email") or f"label-studio-{who['id']}" if isinstance(who, dict) else f"label-studio-{who}"
                )
                touched = meta.get("touched")
                yield checked(
                    study,
                    Given(
                        str(name),
                        item,
                        step,
                        int(meta.get("sample", 1)),
                        raw,
                        None if touched is None else tuple(touched),
                        one.get("lead_time"),
                    ),
                )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"task {number} is not one of Label Studio's with data.item: {error!r}") from error


def _value(region: Mapping[str, Any]) -> Any:
    content = region["value"]
    if region["type"] == "choices":
        (choice,) = content["choices"]
        return {"true": True, "false": False}.get(choice, choice)
    return content[region["type"]]


def from_ratings(study: Study, frame: pd.DataFrame) -> Iterator[Given]:
    """Answers of a table of ratings, such as a dataset's own or an export's.

    Raises:
        ValueError: columns are missing, an item is unknown, or ratings that no answer can have.
    """
    if not hasattr(study.kind, "answers"):
        raise ValueError(f"a study of {study.rules.kind} keeps no ratings; import Label Studio's JSON")
    if missing := [name for name in ("item", "rater", "category", "rating") if name not in frame]:
        raise ValueError(f"the table lacks {', '.join(missing)}; it has {', '.join(map(str, frame))[:300]}")
    frame = frame.reindex(columns=["item", "rater", "category", "rating", "step", "sample"])
    frame = frame.astype({"item": str, "rater": str, "category": str})
    frame["sample"] = frame["sample"].fillna(1).astype(int)
    frame["step"] = [
        _step(study, *cells) for cells in zip(frame["item"], frame["category"], frame["step"], strict=True)
    ]
    for (item, step, sample, rater), its in frame.groupby(["item", "step", "sample", "rater"], sort=False):
        answer = study.kind.answers(int(step), its.to_dict("records"))
        yield checked(study, Given(str(rater), str(item), int(step), int(sample), answer), partial=True)


def _step(study: Study, item: str, category: str, step: Any) -> int:
    """The step of a rating; where the table does not say, by its category, or the first."""
    if not pd.isna(step):
        return int(step)
    if (known := study.items.get(item)) and hasattr(study.kind, "step_of"):
        return int(study.kind.step_of(known, category))
    return int(next(iter(study.kind.STEPS)))


def checked(study: Study, given: Given, *, partial: bool = False) -> Given:
    """An answer from elsewhere, held to the same rules as one from the page.

    Args:
        study: The study.
        given: The answer.
        partial: Whether controls may be missing, as in tables that keep only some of them; they stay missing.

    Raises:
        ValueError: it would have been refused.
    """
    where = f"{given.annotator[:64]!r} on {given.item[:100]!r}"
    if given.item not in study.items or given.step not in study.kind.STEPS:
        raise ValueError(f"{where}, step {given.step}: the study has no such question")
    question = study.question(study.items[given.item], given.step, given.annotator, given.sample)
    raw = {name: value for name, value in given.answer.items() if name not in question.stored}
    stored = {name: value for name, value in given.answer.items() if name in question.stored}
    if partial:
        question = replace(question, controls=[one for one in question.controls if one.name in raw])
    try:
        clean = study.kind.validate(question, raw)
    except Invalid as error:
        raise ValueError(f"{where}: {error}") from error
    return replace(given, answer=clean | stored)


def write_export(study: Study, answers: Sequence[Given], folder: Path) -> dict[str, int]:
    """Write every table as Parquet, and Label Studio's JSON; returns rows per file."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for name, table in tables(study, answers).items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
        counts[f"{name}.parquet"] = len(table)
    tasks = to_label_studio(study, answers)
    (folder / LABEL_STUDIO).write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
    return counts | {LABEL_STUDIO: len(tasks)}
