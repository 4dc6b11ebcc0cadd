"""Chehre's dominant expression for lm-eval (https://github.com/EleutherAI/lm-evaluation-harness).

Loaded by lm-eval alone, from `chehre_top1.yaml` beside it. The questions are those of the protocol `label-ratings` of
`emohub rate`, the number is that of `emohub report`. lm-eval knows pictures only, so a video is the frames that
`emohub rate` sends. A video that does not decode is asked about without a picture, and its answer is not read.
"""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from datasets import Dataset
from PIL import Image

from emohub.harness.asking import Answer, Task, numbers, task_of
from emohub.rate.questions import BAD_MEDIA, Attempt
from emohub.results.measures import CHEHRE

MEASURE, ANSWERED = "chehre_top1", "answered"


@lru_cache(maxsize=1)
def _task(dataset: str, revision: str | None) -> Task:
    return task_of(dataset, "videos", CHEHRE, "label-ratings", {}, revision=revision)


def videos(dataset: str = "chehre", revision: str | None = None, **_: Any) -> dict[str, Dataset]:
    """The questions, as the split `test`.

    Args:
        dataset: Folder of the dataset repo, or its id on the Hub.
        revision: Commit, branch or tag of the dataset.
        _: What else lm-eval's `--metadata` holds.
    """
    made = _task(dataset, revision)
    files = made.files()
    about = {"dataset": dataset, "revision": revision}
    return {
        "test": Dataset.from_list(
            [
                {**about, "item": item.id, "question": ask.text, "files": [str(path) for path in files[item.id]]}
                for item, ask in made.asks()
            ]
        )
    }


def frames(row: dict[str, Any]) -> list[Image.Image]:
    """The pictures that stand for a row's video."""
    return [Image.open(path).convert("RGB") for path in row["files"]]


def read(row: dict[str, Any], answers: list[str]) -> dict[str, Any]:
    """What becomes of an answer: its ratings for the number over all, and whether there are any."""
    made = _task(row["dataset"], row["revision"])
    items = {item.id: item for item in made.target.items}
    attempt = Attempt(text=answers[0] or "") if row["files"] else Attempt(failure=BAD_MEDIA)
    ratings, failure = made.read(items[row["item"]], "", attempt)
    return {MEASURE: {**row, "ratings": ratings, "failure": failure}, ANSWERED: float(not failure)}


def top1(rows: list[dict[str, Any]]) -> float:
    """Share of the videos whose dominant expression was found, as `emohub report` computes it."""
    every = [Answer(row["item"], None, row["ratings"], row["failure"]) for row in rows]
    made = _task(rows[0]["dataset"], rows[0]["revision"])
    with tempfile.TemporaryDirectory() as work:
        found = numbers(rows[0]["dataset"], CHEHRE, every, Path(work), made.target.rows.revision)
    return found.get(MEASURE, float("nan"))
