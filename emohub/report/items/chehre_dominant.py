"""Chehre's first task: does a rater name the label that people see most?"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._chehre import (
    CLUSTERS,
    HALF,
    ONE,
    PRIOR,
    RANDOM,
    SPLITS,
    dominant,
    halves,
    need_humans,
    several_people,
)
from emohub.report.measure import compute
from emohub.report.record import Record, measured
from emohub.report.statistics import mean_defined, percentile_interval
from emohub.report.studies.videos import Videos
from emohub.report.table import Cell, Table

MEASURES = {"top1_split": "top1", "top3": "top3", "ndcg": "ndcg", "skill": "skill"}
HEADINGS = ("Top-1", "Top-3", "nDCG", "Skill")
METHOD = "dominant expression among the emoji's labels; ties share"
NOTE = (
    "Among the labels of the emoji, ties shared. Random: every order. Prior: the labels that other performers' videos "
    "of the emoji show, so what the emoji alone gives away. One human: each person against the others of the video. "
    "Half of the humans: one random half against the other, mean of {splits} divisions. Skill is nDCG from the random "
    "order (0) to the best (1). Intervals take performers as the sample."
)


def make(study: Videos, settings: Settings) -> Iterator[Output]:
    """One row per rater, baselines and humans first."""
    need_humans(study)
    people = (ONE,) if several_people(study) else ()
    rows: list[tuple[Cell, ...]] = [
        _row(study, rater, dominant(study, rater, settings)) for rater in (RANDOM, PRIOR, *people, *study.models)
    ]
    rows.insert(2 + len(people), _halves(study, settings))
    columns = ("Rater", *HEADINGS, "Videos", "Without an answer")
    yield Table("chehre-dominant", "The dominant expression", columns, rows, NOTE.format(splits=SPLITS))


def _row(study: Videos, rater: str, found: dict[str, Any]) -> tuple[Cell, ...]:
    more = {"rater": rater, "method": METHOD, "population": CLUSTERS}
    cells = [
        measured(
            f"chehre.{name}.{rater}", found["scores"][score], "value", n=found["scores"][score]["n_items"], **more
        )
        for score, name in MEASURES.items()
    ]
    n = found["n_items"] if rater != ONE else len(study.human["item"].unique())
    return (rater, *cells, n, found["n_without_prediction"])


def _halves(study: Videos, settings: Settings) -> tuple[Cell, ...]:
    """The mean over random divisions, with how far single divisions spread."""
    found = []
    for split in range(SPLITS):
        first, second = halves(study, settings.seed + split)
        try:
            made = compute("dominant_expression", predictions=_means(first), references=second)
        except Gap:  # no video has people on both sides
            continue
        found.append([made["scores"][score]["value"] for score in MEASURES] + [made["n_items"]])
    values = np.array(found, dtype=float).reshape(-1, len(MEASURES) + 1)
    n = int(values[:, -1].mean()) if len(values) else 0
    cells = [
        Record(
            id=f"chehre.{name}.{HALF}",
            value=mean_defined(values[:, at]),
            interval=percentile_interval(values[:, at], settings.confidence),
            n=n,
            method=f"{METHOD}; mean and percentiles of {SPLITS} random divisions of the people",
            population="other divisions of the same people",
            rater=HALF,
        )
        for at, name in enumerate(MEASURES.values())
    ]
    return (HALF, *cells, n, None)


def _means(frame: Any) -> Any:
    return frame.groupby(["item", "category"], as_index=False)["rating"].mean()


ITEM = Item("chehre.dominant", "The dominant task", (Videos,), make, place=20)
