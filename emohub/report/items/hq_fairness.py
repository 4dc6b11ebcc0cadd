"""Whether raters do as well, and see as much, in faces of every age, gender and ethnicity."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._fairness import LEAST, Measures, Value, large, outputs
from emohub.report.items._hq import KAPPA, RHO, kappa_on, need_humans
from emohub.report.measure import compute
from emohub.report.record import ITEMS, Record, measured
from emohub.report.statistics import Difference
from emohub.report.studies.intensities import Intensities

RESAMPLES = 200  # they know a standard error to 5 %
MEASURES: Measures = {
    "kappa": ("κ_w", KAPPA),
    "rho": ("ρ", RHO),
    "offset": (
        "Neutral offset",
        "mean rating of the emotions that every human of the image rated 0, mean over images",
    ),
}
NOTE = (
    "The neutral offset is how much of an emotion a rater sees where no human sees any, on the scale 0–7. Groups are "
    "as prompted: what the images were asked to show."
)


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """The largest gap of each rater, and every value."""
    need_humans(study)
    if study.people.empty:
        raise Gap("it is not known who is shown: the dataset has no config with images, such as hq")
    values, small = _values(study, settings)
    if not values:
        raise Gap(f"no two groups of {LEAST} images each")
    yield from outputs("hq", values, MEASURES, small, NOTE, settings)


def _values(study: Intensities, settings: Settings) -> tuple[list[Value], list[str]]:
    found, small = [], []
    for attribute in study.people:
        groups, left_out = large(study.people[attribute])
        small += left_out
        for group, mask in groups.items():
            found += list(_of_group(study, str(attribute), group, mask, settings))
    return found, small


def _of_group(study: Intensities, attribute: str, group: str, mask: np.ndarray, settings: Settings) -> Iterator[Value]:
    values, resamples = study.values[:, mask], min(settings.bootstrap, RESAMPLES)
    for rater, entry in kappa_on(study, mask, settings, resamples)["per_rater"].items():
        yield _value("kappa", attribute, group, rater, entry, "weighted_kappa", int(mask.sum()))
    people = values[study.humans]
    unseen = (np.nan_to_num(people) == 0).all(axis=0) & ~np.isnan(people).all(axis=0)
    for at, rater in enumerate(study.raters):
        if study.humans[at]:
            continue
        yield _offset(attribute, group, rater, np.where(unseen, values[at], np.nan), settings)
        if not np.isnan(values[at]).all():
            drawn = settings.resamples | {"bootstrap": resamples}
            rho = compute("rating_correlation", predictions=values[at], references=people, **drawn)
            yield _value("rho", attribute, group, rater, rho, "rating_correlation", rho["n_items"])


def _value(measure: str, attribute: str, group: str, rater: str, entry: dict[str, Any], name: str, n: int) -> Value:
    id = f"hq.fairness.{measure}.{attribute}.{group}.{rater}"
    method = MEASURES[measure][1]
    record = measured(id, entry, name, n=n, rater=rater, method=method, population=ITEMS)
    return Value(measure, attribute, group, rater, record)


def _offset(attribute: str, group: str, rater: str, ratings: np.ndarray, settings: Settings) -> Value:
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
    return Value("offset", attribute, group, rater, record)


ITEM = Item("hq.fairness", "Fairness: age, gender, ethnicity", (Intensities,), make, place=42)
