"""Figure 10: in which emotions a rater sees more, or less, than the humans."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import Figure, heatmap
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._hq import need_humans
from emohub.report.record import ITEMS, Record
from emohub.report.statistics import Difference
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Cell, Table

NOTE = (
    "Mean rating of the rater minus the mean of the humans, over the images that both rated, on the scale 0–7. Above "
    "0 the rater sees more of the emotion than people do. The largest differences come first."
)
METHOD = "mean over images of the rating minus the mean of the humans, Student's t"


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """All differences, the largest first, and a heatmap."""
    need_humans(study, 1)
    if not study.others:
        raise Gap("there are no ratings but those of humans")
    people = _mean_of(study.values[study.humans])
    cells = np.full((len(study.others), len(study.categories)), np.nan)
    rows: list[tuple[Cell, ...]] = []
    for row, rater in enumerate(study.others):
        for column, emotion in enumerate(study.categories):
            away = study.of(rater)[:, column] - people[:, column]
            away = away[~np.isnan(away)]
            if not len(away):
                continue
            error = float(away.std(ddof=1) / np.sqrt(len(away))) if len(away) > 1 else float("nan")
            one = Difference(float(away.mean()), error, max(len(away) - 1, 1))
            cells[row, column] = one.value
            record = one.record(
                f"hq.figure10.{rater}.{emotion}",
                settings.confidence,
                n=len(away),
                method=METHOD,
                population=ITEMS,
                rater=rater,
            )
            rows.append((rater, emotion, record))
    if not rows:
        raise Gap("no image was rated by a human and by another rater")
    rows.sort(key=lambda row: -abs(row[2].value if isinstance(row[2], Record) else 0.0))
    columns = ("Rater", "Emotion", "Rater minus humans")
    yield _figure(study.others, list(study.categories), cells)
    yield Table("hq-figure10", "Where raters and humans differ", columns, rows, NOTE, digits=2, shown=20)


def _mean_of(values: np.ndarray) -> np.ndarray:
    """[items, categories] mean of the raters who rated; nan where nobody did."""
    given = ~np.isnan(values)
    n = given.sum(axis=0)
    total = np.where(given, values, 0.0).sum(axis=0)
    return np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)


def _figure(raters: list[str], emotions: list[str], cells: np.ndarray) -> Figure:
    reach = float(np.nanmax(np.abs(cells))) or 1.0

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        image = heatmap(axes, cells.T, emotions, raters, ends=(-reach, reach), numbers=len(raters) <= 16)
        bar = canvas.colorbar(image, ax=axes, shrink=0.5, label="rater minus humans, on 0–7")
        bar.outline.set_visible(False)

    row, column = np.unravel_index(int(np.nanargmax(np.abs(cells))), cells.shape)
    alt = (
        f"Heatmap of {len(emotions)} emotions and {len(raters)} raters. The largest difference is "
        f"{cells[row, column]:.2f}, {raters[row]} in {emotions[column]}."
    )
    return Figure("hq-figure10", "Where raters and humans differ", alt, draw, (min(4.2 + 0.3 * len(raters), 8.5), 8.6))


ITEM = Item("hq.figure10", "Figure 10 · Where raters and humans differ", (Intensities,), make, place=16)
