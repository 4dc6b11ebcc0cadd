"""Gaps between groups of items: every measure of every rater in every group, and the largest gaps first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import COLOURS, Figure, label_rows
from emohub.report.item import Output, Settings
from emohub.report.record import Record
from emohub.report.statistics import Difference, simultaneous
from emohub.report.table import Cell, Table

LEAST = 30  # items in a group
Measures = Mapping[str, tuple[str, str]]
"""Name in the ids → heading, method."""
NOTE = (
    "A gap is the value of the first group minus that of the second. The intervals hold together, for all pairs of "
    "groups of all raters in a measure (Bonferroni), so the largest gap may be picked out."
)


@dataclass(frozen=True, slots=True)
class Value:
    """One measure of one rater in one group."""

    measure: str
    attribute: str
    group: str
    rater: str
    record: Record


def large(column: pd.Series) -> tuple[dict[str, np.ndarray], list[str]]:
    """Groups of items by a column.

    Args:
        column: [items] group of each item; missing where it is not known.

    Returns:
        (group → [items] mask, of the groups with at least `LEAST` items; the other groups with their sizes). No group
        where only one is large enough.
    """
    masks = {group: (column == group).to_numpy() for group in sorted(column.dropna().unique())}
    named = {f"{group:g}" if isinstance(group, int | float) else str(group): mask for group, mask in masks.items()}
    small = [f"{group} ({int(mask.sum())})" for group, mask in named.items() if mask.sum() < LEAST]
    found = {group: mask for group, mask in named.items() if mask.sum() >= LEAST}
    return (found if len(found) > 1 else {}), small


def outputs(
    prefix: str, values: list[Value], measures: Measures, small: list[str], note: str, settings: Settings
) -> Iterator[Output]:
    """A picture and a table of the largest gaps, and a table of every value.

    Args:
        prefix: Of ids and files.
        values: Every measure of every rater in every group.
        measures: What they are.
        small: Groups that were left out.
        note: About the measures.
        settings: How everything is computed.
    """
    gaps, n_pairs, unknown = _gaps(prefix, values, measures, settings)
    told = f"Groups with fewer than {LEAST} items, left out: {', '.join(small) or 'none'}."
    told += f" Pairs of groups without a standard error: {unknown:,} of {n_pairs + unknown:,}."
    if gaps:
        yield _figure(prefix, gaps[:16], measures)
        rows: list[tuple[Cell, ...]] = [(measures[gap[0]][0], *gap[1:]) for gap in gaps]
        columns = ("Measure", "Attribute", "Rater", "First group", "Second group", "Gap")
        yield Table(f"{prefix}-fairness-gaps", "Largest gap between groups", columns, rows, f"{NOTE} {note}", shown=15)
    yield _groups(prefix, values, measures, f"{note} {told}")


_Gap = tuple[str, str, str, str, str, Record]  # measure, attribute, rater, first group, second group, difference


def _gaps(prefix: str, values: list[Value], measures: Measures, settings: Settings) -> tuple[list[_Gap], int, int]:
    """The largest gap of each measure, attribute and rater, largest first; pairs with and without an error."""
    of: dict[tuple[str, str, str], list[Value]] = {}
    for value in values:
        of.setdefault((value.measure, value.attribute, value.rater), []).append(value)
    pairs = [pair for group in of.values() for pair in combinations(group, 2)]
    known = [pair for pair in pairs if all(one.record.standard_error for one in pair)]
    n_pairs = {name: sum(pair[0].measure == name for pair in known) for name in measures}
    largest: dict[tuple[str, str, str], tuple[Value, Value]] = {}
    for first, second in known:
        key = (first.measure, first.attribute, first.rater)
        high, low = sorted((first, second), key=lambda one: -one.record.value)
        best = largest.get(key)
        if best is None or high.record.value - low.record.value > best[0].record.value - best[1].record.value:
            largest[key] = (high, low)
    found = [
        (*key, high.group, low.group, _gap(prefix, high, low, simultaneous(settings.confidence, n_pairs[key[0]])))
        for key, (high, low) in largest.items()
    ]
    found.sort(key=lambda row: -row[-1].value)
    return found, len(known), len(pairs) - len(known)


def _gap(prefix: str, high: Value, low: Value, confidence: float) -> Record:
    """The difference of two groups of different items, so of independent values (Welch, Satterthwaite)."""
    variances = [(one.record.standard_error or 0.0) ** 2 for one in (high, low)]
    freedoms = [one.record.degrees_of_freedom or 1.0 for one in (high, low)]
    total = sum(variances)
    freedom = total**2 / sum(one**2 / df for one, df in zip(variances, freedoms, strict=True))
    one = Difference(high.record.value - low.record.value, float(np.sqrt(total)), freedom)
    return one.record(
        f"{prefix}.fairness.{high.measure}.{high.attribute}.gap.{high.rater}",
        confidence,
        n=(high.record.n or 0) + (low.record.n or 0),
        method=f"{high.group} minus {low.group}, the largest gap; simultaneous interval (Bonferroni)",
        population=high.record.population,
        rater=high.rater,
    )


def _groups(prefix: str, values: list[Value], measures: Measures, note: str) -> Table:
    cells: dict[tuple[str, str, str], dict[str, Record]] = {}
    for value in values:
        cells.setdefault((value.attribute, value.group, value.rater), {})[value.measure] = value.record
    rows: list[tuple[Cell, ...]] = [
        (*key, max(record.n or 0 for record in found.values()), *(found.get(name) for name in measures))
        for key, found in cells.items()
    ]
    columns = ("Attribute", "Group", "Rater", "Items", *(heading for heading, _ in measures.values()))
    return Table(f"{prefix}-fairness", "Every measure in every group", columns, rows, note, shown=15)


def _figure(prefix: str, gaps: list[_Gap], measures: Measures) -> Figure:
    names = [
        f"{measures[measure][0]} · {rater}\n{attribute}: {first} minus {second}"
        for measure, attribute, rater, first, second, _ in gaps
    ]
    records = [gap[-1] for gap in gaps]

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        ink = axes.spines["left"].get_edgecolor()
        for place, record in enumerate(records):
            axes.plot(record.interval or (), (place, place) if record.interval else (), color=COLOURS[0], linewidth=2)
            axes.plot(record.value, place, "o", color=COLOURS[1], markersize=5)
        label_rows(axes, names, size=6.5)
        axes.axvline(0, color=ink, linewidth=0.8)
        axes.set_xlabel("gap, with its simultaneous interval")
        axes.grid(axis="x")

    clear = sum(record.interval is not None and record.interval[0] > 0 for record in records)
    alt = f"The {len(records)} largest gaps with their intervals; {clear} of them lie above 0."
    return Figure(
        f"{prefix}-fairness-gaps", "Largest gaps between groups", alt, draw, (7.0, 1.0 + 0.36 * len(records))
    )
