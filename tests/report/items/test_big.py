"""BIG: counts, people and hints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emohub.report.given import Given
from emohub.report.item import Gap
from emohub.report.items import big_emotions, big_hints
from emohub.report.studies.synthetic import Synthetic
from tests.report.conftest import FEW, records_of

INTENSITIES = np.random.default_rng(0).integers(0, 8, (50, 40)) * (np.random.default_rng(1).random((50, 40)) < 0.1)
BIG = Synthetic(
    name="EmoNet-Face BIG",
    dataset="d",
    config="big",
    revision="r",
    intensities=INTENSITIES.astype(float),
    people=pd.DataFrame({"gender": ["man"] * 30 + ["woman"] * 20}),
    others=pd.DataFrame(),
)


def test_emotions_and_people_are_counted() -> None:
    found = records_of(big_emotions.ITEM, BIG)
    for at, emotion in enumerate(BIG.categories):
        assert found[f"big.emotions.{emotion}.n"].value == int((INTENSITIES[:, at] > 0).sum())
    assert found["big.demographics.gender.man"].value == 0.6 and found["big.demographics.gender.man"].n == 50
    with pytest.raises(Gap):
        records_of(big_emotions.ITEM, replace(BIG, intensities=np.zeros((0, 40))))


def asked_with(hint: str | None) -> Given:
    protocol = {"name": "top-five", "options": {"hint": hint}}
    run = {"protocol": protocol, "counts": {"asked": 200, "parsed": 200, "failures": {}}}
    return Given(Path("run"), pd.DataFrame(), run)


def test_hinted_against_unhinted_is_mcnemars_test() -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    rng = np.random.default_rng(2)
    without = rng.random(200) < 0.3
    with_it = np.where(rng.random(200) < 0.25, True, without)
    rows = [
        (str(item), rater, "Awe", float(seen))
        for rater, answers in (("plain", without), ("hinted", with_it))
        for item, seen in enumerate(answers)
    ]
    study = replace(
        BIG,
        others=pd.DataFrame(rows, columns=["item", "rater", "category", "rating"]),
        given={rater: asked_with(hint) for rater, hint in (("plain", None), ("hinted", "Awe"))},
    )
    found = records_of(big_hints.ITEM, study)
    assert found["big.hints.Awe.hinted"].value == with_it.mean()
    assert found["big.hints.Awe.hinted.without|plain"].value == without.mean()
    (table,) = big_hints.ITEM.make(study, FEW)
    cells = [
        [np.sum(with_it & without), np.sum(with_it & ~without)],
        [np.sum(~with_it & without), np.sum(~with_it & ~without)],
    ]
    assert table.rows[0][-1] == pytest.approx(mcnemar(cells, exact=True).pvalue)


def test_what_images_were_made_for_is_compared_by_hint() -> None:
    target = np.repeat([0, 1], 25)
    made = pd.DataFrame({"target": target, "hint": np.where(np.arange(50) % 2, target, np.nan)})
    found = records_of(big_hints.ITEM, replace(BIG, made=made))
    shown, hinted = INTENSITIES[:25, 0] > 0, np.arange(25) % 2 == 1
    first = BIG.categories[0]
    assert found[f"big.made.{first}.hinted"].value == shown[hinted].mean()
    assert found[f"big.made.{first}.plain"].value == shown[~hinted].mean() and len(found) == 4


def test_without_hints_it_says_what_to_run() -> None:
    with pytest.raises(Gap, match="--hint"):
        records_of(big_hints.ITEM, BIG)
