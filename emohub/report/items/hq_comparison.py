"""Raters compared with the humans and with each other, on the images that both rated."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._hq import kappa_of, need_humans
from emohub.report.record import ITEMS, Record, best_first
from emohub.report.statistics import Difference, Jackknife, holm, jackknife
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Cell, Table

METHOD = "difference of mean κ_w with the humans on common images, delete-a-group jackknife over images, p by Holm"
BESIDE = (
    "The ceiling is what a human reaches with the other humans, on average, on the images that the rater rated. Where "
    "TOST's p is small, rater and ceiling differ by less than the margin; a large p of the first test shows no such "
    "thing."
)
PAIRS = "Mean κ_w with the humans of the first minus that of the second, on the images that both rated."
LEAST = 30  # common images


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """A table beside the human ceiling, and one of all pairs."""
    need_humans(study)
    if not study.others:
        raise Gap("there are no ratings but those of humans")
    work = _Work(study, settings)
    yield _ceiling(study, settings, work)
    if len(study.others) > 1:
        yield _pairs(study, settings, work)


class _Work:
    """The jackknife of κ_w on the images of some raters; each set of images is worked on once."""

    def __init__(self, study: Intensities, settings: Settings) -> None:
        self.study, self.settings = study, settings
        self.made: dict[bytes, Jackknife] = {}

    def on(self, raters: Sequence[str]) -> tuple[Jackknife | None, int]:
        """(the jackknife on the images that all of these and some human rated, how many they are)."""
        study = self.study
        chosen = study.rated[[study.raters.index(name) for name in raters]].all(axis=0)
        chosen &= study.rated[study.humans].any(axis=0)
        n = int(chosen.sum())
        if n < LEAST:
            return None, n
        if chosen.tobytes() not in self.made:
            places = np.flatnonzero(chosen)

            def values(items: np.ndarray) -> dict[str, float]:
                mask = np.zeros(len(study.items), dtype=bool)
                mask[places[items]] = True
                return kappa_of(study, mask, self.settings)

            self.made[chosen.tobytes()] = jackknife(values, n, clusters=None, seed=self.settings.seed)
        return self.made[chosen.tobytes()], n


def _ceiling(study: Intensities, settings: Settings, work: _Work) -> Table:
    found: list[tuple[str, int, float, Difference | None]] = []
    for rater in study.others:
        made, n = work.on([rater])
        if made is None:
            found.append((rater, n, float("nan"), None))
            continue
        people = [name for name in study.human_names if not np.isnan(made.values[made.names.index(name)])]
        if not people:  # no two humans share an image
            found.append((rater, n, float("nan"), None))
            continue
        share = {name: 1 / len(people) for name in people}
        found.append((rater, n, made.of(share).value, made.of({rater: 1.0, **{k: -v for k, v in share.items()}})))
    corrected = holm([one.p if one else float("nan") for *_, one in found])
    rows: list[tuple[Cell, ...]] = []
    for (rater, n, ceiling, one), p in zip(found, corrected, strict=True):
        record = _record(f"hq.comparison.{rater}.minus_ceiling", one, p, n, rater, settings)
        same = one.equivalence(settings.margin) if one else None
        rows.append(
            (rater, n, None if one is None else ceiling + one.value, ceiling, record, p, same, _verdict(one, p, same))
        )
    rows.sort(key=lambda row: best_first(row[2]))
    columns = (
        "Rater",
        "Images",
        "Mean κ_w",
        "Human ceiling",
        "Difference",
        "p (Holm)",
        f"p, equal within ±{settings.margin:g} (TOST)",
        "In words",
    )
    return Table("hq-ceiling", "Each rater beside the human ceiling", columns, rows, BESIDE)


def _pairs(study: Intensities, settings: Settings, work: _Work) -> Table:
    found = []
    for first, second in combinations(study.others, 2):
        made, n = work.on([first, second])
        found.append((first, second, n, made.of({first: 1.0, second: -1.0}) if made else None))
    corrected = holm([one.p if one else float("nan") for *_, one in found])
    rows: list[tuple[Cell, ...]] = [
        (first, second, n, _record(f"hq.comparison.{first}|{second}", one, p, n, first, settings), p)
        for (first, second, n, one), p in zip(found, corrected, strict=True)
    ]
    rows.sort(key=lambda row: -abs(row[3].value if isinstance(row[3], Record) else 0.0))
    left_out = sum(row[3] is None for row in rows)
    note = f"{PAIRS} Pairs with fewer than {LEAST} common images: {left_out}."
    columns = ("First", "Second", "Images", "First minus second", "p (Holm)")
    return Table("hq-pairs", "Raters in pairs on common images", columns, rows, note, shown=15)


def _record(id: str, one: Difference | None, p: float, n: int, rater: str, settings: Settings) -> Record | None:
    if one is None:
        return None
    return one.record(
        id,
        settings.confidence,
        p=p,
        n=n,
        method=METHOD,
        population=ITEMS,
        rater=rater,
    )


def _verdict(one: Difference | None, p: float, same: float | None) -> str:
    if one is None:
        return f"no ceiling, or fewer than {LEAST} images"
    if same is not None and same < 0.05:
        return "within the margin" + (", yet different" if p < 0.05 else "")
    if p < 0.05:
        return "above" if one.value > 0 else "below"
    return "undecided"


ITEM = Item("hq.comparison", "Compared with the humans and with each other", (Intensities,), make, place=40)
