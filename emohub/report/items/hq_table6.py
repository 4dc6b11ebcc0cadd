"""Table 6: how far each rater agrees with the humans."""

from collections.abc import Iterator
from typing import Any

from emohub.report.item import Item, Output, Settings
from emohub.report.items._hq import KAPPA, KAPPA_UPSTREAM, kappa
from emohub.report.record import Record, best_first, measured
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Table

NOTE = (
    "κ_w of a human is with the other humans, of any other rater with all humans, on the images that both rated. "
    "Mean, SD and median are over the emotions in which it is defined. Raters of different images cannot be put side "
    "by side: see images."
)


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """One row per rater, the best first."""
    found = kappa(study, settings)
    method = KAPPA_UPSTREAM if settings.upstream else KAPPA
    rows = []
    for at, (rater, entry) in enumerate(found["per_rater"].items()):
        n = int(study.rated[at].sum())
        more: dict[str, Any] = {"n": n, "rater": rater, "method": method}
        id = f"hq.table6.{rater}"
        mean = measured(f"{id}.mean", entry, "weighted_kappa", population=found.get("population", ""), **more)
        spread, median = (_also(f"{id}.{name}", entry[name], more) for name in ("sd", "median"))
        top = entry["top_category"]
        best = _also(f"{id}.top1", entry["per_category"][top] if top else None, more)
        rows.append((rater, mean, spread, median, top, best, n, entry["n_categories"]))
    rows.sort(key=lambda row: best_first(row[1]))
    columns = ("Rater", "Mean κ_w", "SD", "Median", "Top emotion", "its κ_w", "Images", "Emotions")
    note = f"{NOTE} Ratings changed to whole numbers: {found['n_changed']:,}, " + (
        f"dropped as out of range: {found['n_dropped']:,}."
        if settings.upstream
        else f"moved to an end of the scale: {found['n_clipped']:,}."
    )
    yield Table("hq-table6", "Agreement with the humans", columns, rows, note)


def _also(id: str, value: float | None, more: dict[str, Any]) -> Record:
    return Record(id=id, value=float("nan") if value is None else value, **more)


ITEM = Item("hq.table6", "Table 6 · Agreement of each rater", (Intensities,), make, place=10, upstream=True)
