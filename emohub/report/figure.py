"""Pictures for a paper and for the page: PDF and PNG, light and dark, in colours that most people tell apart."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context, rcParams
from matplotlib.figure import Figure as Canvas

# Okabe and Ito, https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
DIVERGING = "RdBu_r"
DPI = 150
THEMES: dict[str, Any] = {
    name: {
        "figure.facecolor": paper,
        "axes.facecolor": paper,
        "savefig.facecolor": paper,
        "axes.edgecolor": line,
        "axes.grid.axis": "x",
        "grid.color": line,
        "grid.linewidth": 0.5,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.titlecolor"), ink),
        "font.size": 8,
        "axes.titlesize": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "pdf.fonttype": 42,
    }
    for name, paper, ink, line in (
        ("light", "#ffffff", "#1a1a1a", "#c9c9c9"),
        ("dark", "#16181d", "#e8e8e8", "#4a4f58"),
    )
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that is drawn when it is written.

    Attributes:
        id: Stem of its files.
        title: What it shows.
        alt: The same for who does not see it, with what stands out.
        draw: Draws into a canvas.
        size: Width and height in inches; 7 are two columns of a paper.
        note: What has to be known to read it.
    """

    id: str
    title: str
    alt: str
    draw: Callable[[Canvas], None]
    size: tuple[float, float] = (7.0, 4.0)
    note: str = ""

    def write(self, folder: Path) -> None:
        """Write `<id>.pdf`, `<id>.png` and `<id>-dark.png`."""
        for theme, endings in (("light", (".pdf", ".png")), ("dark", ("-dark.png",))):
            with rc_context(THEMES[theme]):
                canvas = Canvas(figsize=self.size, layout="constrained")
                self.draw(canvas)
                for ending in endings:
                    undated = {"CreationDate": None} if ending == ".pdf" else None
                    # Each is laid out anew: the same text is wider in a PNG than in a PDF.
                    canvas.savefig(folder / f"{self.id}{ending}", dpi=DPI, metadata=undated)


def bars(
    axes: Any, names: list[str], values: list[float], ends: list[tuple[float, float] | None], **more: Any
) -> None:
    """Horizontal bars from the top down with intervals as lines."""
    places = range(len(names))
    axes.barh(places, values, **({"color": COLOURS[0], "height": 0.7} | more))
    for place, both in zip(places, ends, strict=True):
        if both:
            axes.plot(both, (place, place), color=str(rcParams["text.color"]), linewidth=1.1, solid_capstyle="butt")
    label_rows(axes, names)
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def stacked(
    axes: Any, names: list[str], shares: Any, labels: list[str], colours: tuple[str, ...], **more: Any
) -> None:
    """Stacked bars of shares [names, labels] from the top down."""
    left = np.zeros(len(names))
    for widths, label, colour in zip(np.asarray(shares, dtype=float).T, labels, colours, strict=True):
        axes.barh(range(len(names)), widths, left=left, color=colour, label=label, height=0.72)
        left += widths
    label_rows(axes, names, **more)
    axes.set_xlim(0, 1)


def label_rows(axes: Any, names: list[str], *, size: float = 8) -> None:
    """Names at the left of rows that run from the top down."""
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def heatmap(
    axes: Any, cells: Any, rows: list[str], columns: list[str], *, ends: tuple[float, float], numbers: bool = True
) -> Any:
    """Coloured cells under their names, with the number in each where there is room."""
    image = axes.imshow(cells, vmin=ends[0], vmax=ends[1], cmap=DIVERGING, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if numbers:
        reach = max(abs(end) for end in ends)
        for (row, column), value in _defined(cells):
            ink = "#ffffff" if abs(value) > 0.6 * reach else "#1a1a1a"
            text = re.sub(r"^(-?)0\.", r"\1.", f"{round(value, 2) + 0.0:.2f}").replace("-", "−")
            axes.text(column, row, text, ha="center", va="center", fontsize=5.5, color=ink)
    return image


def _defined(cells: Any) -> Iterator[tuple[tuple[int, int], float]]:
    for row, line in enumerate(cells):
        for column, value in enumerate(line):
            if value == value:  # not nan
                yield (row, column), float(value)
