"""Whether annotators say yes as often for faces of every age, gender and ethnicity."""

from collections.abc import Iterator

import numpy as np

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._fairness import Measures, Value, large, outputs
from emohub.report.statistics import share
from emohub.report.studies.votes import Votes

MEASURES: Measures = {
    "target": ("Yes to the target", "share of yes in step 1"),
    "contrastive": ("Yes to the contrastive", "share of yes in the contrastive step"),
}
STEPS = {"target": 1, "contrastive": 0}
NOTE = "Groups are as prompted: what the images were asked to show. Each rater saw other images."


def make(study: Votes, settings: Settings) -> Iterator[Output]:
    """The largest gap of each rater, and every value."""
    if study.people.empty:
        raise Gap("it is not known who is shown: the dataset has no config with images, such as binary")
    votes = study.first.dropna(subset=["step"])
    values: list[Value] = []
    small: list[str] = []
    for measure, step in STEPS.items():
        for rater, its in votes[votes["step"] == step].groupby("rater"):
            people = study.people.reindex(its["item"])
            for attribute in people:
                groups, left_out = large(people[attribute])
                small += [f"{one}, {rater}" for one in left_out]
                for group, mask in groups.items():
                    answers = its["rating"].to_numpy()[mask]
                    values.append(_value(measure, str(attribute), group, str(rater), answers, settings))
    if not values:
        raise Gap("no annotator voted on enough images of two groups")
    yield from outputs("binary", values, MEASURES, small, NOTE, settings)


def _value(measure: str, attribute: str, group: str, rater: str, answers: np.ndarray, settings: Settings) -> Value:
    yes, n = int(answers.sum()), len(answers)
    error = float(np.sqrt(yes / n * (1 - yes / n) / n))
    record = share(
        f"binary.fairness.{measure}.{attribute}.{group}.{rater}",
        yes,
        n,
        settings.confidence,
        rater=rater,
        standard_error=error or None,
        degrees_of_freedom=float(n - 1),
        population="other images, the same rater",
    )
    return Value(measure, attribute, group, rater, record)


ITEM = Item("binary.fairness", "Fairness: yes by age, gender, ethnicity", (Votes,), make, place=42)
