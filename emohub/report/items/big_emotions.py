"""BIG: how many images show each emotion, how strongly, and who is shown."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import COLOURS, Figure, bars
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.record import Record
from emohub.report.statistics import share
from emohub.report.studies.synthetic import Synthetic
from emohub.report.table import Cell, Table

NOTE = "Images in which the synthetic annotation of the emotion is not zero, and its mean where it is not."
PEOPLE = "As prompted: what the images were asked to show. Shares are of the images for which it is known."


def make(study: Synthetic, settings: Settings) -> Iterator[Output]:
    """Emotions, then demographics where they are known."""
    n = len(study.intensities)
    if not n:
        raise Gap("there are no images")
    shown = study.intensities > 0
    counts = shown.sum(axis=0)
    rows: list[tuple[Cell, ...]] = []
    for at in np.argsort(-counts, kind="stable"):
        emotion, some = study.categories[at], study.intensities[shown[:, at], at]
        record = Record(id=f"big.emotions.{emotion}.n", value=int(counts[at]), n=n, method="count of non-zero")
        of_all = share(f"big.emotions.{emotion}.share", int(counts[at]), n, settings.confidence)
        mean = float(some.mean()) if len(some) else None
        rows.append((emotion, record, of_all, mean, *(int((np.round(some) == value).sum()) for value in range(1, 8))))
    columns = ("Emotion", "Images", "Share", "Mean intensity", *map(str, range(1, 8)))
    yield Table("big-emotions", f"Emotions of {n:,} images", columns, rows, NOTE)
    yield _figure([str(row[0]) for row in rows], sorted(map(int, counts), reverse=True))
    if not study.people.empty:
        yield _people(study, settings)


def _people(study: Synthetic, settings: Settings) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for attribute in study.people:
        column = study.people[attribute].dropna()
        for group, n in column.value_counts().sort_index().items():
            text = f"{group:g}" if isinstance(group, int | float) else str(group)
            id = f"big.demographics.{attribute}.{text}"
            rows.append((str(attribute), text, int(n), share(id, int(n), len(column), settings.confidence)))
    return Table("big-demographics", "Who is shown", ("Attribute", "Group", "Images", "Share"), rows, PEOPLE)


def _figure(names: list[str], counts: list[int]) -> Figure:
    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        bars(axes, names, [float(count) for count in counts], [None] * len(names), color=COLOURS[0])
        axes.set_xlabel("images with the emotion")

    alt = f"Bars from {names[0]} ({counts[0]:,} images) down to {names[-1]} ({counts[-1]:,})."
    return Figure("big-emotions", "Images with each emotion", alt, draw, (7.0, 1.0 + 0.17 * len(names)))


ITEM = Item("big.emotions", "Emotions and demographics of BIG", (Synthetic,), make, place=20)
