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

SEEN = ("Hinted", "Not hinted")
OWN = (
    "Share of the images that were made for an emotion whose annotation has it above 0, hinted at it and not. "
    "Hints were given where an emotion was rare, so the two are different images."
)


def make(study: Synthetic, settings: Settings) -> Iterator[Output]:
    """What the dataset says of its own annotation, then one row for each run with a hint, beside the runs without."""
    if not study.made.empty:
        yield _own(study, settings)
    hints = {rater: str(one.options["hint"]) for rater, one in study.asked.items() if one.options.get("hint")}
    plain = [rater for rater in study.asked if rater not in hints]
    if (not hints or not plain) and not study.made.empty:
        return
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


def _own(study: Synthetic, settings: Settings) -> Table:
    """How often images show what they were made for, by whether the annotator had a hint."""
    rows: list[tuple[Cell, ...]] = []
    for at, emotion in enumerate(study.categories):
        mine = (study.made["target"] == at).to_numpy()
        if not mine.any():
            continue
        seen, hinted = study.intensities[:, at] > 0, study.made["hint"].notna().to_numpy()
        shares = [
            share(f"big.made.{emotion}.{name}", int((seen & of).sum()), int(of.sum()), settings.confidence)
            for name, of in (("hinted", mine & hinted), ("plain", mine & ~hinted))
        ]
        rows.append((emotion, int(mine.sum()), *shares))
    return Table("big-made", "Images that show what they were made for", ("Emotion", "Images", *SEEN), rows, OWN)


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
