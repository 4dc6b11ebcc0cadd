"""BINARY from all real votes: the paper's numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from emohub.report.item import Gap
from emohub.report.items import (
    binary_alpha,
    binary_fairness,
    binary_figure8,
    binary_raters,
    binary_table2,
    binary_yes_rate,
    coverage,
    repeats,
)
from emohub.report.studies.votes import Votes
from tests.report.conftest import records_of


def test_table_2(real_votes: Votes) -> None:
    found = records_of(binary_table2.ITEM, real_votes)
    published = {1: (19_999, 82.83), 2: (14_670, 75.11), 3: (11_018, 82.37), 4: (19_999, 94.29)}
    for batch, (n, agreement) in published.items():
        record = found[f"binary.table2.batch{batch}"]
        assert record.n == n and round(100 * record.value, 2) == agreement
        assert record.interval and record.interval[0] < record.value < record.interval[1]


def test_figure_8_counts_the_chains(real_votes: Votes) -> None:
    found = records_of(binary_figure8.ITEM, real_votes)
    chain = real_votes.frame[real_votes.frame["step"] > 0]
    sums = chain.groupby(["item", "category"])["rating"].agg(["sum", "size"]).reset_index()
    for emotion in ("Anger", "Elation", "Sexual Lust"):
        its = sums[sums["category"] == emotion]
        assert found[f"binary.figure8.{emotion}.n"].value == len(its)
        expected = {
            "all_three": ((its["sum"] == 3) & (its["size"] == 3)).sum(),
            "two_of_three": ((its["sum"] == 2) & (its["size"] == 3)).sum(),
            "one_of_two": ((its["sum"] == 1) & (its["size"] == 2)).sum(),
        }
        assert {name: found[f"binary.figure8.{emotion}.{name}"].value for name in expected} == expected
    assert sum(found[f"binary.figure8.{emotion}.n"].value for emotion in real_votes.categories) == 19_999
    assert sum(found[f"binary.figure8.{emotion}.all_three"].value for emotion in real_votes.categories) == 9_075


def test_alpha_right_and_as_published(real_votes: Votes) -> None:
    found = records_of(binary_alpha.ITEM, real_votes)
    right, published = found["binary.alpha.right"], found["binary.alpha.published"]
    assert right.value == pytest.approx(-0.161, abs=5e-4)  # negative: the chain stops at the first no
    assert round(published.value, 2) == 0.09 and [round(end, 2) for end in published.interval or ()] == [0.09, 0.09]
    emotions = {
        id.rpartition(".")[2]: one.value for id, one in found.items() if id.startswith("binary.alpha.published.")
    }
    best = sorted(emotions, key=lambda name: -emotions[name])[:5]
    assert {name: round(emotions[name], 2) for name in best} == {  # §3 of the paper
        "Fatigue/Exhaustion": 0.49,
        "Pain": 0.45,
        "Malevolence/Malice": 0.44,
        "Teasing": 0.43,
        "Intoxication/Altered States of Consciousness": 0.40,
    }


def test_yes_rates(real_votes: Votes) -> None:
    found = records_of(binary_yes_rate.ITEM, real_votes)
    rates = [round(100 * found[f"binary.yes_rate.human-1.step{step}"].value, 1) for step in (1, 2, 3)]
    assert rates == [94.6, 98.7, 99.7]
    assert "binary.yes_rate.human-2.step1" not in found  # was never asked
    assert records_of(coverage.ITEM, real_votes)["coverage.BINARY.human-1"].n


def _votes(rows: list[tuple]) -> Votes:
    columns = ["item", "rater", "kind", "category", "rating", "sample", "step"]
    frame = pd.DataFrame(rows, columns=columns).astype({"sample": "Int32", "step": "Int32"})
    return Votes(name="BINARY", dataset="d", config="c", revision="r", frame=frame, people=pd.DataFrame())


def test_repeated_answers_are_compared_in_their_order() -> None:
    rows = [
        (f"{item:05d}", "human-1", "human", "Anger", float(rating), sample, 1)
        for item in range(10)
        for sample, rating in ((1, 1), (0, item < 8))
    ]
    found = records_of(repeats.ITEM, _votes(rows))
    assert found["repeats.human-1"].value == 0.8 and found["repeats.human-1"].n == 10


def test_of_repeated_answers_the_first_counts() -> None:
    rows = [
        (f"{item:05d}", "human-1", "human", "Anger", float(rating), sample, 1)
        for item in range(10)
        for sample, rating in ((1, 0), (0, 1))
    ]
    record = records_of(binary_table2.ITEM, _votes(rows))["binary.table2.batch1"]
    assert record.n == 10 and record.value == 1


def _scored(rng: np.random.Generator, skill: float) -> Votes:
    """Chains on 200 images of one emotion, and a model that sees a part of what the people see."""
    rows: list[tuple] = []
    for number in range(200):
        item, seen = f"{number:05d}", number % 2
        rows += [(item, f"human-{k}", "human", "Awe", float(seen), None, k) for k in ((1, 2, 3) if seen else (1,))]
        rows.append((item, "human-9", "human", "Anger", 0.0, None, 0))
        rows.append((item, "model", "model", "Awe", float(np.round(rng.normal(skill * seen), 1)), None, None))
        rows.append((item, "model", "model", "Anger", 0.1, None, None))
    return _votes(rows)


def test_auc_of_a_rater_is_that_of_scikit_learn() -> None:
    study = _scored(np.random.default_rng(0), 1.0)
    found = records_of(binary_raters.ITEM, study)
    its = study.frame[study.frame["kind"] == "model"]
    awe = its[its["category"] == "Awe"]
    expected = roc_auc_score(awe["item"].astype(int) % 2, awe["rating"])
    assert found["binary.raters.model.auc"].value == pytest.approx(expected)  # Anger has no positives, so no curve
    label = (its["item"].astype(int) % 2) * (its["category"] == "Awe")
    assert found["binary.raters.model.auc_pooled"].value == pytest.approx(roc_auc_score(label, its["rating"]))
    record = found["binary.raters.model.auc"]
    assert record.interval and record.interval[0] < record.value < record.interval[1] < 1
    assert records_of(coverage.ITEM, study)["coverage.BINARY.model"].value == 1


def test_yes_by_group_finds_who_says_yes_to_some_only() -> None:
    study = _scored(np.random.default_rng(1), 0.0)
    items = sorted(study.frame["item"].unique())
    people = pd.DataFrame({"gender": ["woman" if int(item) % 2 else "man" for item in items]}, index=items)
    found = records_of(binary_fairness.ITEM, replace(study, people=people))
    assert found["binary.fairness.target.gender.woman.human-1"].value == 1
    assert found["binary.fairness.target.gender.man.human-1"].value == 0
    even = pd.DataFrame({"gender": ["woman" if int(item) % 4 < 2 else "man" for item in items]}, index=items)
    gap = records_of(binary_fairness.ITEM, replace(study, people=even))["binary.fairness.target.gender.gap.human-1"]
    assert gap.value == 0 and gap.interval and gap.interval[0] < 0 < gap.interval[1]
    with pytest.raises(Gap, match="who is shown"):
        records_of(binary_fairness.ITEM, study)


@pytest.mark.parametrize("item", [binary_table2, binary_figure8, binary_yes_rate, repeats])
def test_votes_without_steps_are_a_gap(item: object) -> None:
    with pytest.raises(Gap):
        records_of(item.ITEM, _votes([("00000", "human-1", "human", "Anger", 1.0, None, None)]))
