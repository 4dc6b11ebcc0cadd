"""Figure 6: κ_w of every pair of raters."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import Figure, heatmap
from emohub.report.item import Item, Output, Settings
from emohub.report.items._hq import kappa_of_pairs
from emohub.report.record import Record
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Table

NOTE = "Mean over the emotions of κ_w on the images that both rated. An empty cell: no image, or always undefined."
METHOD = "weighted κ (quadratic) of two raters, mean over emotions"


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """A heatmap, humans first, and its numbers."""
    cells = kappa_of_pairs(study, settings)
    together = study.rated.astype(int) @ study.rated.T

    def record(row: int, column: int) -> Record | None:
        if row == column or np.isnan(cells[row, column]):
            return None
        one, other = study.raters[row], study.raters[column]
        n = int(together[row, column])
        return Record(id=f"hq.figure6.{one}|{other}", value=float(cells[row, column]), n=n, method=METHOD)

    names = list(study.raters)
    rows = [
        (name, *(record(row, column) if column < row else None for column in range(len(names))))
        for row, name in enumerate(names)
    ]
    yield _figure(names, cells)
    yield Table("hq-figure6", "κ_w of every pair of raters", ("Rater", *names), rows, NOTE, digits=2)


def _figure(names: list[str], cells: np.ndarray) -> Figure:
    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        image = heatmap(axes, cells, names, names, ends=(-1, 1))
        bar = canvas.colorbar(image, ax=axes, shrink=0.6, label="mean κ_w")
        bar.outline.set_visible(False)

    top = np.unravel_index(int(np.nanargmax(cells)), cells.shape) if not np.isnan(cells).all() else (0, 0)
    alt = (
        f"Heatmap of {len(names)} raters, humans first. {names[top[0]]} and {names[top[1]]} agree most, "
        f"{cells[top]:.2f}."
    )
    side = 2.2 + 0.24 * len(names)
    return Figure("hq-figure6", "κ_w of every pair of raters", alt, draw, (min(side + 0.8, 8.5), min(side, 7.5)))


ITEM = Item("hq.figure6", "Figure 6 · Every pair of raters", (Intensities,), make, place=14, upstream=True)
