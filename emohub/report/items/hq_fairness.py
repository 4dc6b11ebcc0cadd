"""Whether raters do as well, and see as much, in faces of every age, gender and ethnicity."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import COLOURS, Figure, label_rows
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._hq import KAPPA, RHO, need_humans, options
from emohub.report.measure import compute
from emohub.report.record import ITEMS, Record, measured
from emohub.report.statistics import Difference, simultaneous
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Cell, Table

LEAST = 30  # images in a group
RESAMPLES = 200  # they know a standard error to 5 %
MEASURES = {
    "kappa": ("κ_w", KAPPA),
    "rho": ("ρ", RHO),
    "offset": (
        "Neutral offset",
        "mean rating of the emotions that every human of the image rated 0, mean over images",
    ),
}
NOTE = (
    "The neutral offset is how much of an emotion a rater sees where no human sees any, on the scale 0–7. A gap is "
    "the value of the first group minus that of the second. The intervals hold together, for all pairs of groups of "
    "all raters in a measure (Bonferroni), so the largest gap may be picked out. Groups are as prompted: what the "
    "images were asked to show."
)


@dataclass(frozen=True, slots=True)
class _Value:
    """One measure of one rater in one group."""

    measure: str
    attribute: str
    group: str
    rater: str
    record: Record


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """The largest gap of each rater, and every value."""
    need_humans(study)
    if study.people.empty:
        raise Gap("it is not known who is shown: the dataset has no config with images, such as hq")
    values, small = _values(study, settings)
    if not values:
        raise Gap(f"no two groups of {LEAST} images each")
    gaps, n_pairs, unknown = _gaps(values, settings)
    if gaps:
        yield _figure(gaps[:16])
    told = f"Groups with fewer than {LEAST} images, left out: {', '.join(small) or 'none'}."
    note = f"{NOTE} {told} Pairs without an interval: {unknown:,} of {n_pairs + unknown:,}."
    rows: list[tuple[Cell, ...]] = [
        (MEASURES[measure][0], attribute, rater, first, second, record)
        for measure, attribute, rater, first, second, record in gaps
    ]
    columns = ("Measure", "Attribute", "Rater", "First group", "Second group", "Gap")
    yield Table("hq-fairness-gaps", "Largest gap between groups of images", columns, rows, note, shown=15)
    yield _groups(values)


def _values(study: Intensities, settings: Settings) -> tuple[list[_Value], list[str]]:
    found, small = [], []
    for attribute in study.people:
        column = study.people[attribute]
        groups = {group: (column == group).to_numpy() for group in sorted(column.dropna().unique())}
        small += [f"{group} ({int(mask.sum())})" for group, mask in groups.items() if mask.sum() < LEAST]
        groups = {group: mask for group, mask in groups.items() if mask.sum() >= LEAST}
        if len(groups) > 1:
            for group, mask in groups.items():
                text = f"{group:g}" if isinstance(group, int | float) else str(group)
                found += list(_of_group(study, str(attribute), text, mask, settings))
    return found, small


def _of_group(
    study: Intensities, attribute: str, group: str, mask: np.ndarray, settings: Settings
) -> Iterator[_Value]:
    values = study.values[:, mask]
    resamples = min(settings.bootstrap, RESAMPLES)
    drawn = {"bootstrap": resamples, "seed": settings.seed, "confidence": settings.confidence}
    partners = [str(at) for at in np.flatnonzero(study.humans)]
    kappa = compute("weighted_kappa", ratings=values, partners=partners, **drawn, **options(settings))
    for number, entry in kappa["per_rater"].items():
        yield _value("kappa", attribute, group, study.raters[int(number)], entry, "weighted_kappa", int(mask.sum()))
    people = values[study.humans]
    unseen = (np.nan_to_num(people) == 0).all(axis=0) & ~np.isnan(people).all(axis=0)
    for at, rater in enumerate(study.raters):
        if study.humans[at]:
            continue
        yield _offset(attribute, group, rater, np.where(unseen, values[at], np.nan), settings)
        if not np.isnan(values[at]).all():
            rho = compute("rating_correlation", predictions=values[at], references=people, **drawn)
            yield _value("rho", attribute, group, rater, rho, "rating_correlation", rho["n_items"])


def _value(measure: str, attribute: str, group: str, rater: str, entry: dict[str, Any], name: str, n: int) -> _Value:
    id = f"hq.fairness.{measure}.{attribute}.{group}.{rater}"
    method = MEASURES[measure][1]
    record = measured(id, entry, name, n=n, rater=rater, method=method, population=ITEMS)
    return _Value(measure, attribute, group, rater, record)


def _offset(attribute: str, group: str, rater: str, ratings: np.ndarray, settings: Settings) -> _Value:
    given = ~np.isnan(ratings)
    per_image = np.where(given, ratings, 0.0).sum(axis=1)[given.any(axis=1)] / given.sum(axis=1)[given.any(axis=1)]
    n = len(per_image)
    mean = float(per_image.mean()) if n else float("nan")
    error = float(per_image.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    one = Difference(mean, error, max(n - 1, 1))
    record = Record(
        id=f"hq.fairness.offset.{attribute}.{group}.{rater}",
        value=mean,
        interval=one.interval(settings.confidence),
        standard_error=error if error > 0 else None,
        degrees_of_freedom=one.freedom,
        n=n,
        method=MEASURES["offset"][1],
        population=ITEMS,
        rater=rater,
    )
    return _Value("offset", attribute, group, rater, record)


_Gap = tuple[str, str, str, str, str, Record]


def _gaps(values: list[_Value], settings: Settings) -> tuple[list[_Gap], int, int]:
    """The largest gap of each measure, attribute and rater, largest first; pairs with and without an error."""
    of: dict[tuple[str, str, str], list[_Value]] = {}
    for value in values:
        of.setdefault((value.measure, value.attribute, value.rater), []).append(value)
    pairs = [pair for group in of.values() for pair in combinations(group, 2)]
    known = [pair for pair in pairs if all(one.record.standard_error for one in pair)]
    n_pairs = {name: sum(pair[0].measure == name for pair in known) for name in MEASURES}
    largest: dict[tuple[str, str, str], tuple[_Value, _Value]] = {}
    for first, second in known:
        key = (first.measure, first.attribute, first.rater)
        high, low = sorted((first, second), key=lambda one: -one.record.value)
        best = largest.get(key)
        if best is None or high.record.value - low.record.value > best[0].record.value - best[1].record.value:
            largest[key] = (high, low)
    found = [
        (*key, high.group, low.group, _gap(high, low, simultaneous(settings.confidence, n_pairs[key[0]])))
        for key, (high, low) in largest.items()
    ]
    found.sort(key=lambda row: -row[-1].value)
    return found, len(known), len(pairs) - len(known)


def _gap(high: _Value, low: _Value, confidence: float) -> Record:
    """The difference of two groups of different images, so of independent values (Welch, Satterthwaite)."""
    variances = [(one.record.standard_error or 0.0) ** 2 for one in (high, low)]
    freedoms = [one.record.degrees_of_freedom or 1.0 for one in (high, low)]
    total = sum(variances)
    freedom = total**2 / sum(one**2 / df for one, df in zip(variances, freedoms, strict=True))
    one = Difference(high.record.value - low.record.value, float(np.sqrt(total)), freedom)
    return Record(
        id=f"hq.fairness.{high.measure}.{high.attribute}.gap.{high.rater}",
        value=one.value,
        interval=one.interval(confidence),
        standard_error=one.error,
        degrees_of_freedom=one.freedom,
        n=(high.record.n or 0) + (low.record.n or 0),
        method=f"{high.group} minus {low.group}, the largest gap; simultaneous interval (Bonferroni)",
        population=ITEMS,
        rater=high.rater,
    )


def _groups(values: list[_Value]) -> Table:
    cells: dict[tuple[str, str, str], dict[str, Record]] = {}
    for value in values:
        cells.setdefault((value.attribute, value.group, value.rater), {})[value.measure] = value.record
    rows = [
        (
            attribute,
            group,
            rater,
            found["kappa"].n if "kappa" in found else None,
            *(found.get(name) for name in MEASURES),
        )
        for (attribute, group, rater), found in cells.items()
    ]
    columns = ("Attribute", "Group", "Rater", "Images", *(heading for heading, _ in MEASURES.values()))
    return Table("hq-fairness", "Every measure in every group of images", columns, rows, shown=15)


def _figure(gaps: list[_Gap]) -> Figure:
    names = [
        f"{MEASURES[measure][0]} · {rater}\n{first} minus {second}" for measure, _, rater, first, second, _ in gaps
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
    return Figure("hq-fairness-gaps", "Largest gaps between groups", alt, draw, (7.0, 1.0 + 0.36 * len(records)))


ITEM = Item("hq.fairness", "Fairness: age, gender, ethnicity", (Intensities,), make, place=42)
