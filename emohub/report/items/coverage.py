"""Who rated how much, and what is missing."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from emohub.report.item import Item, Output, Settings
from emohub.report.record import Record
from emohub.report.studies.intensities import Intensities
from emohub.report.studies.study import LongStudy, Study
from emohub.report.studies.videos import Videos
from emohub.report.studies.votes import Votes
from emohub.report.table import Cell, Table

MANY = 40  # humans; more of them share one row
MISSING = "Of raters that are no humans: people rate batches by design."
NOTE = "Share of the items that anybody rated. Raters of different items cannot be put side by side without saying so."


def make(study: Intensities | LongStudy, settings: Settings) -> Iterator[Output]:
    """One row per rater; of many humans one for all."""
    counts, n_items = _counts(study)
    people = counts[counts["kind"] == "human"]
    rows: list[tuple[Cell, ...]] = []
    if len(people) > MANY:
        median = people["items"].median()
        rows.append((f"{len(people):,} humans, median of each", "human", "", float(median), None, None, None))
        counts = counts[counts["kind"] != "human"]
    rows += [_row(study, one, n_items) for one in counts.itertuples()]
    columns = ("Rater", "Kind", "Protocol", "Items", "Share", "Items missing", "Ratings")
    yield Table(f"coverage-{study.slug}", f"Who rated how many of {n_items:,} items", columns, rows, NOTE, digits=2)
    missing = list(_missing(study))
    if missing:
        yield Table(f"missing-{study.slug}", "Items without a rating", ("Rater", "Item"), missing, MISSING, shown=10)


def _missing(study: Intensities | LongStudy) -> Iterator[tuple[str, str]]:
    """Raters that are no humans, each with the items that it did not rate."""
    for rater, kind in study.kind_of.items():
        if kind != "human":
            yield from ((rater, item) for item in sorted(study.rated_items - study.rated_by(rater)))


def _row(study: Study, one: Any, n_items: int) -> tuple[Cell, ...]:
    protocol = study.protocol(one.rater)
    record = Record(
        id=f"coverage.{study.name}.{one.rater}",
        value=one.items / n_items,
        n=int(one.items),
        method="rated items / items that anybody rated",
        rater=one.rater,
    )
    return (one.rater, one.kind, protocol, int(one.items), record, int(n_items - one.items), int(one.ratings))


def _counts(study: Intensities | LongStudy) -> tuple[pd.DataFrame, int]:
    """(rater, kind, items, ratings of every rater; number of items)."""
    if isinstance(study, Intensities):
        ratings = (~np.isnan(study.values)).sum(axis=(1, 2))
        frame = pd.DataFrame(
            {"rater": study.raters, "kind": study.kinds, "items": study.rated.sum(axis=1), "ratings": ratings}
        )
        return frame, len(study.items)
    frame = study.rows
    of = frame.groupby(["rater", "kind"], observed=True)["item"]
    counts = of.agg(items="nunique", ratings="size").reset_index()
    return counts.sort_values(["kind", "rater"]), int(frame["item"].nunique())


ITEM = Item("coverage", "Coverage", (Intensities, Votes, Videos), make, place=5)
