"""Figure 4: mean rank correlation of each rater with the median of the humans."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import COLOURS, Figure, bars
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._hq import RHO, groups, need_humans, rho
from emohub.report.raters import ORDER
from emohub.report.record import Record, best_first, measured
from emohub.report.statistics import mean_defined, percentile_interval
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Cell, Table

NOTE = (
    "A rater that rates all images of an emotion the same has no ρ there and counts as 0; an emotion in which the "
    "humans' medians do not vary cannot be tested and is left out. Both are counted."
)
UPSTREAM = "mean of the defined ρ over emotions; percentile interval of a bootstrap over the emotions"


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """A table and bars, the best first."""
    need_humans(study, 1)
    if not study.others:
        raise Gap("there are no ratings but those of humans")
    rows: list[tuple[Cell, ...]] = []
    group_of = {name: group for group, names in groups(study, study.others).items() for name in names}
    records: dict[str, Record] = {}
    for rater in study.others:
        found = rho(study, rater, settings)
        records[rater] = _upstream(rater, found, settings) if settings.upstream else _record(rater, found)
        rows.append(
            (rater, group_of[rater], records[rater], found["n_items"], found["n_constant"], found["n_undefined"])
        )
    best = sorted(records, key=lambda name: best_first(records[name]))
    rows.sort(key=lambda row: best.index(str(row[0])))
    columns = ("Rater", "Group", "Mean ρ", "Images", "Emotions: constant", "Emotions: not testable")
    yield Table("hq-figure4", "Rank correlation with the humans' median", columns, rows, NOTE)
    yield _figure([records[name] for name in best], [group_of[name] for name in best])


def _record(rater: str, found: dict) -> Record:
    more = {"n": found["n_items"], "method": RHO, "population": found["population"], "rater": rater}
    return measured(f"hq.figure4.{rater}.rho", found, "rating_correlation", **more)


def _upstream(rater: str, found: dict, settings: Settings) -> Record:
    """The mean of the defined ρ, and its percentile interval over the emotions."""
    rho = np.array([one["rho"] for one in found["per_category"].values()], dtype=float)
    defined = rho[~np.isnan(rho)]
    draws = np.array([])
    if len(defined):
        rng = np.random.default_rng(settings.seed)
        draws = defined[rng.integers(len(defined), size=(settings.bootstrap, len(defined)))].mean(axis=1)
    return Record(
        id=f"hq.figure4.{rater}.rho",
        value=mean_defined(rho),
        interval=percentile_interval(draws, settings.confidence),
        n=found["n_items"],
        method=UPSTREAM,
        population="other emotions, the same images and raters",
        rater=rater,
    )


def _figure(records: list[Record], of: list[str]) -> Figure:
    colours = dict(zip(ORDER, (*COLOURS[6:], *COLOURS[:6]), strict=True))

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        values = [0.0 if record.value != record.value else record.value for record in records]
        names, ends = [record.rater for record in records], [record.interval for record in records]
        bars(axes, names, values, ends, color=[colours[group] for group in of])
        axes.set_xlabel("mean ρ over the emotions")
        handles = [axes.barh(0, 0, color=colours[group], label=group) for group in dict.fromkeys(of)]
        canvas.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)), fontsize=7)

    best = records[0]
    alt = f"Bars of {len(records)} raters; the longest is that of {best.rater}, {best.value:.2f}."
    return Figure(
        "hq-figure4", "Rank correlation with the humans' median", alt, draw, (7.0, 1.3 + 0.26 * len(records))
    )


ITEM = Item("hq.figure4", "Figure 4 · Rank correlation", (Intensities,), make, place=13, upstream=True)
