"""Raters of Chehre compared with one human and with each other, on the same videos."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from emohub.report.item import Item, Output, Settings
from emohub.report.items._chehre import CLUSTERS, ONE, PRIOR, RANDOM, need_several, per_performer
from emohub.report.statistics import Difference, holm, jackknife
from emohub.report.studies.videos import Videos
from emohub.report.table import Cell, Table

MEASURES = {"top1": "Top-1", "ndcg": "nDCG"}
METHOD = "difference against the people of a video without one of them, delete-a-group jackknife over performers, Holm"
NOTE = (
    "Each rater is held against the people of a video without one of them, and so is that one: the same references "
    "for all, so that one human is the ceiling. Differences take performers as the sample; p is corrected for all "
    "comparisons of a measure. Where TOST's p is small, two raters differ by less than the margin."
)


def make(study: Videos, settings: Settings) -> Iterator[Output]:
    """All pairs, those with one human first."""
    need_several(study)
    raters = (ONE, RANDOM, PRIOR, *study.models)
    rows: list[tuple[Cell, ...]] = []
    for measure, heading in MEASURES.items():
        found = [
            (first, second, *_difference(study, first, second, measure, settings))
            for first, second in combinations(raters, 2)
        ]
        for (first, second, one, n), p in zip(found, holm([row[2].p for row in found]), strict=True):
            record = one.record(
                f"chehre.comparison.{measure}.{second}|{first}",
                settings.confidence,
                p=p,
                n=n,
                method=METHOD,
                population=CLUSTERS,
                rater=second,
            )
            rows.append((heading, second, first, record, p, one.equivalence(settings.margin), n))
    same = f"p, equal within ±{settings.margin:g} (TOST)"
    columns = ("Measure", "Rater", "Minus", "Difference", "p (Holm)", same, "Performers")
    yield Table("chehre-comparison", "Raters in pairs on the same videos", columns, rows, NOTE, shown=20)


def _difference(study: Videos, first: str, second: str, measure: str, settings: Settings) -> tuple[Difference, int]:
    """(second minus first, on the performers whose videos both answered; how many they are)."""
    sides = [per_performer(study, rater)[[measure, f"{measure}_n"]].to_numpy(float) for rater in (first, second)]
    common = (sides[0][:, 1] > 0) & (sides[1][:, 1] > 0)
    sides = [side[common] for side in sides]

    def values(chosen: np.ndarray) -> dict[str, float]:
        sums = [side[chosen].sum(axis=0) for side in sides]
        means = [total / n if n else float("nan") for total, n in sums]
        return {"": means[1] - means[0]}

    n = int(common.sum())
    if not n:
        return Difference(float("nan"), float("nan"), 1), 0
    return jackknife(values, n, clusters=None, seed=settings.seed).of({"": 1.0}), n


ITEM = Item("chehre.comparison", "Compared with one human and with each other", (Videos,), make, place=40)
