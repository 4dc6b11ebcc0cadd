"""Figure 9: Krippendorff's α of the humans in each emotion."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas
from tqdm import tqdm

from emohub.report.figure import COLOURS, Figure, bars
from emohub.report.item import Item, Output, Settings
from emohub.report.items._hq import by_emotion, need_humans
from emohub.report.measure import compute
from emohub.report.record import Record, best_first, measured
from emohub.report.statistics import percentile_interval
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Table

METHOD = "Krippendorff's α of the humans, interval level"
UPSTREAM = "percentile interval of a bootstrap over images"
NOTE = "α of all humans on the images that at least two of them rated. No variation at all: undefined, and counted."


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """A table and bars, the highest α first; the mean over emotions on top."""
    need_humans(study)
    humans = study.values[study.humans]
    found = compute("krippendorff_alpha", ratings=humans, **({} if settings.upstream else settings.resamples))
    population = found.get("population", "")
    whole = measured(
        "hq.alpha.mean", found, "krippendorff_alpha", n=found["n_items"], method=METHOD, population=population
    )
    if settings.upstream:
        whole = _published(whole, humans, settings)
    records = {
        emotion: measured(
            f"hq.alpha.{emotion}",
            entry,
            "krippendorff_alpha",
            n=entry["n_items"],
            method=METHOD,
            population=population,
        )
        for emotion, entry in by_emotion(study, found["per_category"]).items()
    }
    best = sorted(records, key=lambda name: best_first(records[name]))
    rows = [("Mean over emotions", whole), *((name, records[name]) for name in best)]
    note = f"{NOTE} Undefined: {found['n_undefined']} emotions."
    yield Table("hq-figure9", "Krippendorff's α of the humans", ("Emotion", "α"), rows, note)
    yield _figure([name for name in best if records[name].value == records[name].value], records)


def _published(whole: Record, humans: np.ndarray, settings: Settings) -> Record:
    """The mean with the percentile interval of the paper."""
    rng = np.random.default_rng(settings.seed)
    n = humans.shape[1]
    drawn = [
        compute("krippendorff_alpha", ratings=humans[:, rng.integers(n, size=n)])["krippendorff_alpha"]
        for _ in tqdm(range(settings.bootstrap), "α of resamples", leave=False)
    ]
    return replace(
        whole,
        interval=percentile_interval(drawn, settings.confidence),
        method=f"{METHOD}; {UPSTREAM}",
        population="other images, the same raters",
    )


def _figure(names: list[str], records: dict[str, Record]) -> Figure:
    def draw(canvas: Canvas) -> None:
        axes: Any = canvas.subplots()
        values, ends = [records[name].value for name in names], [records[name].interval for name in names]
        bars(axes, names, values, ends, color=COLOURS[0])
        axes.set_xlabel("α, with its interval where there is one")

    alt = f"Bars of {len(names)} emotions" + (f", from {names[0]} down to {names[-1]}." if names else ".")
    return Figure("hq-figure9", "Krippendorff's α of the humans", alt, draw, (7.0, 1.0 + 0.17 * len(names)))


ITEM = Item("hq.figure9", "Figure 9 · α of each emotion", (Intensities,), make, place=15, upstream=True)
