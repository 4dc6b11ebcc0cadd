"""Figure 3: κ_w of humans among each other, and of each group of raters with them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas
from scipy import stats

from emohub.report.figure import COLOURS, Figure, label_rows
from emohub.report.item import Item, Output, Settings
from emohub.report.items._hq import groups, kappa, kappa_of
from emohub.report.raters import HUMANS
from emohub.report.record import ITEMS, Record
from emohub.report.statistics import Difference, holm, jackknife
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Cell, Table

NOTE = (
    "Each point of a box is one rater in one emotion: its mean κ_w with the humans. Differences are of group means; "
    "their error is that of other images (delete-a-group jackknife), p is corrected by Holm's method."
)
UPSTREAM = (
    "Mann–Whitney U on (rater, emotion) values, which are neither independent nor corrected for the number of tests."
)


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """Boxes of both parts, group means, and how the groups differ from the humans."""
    found = kappa(study, settings)["per_rater"]
    of = groups(study)
    points = {name: _defined(entry["per_category"].values()) for name, entry in found.items()}
    in_groups = {group: np.concatenate([points[name] for name in names]) for group, names in of.items()}
    yield _boxes("hq-figure3a", "Agreement among the humans", {name: points[name] for name in of.get(HUMANS, [])})
    yield _boxes("hq-figure3b", "Agreement of each group with the humans", in_groups)
    rows: list[tuple[Cell, ...]] = [
        (
            group,
            len(of[group]),
            Record(id=f"hq.figure3.{group}.mean", value=_mean(values), n=len(values), method="mean of the points"),
            *map(float, np.quantile(values, (0.25, 0.5, 0.75)) if len(values) else [np.nan] * 3),
        )
        for group, values in in_groups.items()
    ]
    columns = ("Group", "Raters", "Mean κ_w", "First quartile", "Median", "Third quartile")
    yield Table("hq-figure3-groups", "Agreement of each group with the humans", columns, rows)
    if HUMANS in of and len(of) > 1:
        yield _mann_whitney(in_groups) if settings.upstream else _differences(study, of, settings)


def _differences(study: Intensities, of: dict[str, list[str]], settings: Settings) -> Table:
    made = jackknife(
        lambda items: kappa_of(study, items, settings), len(study.items), clusters=None, seed=settings.seed
    )
    humans = {name: -1 / len(of[HUMANS]) for name in of[HUMANS]}
    found: dict[str, Difference] = {
        group: made.of(humans | {name: 1 / len(names) for name in names})
        for group, names in of.items()
        if group != HUMANS
    }
    rows: list[tuple[Cell, ...]] = []
    for (group, one), p in zip(found.items(), holm([one.p for one in found.values()]), strict=True):
        record = one.record(
            f"hq.figure3.{group}.minus_humans",
            settings.confidence,
            p=p,
            n=len(study.items),
            method="difference of group means of κ_w, delete-a-group jackknife over images, Holm",
            population=ITEMS,
        )
        rows.append((group, record, p, one.equivalence(settings.margin)))
    columns = ("Group", "Minus humans", "p (Holm)", f"p, equal within ±{settings.margin:g} (TOST)")
    return Table("hq-figure3-tests", "Groups compared with the humans", columns, rows, NOTE)


def _mann_whitney(in_groups: dict[str, np.ndarray]) -> Table:
    humans = in_groups[HUMANS]
    rows: list[tuple[Cell, ...]] = []
    for group, values in in_groups.items():
        if group == HUMANS or not len(values):
            continue
        test = stats.mannwhitneyu(humans, values, alternative="two-sided")
        difference = Record(
            id=f"hq.figure3.{group}.humans_minus",
            value=_mean(humans) - _mean(values),
            p=float(test.pvalue),
            n=len(values),
            method=UPSTREAM,
        )
        rows.append((group, difference, float(test.statistic), float(test.pvalue)))
    columns = ("Group", "Humans minus it", "U", "p, uncorrected")
    return Table("hq-figure3-tests", "Groups compared with the humans", columns, rows, UPSTREAM)


def _boxes(id: str, title: str, values: dict[str, np.ndarray]) -> Figure:
    def draw(canvas: Canvas) -> None:
        axes: Any = canvas.subplots()
        ink = axes.spines["left"].get_edgecolor()
        axes.boxplot(
            list(values.values()),
            orientation="horizontal",
            positions=range(len(values)),
            widths=0.6,
            patch_artist=True,
            boxprops={"facecolor": COLOURS[5], "edgecolor": ink},
            medianprops={"color": COLOURS[1], "linewidth": 1.6},
            whiskerprops={"color": ink},
            capprops={"color": ink},
            flierprops={"marker": ".", "markersize": 3, "markeredgecolor": COLOURS[6]},
        )
        label_rows(axes, [f"{name} ({len(of):,})" for name, of in values.items()])
        axes.axvline(0, color=ink, linewidth=0.6)
        axes.set_xlabel("κ_w with the humans, each point one rater in one emotion")
        axes.grid(axis="x")
        axes.set_axisbelow(True)

    medians = ", ".join(f"{name} {np.median(of):.2f}" for name, of in values.items() if len(of))
    return Figure(id, title, f"Boxes with the medians {medians}.", draw, (7.0, 0.9 + 0.32 * len(values)))


def _defined(values: Any) -> np.ndarray:
    found = np.array(list(values), dtype=float)
    return found[~np.isnan(found)]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


ITEM = Item("hq.figure3", "Figure 3 · Agreement by group", (Intensities,), make, place=12, upstream=True)
