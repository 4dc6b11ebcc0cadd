"""Whether raters do as well on every face that the performances were transferred to."""

import re
from collections.abc import Iterator

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._chehre import CLUSTERS, ONE, PRIOR, against_the_rest, need_several, on_the_rest
from emohub.report.items._fairness import Measures, Value, large, outputs
from emohub.report.measure import compute
from emohub.report.record import measured
from emohub.report.studies.videos import Videos

FACE = re.compile(r"(?P<ethnicity>[ALW])(?P<gender>[FM])_[A-Z]_\d+--")
WORDS = {"A": "Asian", "L": "Latino", "W": "White", "F": "female", "M": "male"}
MEASURES: Measures = {
    "top1": ("Top-1", "top-1 against the people of a video without one of them"),
    "ndcg": ("nDCG", "nDCG against the people of a video without one of them"),
}
NOTE = (
    "Groups are those of the synthetic face, read from its code in the video's name (AF is an Asian female face), "
    "which is inferred. Age is not compared: all faces are coded as young."
)


def make(study: Videos, settings: Settings) -> Iterator[Output]:
    """The largest gap of each rater, and every value."""
    need_several(study)
    _, rest, _ = against_the_rest(study)
    items = rest["item"].drop_duplicates().reset_index(drop=True)
    codes = items.str.extract(FACE)
    values: list[Value] = []
    small: list[str] = []
    for attribute in codes:
        groups, left_out = large(codes[attribute].map(WORDS))
        small += left_out
        for group, mask in groups.items():
            values += list(_of_group(study, str(attribute), group, set(items[mask]), settings))
    if not values:
        raise Gap("the names of the videos do not tell two groups of faces apart")
    yield from outputs("chehre", values, MEASURES, small, NOTE, settings)


def _of_group(study: Videos, attribute: str, group: str, items: set[str], settings: Settings) -> Iterator[Value]:
    _, rest, performers = against_the_rest(study)
    references = rest[rest["item"].isin(items)]
    for rater in (ONE, PRIOR, *study.models):
        said = on_the_rest(study, rater)
        its = said[said["item"].isin(items)]
        if its.empty:
            continue
        found = compute(
            "dominant_expression",
            predictions=its,
            references=references,
            **settings.resamples,
            clusters=performers,
        )
        for measure, name in (("top1", "top1_split"), ("ndcg", "ndcg")):
            entry = found["scores"][name]
            id = f"chehre.fairness.{measure}.{attribute}.{group}.{rater}"
            record = measured(
                id,
                entry,
                "value",
                n=len({item.partition("#")[0] for item in items}),
                rater=rater,
                method=MEASURES[measure][1],
                population=CLUSTERS,
            )
            yield Value(measure, attribute, group, rater, record)


ITEM = Item("chehre.fairness", "Fairness: the faces of the videos", (Videos,), make, place=42)
