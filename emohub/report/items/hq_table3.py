"""Table 3: which model gives answers that can be read, under which protocol, and for how many images."""

from collections.abc import Iterator
from typing import Any

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.statistics import share
from emohub.report.studies.intensities import Intensities
from emohub.report.studies.study import SUFFIXES
from emohub.report.table import Cell, Table

NOTE = (
    "Answers that could be read, of the questions asked: from the run of emohub rate where there is one, else the "
    "images with ratings, of all. What is missing was refused, empty, unreadable or never asked; a run says which."
)


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """One row for each model and protocol."""
    rows: list[tuple[Cell, ...]] = []
    for rater, kind in zip(study.raters, study.kinds, strict=True):
        if not (protocol := study.protocol(rater)) or kind == "human":
            continue
        run = study.asked.get(rater)
        asked, parsed = len(study.items), int(study.rated[study.raters.index(rater)].sum())
        if run and run.asked is not None and run.parsed is not None:
            asked, parsed = run.asked, run.parsed
        failures = ", ".join(f"{n:,} {name}" for name, n in run.failures.items()) if run else None
        more: dict[str, Any] = {"rater": rater}
        record = share(f"hq.table3.{rater}.parsed", parsed, asked, settings.confidence, **more)
        rows.append((_model(rater), protocol, asked, parsed, record, failures))
    if not rows:
        raise Gap("no rater was asked by a protocol")
    rows.sort(key=lambda row: (str(row[0]), str(row[1])))
    columns = ("Model", "Protocol", "Asked", "Read", "Share", "Failures")
    yield Table("hq-table3", "Answers that could be read", columns, rows, NOTE)


def _model(rater: str) -> str:
    """The name without upstream's suffix for a protocol."""
    return next((rater.removesuffix(suffix) for suffix in SUFFIXES if rater.endswith(suffix)), rater)


ITEM = Item("hq.table3", "Table 3 · Who answers under which protocol", (Intensities,), make, place=11)
