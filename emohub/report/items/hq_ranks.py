"""Which rater is ahead in how many emotions: mean ranks, and how far apart they have to be."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._hq import kappas_of, need_humans
from emohub.report.record import Record
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Cell, Table

METHOD = "mean over emotions of the rank by κ_w with the humans, 1 is the highest, ties share; common images"
NOTE = (
    "Ranks by κ_w in each emotion, on the {images:,} images that all these raters rated, over the {emotions} emotions "
    "in which all have one. Friedman's test that all are alike: p {p}. Mean ranks closer than {distance:.2f} are not "
    "told apart (Nemenyi). Emotions share their images, which makes both look more certain than they are; the "
    "differences in pairs do not have that fault."
)
LEAST = 3  # raters, of whom Friedman's test speaks


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """[raters] mean rank over emotions of values [raters, emotions], 1 for the highest."""
    return np.asarray(stats.rankdata(-values, axis=0).mean(axis=1))


def critical_difference(n_raters: int, n_emotions: int, confidence: float) -> float:
    """How far two mean ranks must be apart (Demšar 2006, Journal of Machine Learning Research 7, section 3.2.2)."""
    q = stats.studentized_range.ppf(confidence, n_raters, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_raters * (n_raters + 1) / (6 * n_emotions)))


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """One row per rater that is no human, the best first."""
    need_humans(study)
    if len(study.others) < LEAST:
        raise Gap(f"it needs {LEAST} raters beside the humans; there are {len(study.others)}")
    common = study.rated[~study.humans].all(axis=0) & study.rated[study.humans].any(axis=0)
    if not common.any():
        raise Gap("no image was rated by a human and by all other raters")
    found = kappas_of(study, common, settings)
    values = np.array([[found[rater][emotion] for emotion in study.categories] for rater in study.others])
    values = values[:, ~np.isnan(values).any(axis=0)]
    if values.shape[1] < 2 or np.ptp(values) == 0:
        raise Gap("κ_w is the same for all, or undefined for some, in all but one emotion")
    p = float(stats.friedmanchisquare(*values).pvalue)
    distance = critical_difference(len(values), values.shape[1], settings.confidence)
    rows: list[tuple[Cell, ...]] = [
        (
            rater,
            Record(id=f"hq.ranks.{rater}", value=float(rank), n=values.shape[1], method=METHOD, rater=rater),
            int((values.argmax(axis=0) == at).sum()),
        )
        for at, (rater, rank) in enumerate(zip(study.others, mean_ranks(values), strict=True))
    ]
    rows.sort(key=lambda row: row[1].value if isinstance(row[1], Record) else 0.0)
    shown = "< 0.001" if p < 0.001 else f"= {p:.3f}"
    note = NOTE.format(images=int(common.sum()), emotions=values.shape[1], p=shown, distance=distance)
    yield Table(
        "hq-ranks", "Mean rank over the emotions", ("Rater", "Mean rank", "Emotions first"), rows, note, digits=2
    )


ITEM = Item("hq.ranks", "Ranks over the emotions", (Intensities,), make, place=41)
