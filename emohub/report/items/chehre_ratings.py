"""How often each rating was given, by people and by the others."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import COLOURS, Figure, stacked
from emohub.report.item import Item, Output, Settings
from emohub.report.items._chehre import need_humans
from emohub.report.record import Record
from emohub.report.studies.videos import LABELS, SCALES, Videos
from emohub.report.table import Cell, Table

NOTE = "Share of all label ratings; ratings that are not whole are counted at the nearest whole number, half up."


def make(study: Videos, settings: Settings) -> Iterator[Output]:
    """A table and stacked bars."""
    need_humans(study)
    low, high = map(int, SCALES[LABELS].ends)
    values = list(range(low, high + 1))
    of = {"humans": study.human, **{rater: study.of(rater) for rater in study.models}}
    rows: list[tuple[Cell, ...]] = []
    shares = {}
    for rater, frame in of.items():
        whole = np.clip(np.floor(frame["rating"].to_numpy(float) + 0.5), low, high)
        shares[rater] = [float(np.mean(whole == value)) for value in values]
        cells = [
            Record(
                id=f"chehre.ratings.{rater}.{value}", value=share, n=len(frame), rater=rater, method="share of ratings"
            )
            for value, share in zip(values, shares[rater], strict=True)
        ]
        rows.append((rater, len(frame), *cells, float(frame["rating"].mean())))
    columns = ("Rater", "Ratings", *map(str, values), "Mean")
    yield Table("chehre-ratings", "How often each rating was given", columns, rows, NOTE)
    yield _figure(shares, values)


def _figure(shares: dict[str, list[float]], values: list[int]) -> Figure:
    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        colours = (COLOURS[6], *COLOURS[4:6], COLOURS[0])
        stacked(axes, list(shares), list(shares.values()), list(map(str, values)), colours)
        axes.set_xlabel("share of the label ratings")
        canvas.legend(loc="outside upper center", ncols=len(values), title="rating")

    people = next(iter(shares.values()))
    alt = "Stacked bars; people give " + ", ".join(
        f"{v}: {100 * s:.0f} %" for v, s in zip(values, people, strict=True)
    )
    return Figure("chehre-ratings", "How often each rating was given", f"{alt}.", draw, (7.0, 1.3 + 0.3 * len(shares)))


ITEM = Item("chehre.ratings", "Distribution of ratings", (Videos,), make, place=23)
