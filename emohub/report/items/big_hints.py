"""BIG: does a hint at an emotion make the annotator see it (App. B.1)?"""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.statistics import share
from emohub.report.studies.synthetic import Synthetic
from emohub.report.table import Cell, Table

NOTE = (
    "The same images asked about with a hint at the emotion, and without one. The difference is paired: of the images "
    "on which the two runs disagree, p is the exact test that either is as frequent (McNemar)."
)


def make(study: Synthetic, settings: Settings) -> Iterator[Output]:
    """One row for each run with a hint, beside the runs without."""
    hints = {rater: str(one.options["hint"]) for rater, one in study.asked.items() if one.options.get("hint")}
    plain = [rater for rater in study.asked if rater not in hints]
    if not hints or not plain:
        raise Gap(
            "it needs ratings of its images by emohub rate --protocol top-five, a run with --hint and one without; "
            "the dataset itself does not say which image was annotated with a hint"
        )
    rows = [
        row for rater, hint in hints.items() for other in plain if (row := _row(study, rater, hint, other, settings))
    ]
    if not rows:
        raise Gap("no run with a hint and run without one rated the same images")
    columns = ("Hint", "With it", "Without", "Images", "Seen with it", "Seen without", "p")
    yield Table("big-hints", "Hinted against unhinted", columns, rows, NOTE)


def _row(study: Synthetic, rater: str, hint: str, other: str, settings: Settings) -> tuple[Cell, ...] | None:
    seen = []
    for name in (rater, other):
        its = study.others[(study.others["rater"] == name) & (study.others["category"] == hint)]
        seen.append(its.set_index("item")["rating"] > 0)
    common = seen[0].index.intersection(seen[1].index)
    if not len(common):
        return None
    with_it, without = (one.loc[common].to_numpy() for one in seen)
    n = len(common)
    only, lost = int(np.sum(with_it & ~without)), int(np.sum(~with_it & without))
    p = float(stats.binomtest(only, only + lost).pvalue) if only + lost else float("nan")
    record = share(f"big.hints.{hint}.{rater}", int(with_it.sum()), n, settings.confidence, rater=rater)
    base = share(f"big.hints.{hint}.{rater}.without|{other}", int(without.sum()), n, settings.confidence, rater=other)
    return (hint, rater, other, n, record, base, p)


ITEM = Item("big.hints", "Hinted against unhinted", (Synthetic,), make, place=21)
