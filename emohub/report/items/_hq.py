"""What several items of EmoNet-Face HQ show, computed once."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from emohub.report.item import Gap, Settings
from emohub.report.measure import compute
from emohub.report.raters import ORDER, group_of
from emohub.report.studies.intensities import SCALE, Intensities

KAPPA = "weighted κ (quadratic) with each human, mean over humans, then over emotions; ratings rounded to 0–7"
KAPPA_UPSTREAM = "weighted κ (quadratic) with each human, undefined ones left out; ratings truncated"
RHO = "Spearman's ρ with the median of the human ratings, mean over emotions; a constant rater counts 0"

NO_RHO: dict[str, Any] = {
    "rating_correlation": float("nan"),
    "no_interval": "no image that a human rated too",
    "population": "",
    "n_items": 0,
    "n_constant": 0,
    "n_undefined": 0,
    "per_category": {},
}


def options(settings: Settings) -> dict[str, Any]:
    """How ratings that are not whole numbers of the scale enter κ_w."""
    if settings.upstream:
        return {"scale": SCALE.ends, "non_integer": "upstream"}
    return {"scale": SCALE.ends, "non_integer": "round", "clip": True}


def need_humans(study: Intensities, least: int = 2) -> None:
    """Refuse a study with too few humans.

    Raises:
        Gap: there are fewer than `least`.
    """
    if (n := int(study.humans.sum())) < least:
        raise Gap(f"it needs the ratings of {least} humans; there are {n}")


@cache
def kappa(study: Intensities, settings: Settings) -> dict[str, Any]:
    """κ_w of every rater with the humans, with intervals.

    Raises:
        Gap: fewer than two humans.
    """
    need_humans(study)
    return kappa_on(
        study, np.ones(len(study.items), dtype=bool), settings, 0 if settings.upstream else settings.bootstrap
    )


def kappas_of(study: Intensities, items: np.ndarray, settings: Settings) -> dict[str, dict[str, float]]:
    """κ_w of every rater with the humans on some items, in each emotion; nan where it is undefined.

    Args:
        study: The study.
        items: [items] true for those that count.
        settings: How everything is computed.
    """
    return {name: one["per_category"] for name, one in kappa_on(study, items, settings)["per_rater"].items()}


def kappa_of(study: Intensities, items: np.ndarray, settings: Settings) -> dict[str, float]:
    """The same as `kappas_of`, mean over the emotions."""
    try:
        return {name: one["weighted_kappa"] for name, one in kappa_on(study, items, settings)["per_rater"].items()}
    except Gap:  # no ratings of these
        return dict.fromkeys(study.raters, float("nan"))


def kappa_on(study: Intensities, items: np.ndarray, settings: Settings, bootstrap: int = 0) -> dict[str, Any]:
    """The metric's result on some items, raters and emotions under their names.

    Raises:
        Gap: there are no ratings of these.
    """
    found = compute(
        "weighted_kappa",
        ratings=study.values[:, items],
        partners=[str(at) for at in np.flatnonzero(study.humans)],
        **settings.resamples | {"bootstrap": bootstrap},
        **options(settings),
    )
    return found | {"per_rater": _named(study, found["per_rater"])}


@cache
def kappa_of_pairs(study: Intensities, settings: Settings) -> np.ndarray:
    """[raters, raters] κ_w of every pair, mean over emotions; nan where a pair shares nothing.

    Raises:
        Gap: fewer than two raters.
    """
    if len(study.raters) < 2:
        raise Gap("there is only one rater")
    found = compute("weighted_kappa", ratings=study.values, **options(settings))
    cells = np.full((len(study.raters), len(study.raters)), np.nan)
    for pair in found["per_pair"]:
        first, second = map(int, pair["raters"])
        cells[first, second] = cells[second, first] = pair["weighted_kappa"]
    return cells


@cache
def rho(study: Intensities, rater: str, settings: Settings) -> dict[str, Any]:
    """ρ of one rater with the median of the humans, or of the other humans."""
    at = study.raters.index(rater)
    humans = study.humans & (np.arange(len(study.raters)) != at)
    rated = study.rated[at] & study.rated[humans].any(axis=0)
    if not rated.any():
        return NO_RHO
    found = compute(
        "rating_correlation",
        predictions=study.values[at][rated],
        references=study.values[humans][:, rated],
        **settings.resamples,
    )
    return found | {"per_category": by_emotion(study, found["per_category"])}


def by_emotion(study: Intensities, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries under the names of the emotions: the categories of arrays have numbers."""
    return {study.categories[int(number)]: entry for number, entry in entries.items()}


def groups(study: Intensities, raters: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Group → its raters, in the papers' order."""
    found: dict[str, list[str]] = {group: [] for group in ORDER}
    kinds = dict(zip(study.raters, study.kinds, strict=True))
    for name in raters or study.raters:
        found[group_of(kinds[name], name, study.protocol(name))].append(name)
    return {group: names for group, names in found.items() if names}


def _named(study: Intensities, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of raters and emotions under their names: arrays have numbers."""
    found = {}
    for number, entry in entries.items():
        top = entry["top_category"]
        per_category = by_emotion(study, entry["per_category"])
        top = study.categories[int(top)] if top is not None else None
        found[study.raters[int(number)]] = entry | {"top_category": top, "per_category": per_category}
    return found
