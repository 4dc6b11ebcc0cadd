"""Chehre's second task: does a rater's disagreement with itself look like that among people?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._chehre import (
    BASELINES,
    CLUSTERS,
    HALF,
    KEY,
    ONE,
    against_the_rest,
    draws,
    need_humans,
    predictions,
    resamples,
)
from emohub.report.measure import compute
from emohub.report.record import Record, measured
from emohub.report.statistics import jackknifed_mean
from emohub.report.studies.videos import Videos
from emohub.report.table import Cell, Table

METHOD = "Spread Ratio, sqrt of the summed variances of the rater's samples over those of the humans"
MIN_SAMPLES = 2  # of a label, to have a spread
HELD_OUT = "mean absolute difference from a person's rating, mean over labels of videos; jackknife over performers"
NOTE = (
    "Spread Ratio: 1 is as much spread as among people, 0 is always the same answer. The energy distance is 0 where "
    "ratings are distributed as people's; noise can have the right spread, but not both. From a person is how far a "
    "rater's answer is, on the scale 0–3, from that of one person; of one human, from each other person of the video. "
    "One answer has no spread, so one human has no Spread Ratio: half of the humans against the other half stands for "
    "it, with the interval of random divisions."
)


def make(study: Videos, settings: Settings) -> Iterator[Output]:
    """One row per rater, baselines and humans first."""
    need_humans(study)
    rows: list[tuple[Cell, ...]] = []
    reference: dict[str, Any] = {}
    for rater in (*BASELINES, *study.models):
        samples = draws(study, rater, settings.seed) if rater in BASELINES else predictions(study, rater)
        distance = _from_a_person(study, rater, samples, settings)
        if _most_samples(samples) < MIN_SAMPLES:
            why = "one answer has no spread: sample the rater at least twice on each video"
            rows.append((rater, _none(f"chehre.spread_ratio.{rater}", why, rater), None, distance, 0))
            continue
        found = compute(
            "spread_ratio",
            predictions=samples,
            references=study.human,
            splits=0 if reference else 200,
            **resamples(study, settings),
        )
        reference = reference or found["human_reference"]
        rows.append(_row(study, rater, found, distance, _energy(study, rater, samples, settings)))
    rows[len(BASELINES) : len(BASELINES)] = _humans(study, reference, settings)
    columns = ("Rater", "Spread Ratio", "Energy distance", "From a person", "Units")
    yield Table("chehre-spread", "Spread and distribution", columns, rows, NOTE)


def _row(study: Videos, rater: str, found: dict[str, Any], distance: Record, energy: Record) -> tuple[Cell, ...]:
    more = {"rater": rater, "n": found["n_items"]}
    ratio = measured(f"chehre.spread_ratio.{rater}", found, "spread_ratio", method=METHOD, population=CLUSTERS, **more)
    return (rater, ratio, energy, distance, found["n_units"])


def _energy(study: Videos, rater: str, samples: pd.DataFrame, settings: Settings) -> Record:
    """The energy distance, mean over labels of videos, with the performers as the sample."""
    of_people, of_samples = (frame["item"].map(study.performers) for frame in (study.human, samples))
    sums = []
    for performer in sorted(of_people.dropna().unique()):
        its = samples[of_samples == performer]
        if its.empty or _most_samples(its) < MIN_SAMPLES:
            continue
        try:
            made = compute("spread_ratio", predictions=its, references=study.human[of_people == performer], splits=0)
        except Gap:  # no label that two people and two samples rate
            continue
        sums.append((made["energy_distance"] * made["n_units"], made["n_units"]))
    total, n = np.array(sums, dtype=float).reshape(-1, 2).T
    one = jackknifed_mean(total, n, clusters=None, seed=settings.seed)
    return one.record(
        f"chehre.energy.{rater}",
        settings.confidence,
        n=samples["item"].nunique(),
        method="energy distance (U-statistics), mean over labels of videos; delete-a-group jackknife over performers",
        population=CLUSTERS,
        rater=rater,
    )


def _humans(study: Videos, reference: dict[str, Any], settings: Settings) -> list[tuple[Cell, ...]]:
    """One person against the rest, and half against half."""
    one, _, _ = against_the_rest(study)
    distance = _from_a_person(study, ONE, one, settings)
    rows: list[tuple[Cell, ...]] = [
        (ONE, _none(f"chehre.spread_ratio.{ONE}", "one answer has no spread", ONE), None, distance, None)
    ]
    if reference:
        more: dict[str, Any] = {
            "rater": HALF,
            "n": int(study.human["item"].nunique()),
            "population": "other divisions of the people",
        }
        ratio = Record(
            id=f"chehre.spread_ratio.{HALF}",
            value=reference["spread_ratio"],
            interval=tuple(reference["interval"]),
            method=f"1 by definition; percentiles of {reference['n_splits']} random divisions",
            **more,
        )
        energy = None
        if "energy_distance" in reference:
            energy = Record(
                id=f"chehre.energy.{HALF}",
                value=reference["energy_distance"],
                interval=tuple(reference["energy_interval"]),
                method="energy distance of the halves, mean and percentiles over the divisions",
                **more,
            )
        rows.append((HALF, ratio, energy, None, reference["n_units"]))
    return rows


def _from_a_person(study: Videos, rater: str, said: pd.DataFrame, settings: Settings) -> Record:
    """Mean absolute difference from one person's rating, each label of each video alike."""
    people = study.human[["item", "rater", "category", "rating"]]
    if rater == ONE:
        said = people.rename(columns={"rater": "other"})
    pairs = people.merge(said[[*KEY, "rating", *(["other"] if rater == ONE else [])]], on=KEY, suffixes=("", "_said"))
    if rater == ONE:
        pairs = pairs[pairs["rater"] != pairs["other"]]
    away = (
        (pairs["rating"] - pairs["rating_said"])
        .abs()
        .groupby([pairs[name] for name in KEY])
        .mean()
        .reset_index(name="away")
    )
    sums = away.groupby("item")["away"].agg(["sum", "size"])
    performers = np.unique([study.performers[item] for item in sums.index], return_inverse=True)[1]
    one = jackknifed_mean(sums["sum"].to_numpy(), sums["size"].to_numpy(), clusters=performers, seed=settings.seed)
    return one.record(
        f"chehre.from_a_person.{rater}",
        settings.confidence,
        n=len(sums),
        method=HELD_OUT,
        population=CLUSTERS,
        rater=rater,
    )


def _most_samples(samples: pd.DataFrame) -> int:
    return int(samples.groupby(KEY).size().max()) if len(samples) else 0


def _none(id: str, why: str, rater: str) -> Record:
    return Record(id=id, value=float("nan"), no_interval=why, rater=rater, method=METHOD)


ITEM = Item("chehre.spread", "The distributional task", (Videos,), make, place=21)
