"""How much of Chehre's label ratings is the video, how much the rater."""

from collections.abc import Iterator

import numpy as np

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._chehre import CLUSTERS, need_humans
from emohub.report.statistics import jackknife, shares, variance_components
from emohub.report.studies.videos import Videos
from emohub.report.table import Cell, Table

METHOD = "method of moments for two crossed random effects; delete-a-group jackknife over performers"
NOTE = (
    "Shares of all variance of the human label ratings: between labels of videos, between raters, and the rest, which "
    "is how raters differ about single labels: the disagreement that the distributional task is about. A component "
    "below 0 counts as 0."
)
PARTS = {"item": "Label of a video", "rater": "Rater", "residual": "Rest"}


def make(study: Videos, settings: Settings) -> Iterator[Output]:
    """One row per component."""
    need_humans(study)
    frame = study.human
    names = frame["item"] + "\n" + frame["category"]
    unit, rater, item = (np.unique(of, return_inverse=True)[1] for of in (names, frame["rater"], frame["item"]))
    items = np.unique(frame["item"])
    performers = np.unique([study.performers[name] for name in items], return_inverse=True)[1]
    rating = frame["rating"].to_numpy(float)

    def values(chosen: np.ndarray) -> dict[str, float]:
        rows = chosen[item]
        return shares(variance_components(unit[rows], rater[rows], rating[rows]))

    made = jackknife(values, len(items), clusters=performers, seed=settings.seed)
    if np.isnan(made.values).any():
        raise Gap("the ratings do not vary, or raters and labels cannot be told apart")
    rows: list[tuple[Cell, ...]] = []
    for name, heading in PARTS.items():
        one = made.of({name: 1.0})
        record = one.record(
            f"chehre.variance.{name}",
            settings.confidence,
            is_share=True,
            n=len(items),
            method=METHOD,
            population=CLUSTERS,
        )
        rows.append((heading, record))
    title = "Variance components of the human ratings"
    yield Table("chehre-variance", title, ("Component", "Share of the variance"), rows, NOTE)


ITEM = Item("chehre.variance", "Variance components", (Videos,), make, place=41)
