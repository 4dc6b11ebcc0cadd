"""How much of the ratings is the image, how much the rater; and what a perfect rater could reach."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from emohub.report.item import Item, Output, Settings
from emohub.report.items._hq import need_humans, rho
from emohub.report.record import ITEMS, Record, best_first, measured
from emohub.report.statistics import (
    COMPONENTS,
    Difference,
    Jackknife,
    jackknife,
    mean_defined,
    shares,
    variance_components,
)
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Cell, Table

SHARES = "method of moments for two crossed random effects, mean over emotions; delete-a-group jackknife over images"
DISATTENUATED = (
    "mean over emotions of Pearson's r with the mean of the humans, divided by the mean root of that mean's "
    "reliability; delete-a-group jackknife over images"
)
CEILING = (
    "ρ is with the median of the humans; of a human, with that of the others: what a person reaches is the ceiling of "
    "what a rater can be asked for. The humans' mean is itself uncertain, which lowers every correlation with it: r, "
    "disattenuated, is divided by the root of its reliability (Spearman 1904), which the variance components give. "
    "It may exceed 1."
)
NOTE = (
    "Of all variance of the human ratings: between images, between raters, and the rest, which holds how raters "
    "differ about single images. Components below 0 count as 0 in the shares."
)
LEAST = 0.05  # reliability of the humans' mean, below which a correlation with it says nothing


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """Human ceiling and disattenuated correlations, then the components of each emotion."""
    need_humans(study, 3)
    made = jackknife(lambda items: _values(study, items), len(study.items), clusters=None, seed=settings.seed)
    people = study.values[study.humans]
    parts = _components(people)
    reliability = _reliability(parts, people)
    yield _ceiling(study, settings, made, int((reliability < LEAST).sum()))
    yield _variance(study, settings, made, parts, reliability)


def _values(study: Intensities, items: np.ndarray) -> dict[str, float]:
    """Mean shares of the components, and the disattenuated correlation of every rater, on some images."""
    people = study.values[study.humans][:, items]
    parts = _components(people)
    found = {name: mean_defined([shares(one)[name] for one in parts]) for name in COMPONENTS}
    reliability = _reliability(parts, people)
    usable = np.flatnonzero(reliability >= LEAST)
    root = np.sqrt(np.minimum(reliability[usable], 1.0))
    rated = ~np.isnan(people).all(axis=(0, 2))
    mean = np.nanmean(np.where(rated[:, None], people, 0.0), axis=0)
    for name in study.others:
        own = study.of(name)[items]
        both = rated & ~np.isnan(own).any(axis=1)
        r = np.array([_pearson(own[both, at], mean[both, at]) for at in usable])
        found[name] = float(np.nan_to_num(r).mean() / root.mean()) if len(r) else float("nan")
    return found


def _components(people: np.ndarray) -> list[dict[str, float]]:
    """Variance components of each emotion, of ratings [humans, items, emotions]."""
    found = []
    for at in range(people.shape[2]):
        rater, item = np.nonzero(~np.isnan(people[:, :, at]))
        found.append(variance_components(item, rater, people[rater, item, at]))
    return found


def _reliability(parts: list[dict[str, float]], people: np.ndarray) -> np.ndarray:
    """[emotions] of the mean over the humans who rated an image, whoever they are; 0 where it is not known."""
    found = []
    for one, n in zip(parts, (~np.isnan(people)).sum(axis=0).T, strict=True):
        k = 1 / np.mean(1 / n[n > 0]) if (n > 0).any() else np.nan  # harmonic mean
        noise = (max(one["rater"], 0.0) + max(one["residual"], 0.0)) / k
        total = one["item"] + noise
        found.append(one["item"] / total if total > 0 else np.nan)
    return np.nan_to_num(np.array(found))


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _ceiling(study: Intensities, settings: Settings, made: Jackknife, left_out: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for rater, kind in zip(study.raters, map(str, study.kinds), strict=True):
        found = rho(study, rater, settings)
        more: dict[str, Any] = {"n": found["n_items"], "rater": rater}
        id = f"hq.ceiling.{rater}"
        of = measured(
            f"{id}.rho",
            found,
            "rating_correlation",
            method="Spearman's ρ with the median of the (other) humans, mean over emotions",
            population=found["population"],
            **more,
        )
        other = None
        if kind != "human":
            other = _record(f"{id}.disattenuated", made.of({rater: 1.0}), DISATTENUATED, settings, more)
        rows.append((rater, kind, of, other, found["n_items"]))
    people = [row[2].value for row in rows if row[1] == "human" and isinstance(row[2], Record)]
    ceiling = Record(
        id="hq.ceiling.humans.rho", value=mean_defined(people), n=len(people), method="mean over the humans"
    )
    rows.sort(key=lambda row: best_first(row[2]))
    rows.insert(0, ("Humans, mean: the ceiling", "human", ceiling, None, None))
    columns = ("Rater", "Kind", "ρ", "r, disattenuated", "Images")
    note = f"{CEILING} Emotions with a reliability below {LEAST:g}, left out of it: {left_out}."
    return Table("hq-human-ceiling", "The human ceiling", columns, rows, note)


def _variance(
    study: Intensities, settings: Settings, made: Jackknife, parts: list[dict[str, float]], reliability: np.ndarray
) -> Table:
    n = int(study.rated[study.humans].any(axis=0).sum())
    mean = [_record(f"hq.variance.{name}", made.of({name: 1.0}), SHARES, settings, {"n": n}) for name in COMPONENTS]
    rows: list[tuple[Cell, ...]] = [("Mean over emotions", *mean, float(reliability.mean()))]
    for emotion, one, of in sorted(zip(study.categories, parts, reliability, strict=True), key=lambda row: -row[2]):
        rows.append((emotion, *shares(one).values(), float(of)))
    columns = ("Emotion", "Image", "Rater", "Rest", "Reliability of the humans' mean")
    return Table("hq-variance", "Variance components of the human ratings", columns, rows, NOTE)


def _record(id: str, one: Difference, method: str, settings: Settings, more: dict[str, Any]) -> Record:
    return one.record(
        id,
        settings.confidence,
        is_share=method == SHARES,
        method=method,
        population=ITEMS,
        **more,
    )


ITEM = Item("hq.reliability", "Human ceiling and variance components", (Intensities,), make, place=41)
