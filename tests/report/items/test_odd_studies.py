"""Studies that cannot be computed in full: every item gives a gap or counted undefined values, never an error."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emohub.report.found import items
from emohub.report.item import Gap
from emohub.report.studies.intensities import Intensities
from emohub.report.studies.study import Study
from emohub.report.studies.videos import Videos
from emohub.report.studies.votes import Votes
from tests.report.conftest import FEW, records_of


def cut(study: Intensities, images: slice | list[int] = slice(None), raters: list[int] | None = None) -> Intensities:
    """Some images and raters of a study."""
    chosen = list(range(len(study.raters))) if raters is None else raters
    return replace(
        study,
        items=tuple(np.array(study.items)[images]),
        raters=tuple(study.raters[at] for at in chosen),
        kinds=study.kinds[chosen],
        values=study.values[chosen][:, images],
        people=pd.DataFrame({"gender": "man"}, index=np.array(study.items)[images]),
    )


def odd_intensities(study: Intensities) -> dict[str, Intensities]:
    constant = replace(study, values=np.where(np.isnan(study.values), np.nan, 2.0))
    apart = study.values[[0, 1, 8, 9]].copy()
    for at in range(4):
        apart[at] = np.nan
        apart[at, 10 * at : 10 * at + 10] = 1.0
    return {
        "one image": cut(study, slice(0, 1)),
        "two images": cut(study, slice(0, 2)),
        "one rater": cut(study, raters=[0]),
        "one model": cut(study, raters=[9]),
        "two humans": cut(study, raters=[0, 1]),
        "constant ratings": constant,
        "raters without overlap": replace(cut(study, raters=[0, 1, 8, 9]), values=apart),
        "an emotion that nobody sees": replace(study, values=study.values * (np.arange(40) > 0)),
    }


ODD = (
    "one image",
    "two images",
    "one rater",
    "one model",
    "two humans",
    "constant ratings",
    "raters without overlap",
    "an emotion that nobody sees",
)


@pytest.mark.parametrize("name", ODD)
def test_intensities(name: str, hq: Intensities) -> None:
    _every_item(odd_intensities(hq)[name])


def odd_videos(study: Videos) -> dict[str, Videos]:
    labels, matches = study.labels, study.matches
    one = labels["item"].iloc[0]
    alone = labels.groupby(["item", "category"], as_index=False).first()
    return {
        "nothing": replace(study, labels=labels[:0], matches=matches[:0]),
        "one video": replace(study, labels=labels[labels["item"] == one], matches=matches[matches["item"] == one]),
        "one rater each": replace(study, labels=alone),
        "constant ratings": replace(study, labels=labels.assign(rating=1.0)),
        "all zero": replace(study, labels=labels.assign(rating=0.0)),
        "no matches": replace(study, matches=matches[:0]),
    }


@pytest.mark.parametrize(
    "name", ["nothing", "one video", "one rater each", "constant ratings", "all zero", "no matches"]
)
def test_videos(name: str, small_videos: Videos) -> None:
    _every_item(odd_videos(small_videos)[name])


def test_no_votes() -> None:
    frame = pd.DataFrame(columns=["item", "rater", "kind", "category", "rating", "sample", "step"])
    frame = frame.astype({"sample": "Int32", "step": "Int32", "rating": float})
    _every_item(Votes(name="v", dataset="d", config="c", revision="r", frame=frame, people=pd.DataFrame()))


def _every_item(study: Study) -> None:
    for item in items():
        if not isinstance(study, tuple(item.needs)):
            continue
        try:
            found = records_of(item, study, FEW)
        except Gap as gap:
            assert str(gap)
            continue
        for record in found.values():
            assert record.interval is None or (record.interval[0] <= record.value <= record.interval[1]), record
