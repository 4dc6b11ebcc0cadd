"""Krippendorff's α of BINARY's votes: as published, and as it is defined."""

from collections.abc import Iterator
from typing import Any

from emohub.report.item import Item, Output, Settings
from emohub.report.measure import compute
from emohub.report.record import Record, measured
from emohub.report.studies.votes import Votes
from emohub.report.table import Table

RIGHT = "Krippendorff's α, nominal, images × emotions as units and annotators as raters"
PUBLISHED = "Krippendorff's α as published: target votes only, images taken as raters and annotators as units"
NOTE = (
    "Neither value measures how reliable the labels are: the chain stops at the first no, so all but the last vote on "
    "a target are yes by design. The published one takes images for raters; it is repeated to show where the paper's "
    "numbers come from."
)


def make(study: Votes, settings: Settings) -> Iterator[Output]:
    """Both values of all votes, and of each emotion."""
    found = compute(
        "krippendorff_alpha",
        ratings=study.first[["item", "rater", "category", "rating", "step"]],
        level="nominal",
        upstream=True,
        **settings.resamples,
    )
    right = _records("binary.alpha.right", found["pooled"], found["per_category"], RIGHT, found["population"], found)
    turned = found["upstream"]
    published = _records("binary.alpha.published", turned, turned["per_category"], PUBLISHED, "other images", found)
    rows: list[tuple[str, Record | None, Record | None]] = [("All emotions", right[""], published[""])]
    rows += [(emotion, right.get(emotion), published.get(emotion)) for emotion in study.categories]
    columns = ("Emotion", "α", "α as published")
    yield Table("binary-alpha", "Krippendorff's α of the votes", columns, rows, NOTE, digits=2)


def _records(
    id: str,
    whole: dict[str, Any],
    parts: dict[str, dict[str, Any]],
    method: str,
    population: str,
    found: dict[str, Any],
) -> dict[str, Record]:
    """Emotion → α; all together under the empty name."""
    more = {"method": method, "population": population}
    units = found["per_category"]
    records = {"": measured(id, whole, "krippendorff_alpha", n=found["n_items"], **more)}
    return records | {
        emotion: measured(f"{id}.{emotion}", entry, "krippendorff_alpha", n=units[emotion]["n_items"], **more)
        for emotion, entry in parts.items()
    }


ITEM = Item("binary.alpha", "Krippendorff's α, both ways", (Votes,), make, place=12, upstream=True)
