"""Shares, tests and components against statsmodels and SciPy.

statsmodels takes seconds to load: it is imported where it is used.
"""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from emohub.report.statistics import Difference, holm, jackknife, share, simultaneous, variance_components


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_is_that_of_statsmodels(counts: tuple[int, int], confidence: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    record = share("x", *counts, confidence)
    low, high = proportion_confint(*counts, alpha=1 - confidence, method="wilson")
    assert record.value == counts[0] / counts[1]
    assert record.interval == pytest.approx((low, high), abs=1e-12)


def test_a_share_of_nothing_says_so() -> None:
    record = share("x", 0, 0, 0.95)
    assert np.isnan(record.value) and record.interval is None and record.no_interval


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    with mock.patch("gc.collect"):  # statsmodels calls it each time, which takes longer than all else
        expected = multipletests(p, method="holm")[1]
    assert holm(p) == pytest.approx(expected, abs=1e-12)


def test_holm_leaves_undefined_tests_out_of_the_count() -> None:
    assert holm([0.01, float("nan"), 0.04]) == pytest.approx([0.02, float("nan"), 0.04], nan_ok=True)
    assert holm([]) == []


@pytest.mark.parametrize("margin", [0.1, 0.4])
def test_test_interval_and_equivalence_are_those_of_a_paired_t_test(margin: float) -> None:
    from statsmodels.stats.weightstats import DescrStatsW

    away = np.random.default_rng(0).normal(0.1, 1, 60)
    one = Difference(away.mean(), away.std(ddof=1) / np.sqrt(60), 59)
    oracle = DescrStatsW(away)
    assert one.p == pytest.approx(stats.ttest_1samp(away, 0).pvalue)
    assert one.interval(0.9) == pytest.approx(oracle.tconfint_mean(alpha=0.1))
    assert one.equivalence(margin) == pytest.approx(oracle.ttost_mean(-margin, margin)[0])


def test_a_share_stays_between_its_ends() -> None:
    one = Difference(0.98, 0.02, 29)
    low, high = one.interval_within(0.95) or (0, 0)
    assert 0 < low < 0.98 < high < 1 and (one.interval(0.95) or (0, 0))[1] > 1
    middle = Difference(0.5, 0.001, 1000)
    assert middle.interval_within(0.95) == pytest.approx(middle.interval(0.95), abs=1e-6)
    assert Difference(1.0, 0.1, 9).interval_within(0.95) is None


def test_without_an_error_there_is_no_test() -> None:
    one = Difference(0.0, 0.0, 5)
    assert one.interval(0.95) is None and np.isnan(one.p) and np.isnan(one.equivalence(0.1))


def test_the_jackknife_of_a_mean_has_the_error_of_the_mean() -> None:
    x = np.random.default_rng(1).normal(size=25)  # fewer items than groups: one is left out at a time
    made = jackknife(
        lambda items: {"m": float(x[items].mean()), "twice": float(2 * x[items].mean())}, 25, clusters=None, seed=0
    )
    one = made.of({"m": 1.0})
    assert one.value == pytest.approx(x.mean()) and one.freedom == 24
    assert one.error == pytest.approx(x.std(ddof=1) / 5)
    assert made.of({"twice": 1.0, "m": -2.0}).error == pytest.approx(0, abs=1e-12)  # paired: nothing is left


def test_a_paired_comparison_is_that_of_autorank_and_a_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(0, 1, 25)
    frame = pd.DataFrame({"a": first, "b": first + rng.normal(0.3, 0.5, 25)})
    made = jackknife(lambda items: {n: float(frame[n][items].mean()) for n in frame}, 25, clusters=None, seed=0)
    p = made.of({"a": 1.0, "b": -1.0}).p
    assert p == pytest.approx(stats.ttest_rel(frame["a"], frame["b"]).pvalue)
    assert p == pytest.approx(4.625811069239969e-05)  # autorank 1.3.0; see tests/report/items/test_hq.py


def test_items_of_a_cluster_are_left_out_together() -> None:
    clusters = np.repeat(np.arange(12), 5)
    seen = []

    def values(items: np.ndarray) -> dict[str, float]:
        seen.append(items)
        return {"n": float(items.sum())}

    made = jackknife(values, 60, clusters=clusters, seed=3)
    assert len(made.without) == 12
    for items in seen[1:]:
        assert (~items).sum() == 5 and len(set(clusters[~items])) == 1


def test_intervals_that_hold_together_are_wider() -> None:
    assert simultaneous(0.95, 1) == 0.95
    assert simultaneous(0.95, 10) == pytest.approx(0.995)


def test_components_of_a_full_table_are_those_of_the_analysis_of_variance() -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    rng = np.random.default_rng(2)
    units, raters = 12, 5
    ratings = rng.normal(0, 2, (units, 1)) + rng.normal(0, 1, (1, raters)) + rng.normal(0, 0.5, (units, raters))
    unit, rater = np.divmod(np.arange(units * raters), raters)
    frame = pd.DataFrame({"y": ratings.ravel(), "unit": unit, "rater": rater})
    table = anova_lm(ols("y ~ C(unit) + C(rater)", frame).fit())
    mean = table["sum_sq"] / table["df"]
    expected = {
        "residual": mean["Residual"],
        "item": (mean["C(unit)"] - mean["Residual"]) / raters,
        "rater": (mean["C(rater)"] - mean["Residual"]) / units,
    }
    assert variance_components(unit, rater, ratings.ravel()) == pytest.approx(expected)


@given(st.integers(0, 1000))
def test_components_with_gaps_are_right_on_average_and_do_not_move_with_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    unit, rater = np.nonzero(rng.random((40, 6)) < 0.6)
    rating = rng.normal(0, 2, 40)[unit] + rng.normal(0, 0.2, 6)[rater] + rng.normal(0, 1, len(unit))
    found = variance_components(unit, rater, rating)
    assert found == pytest.approx(variance_components(unit, rater, rating + 100), rel=1e-6, abs=1e-8)
    assert found["residual"] == pytest.approx(1, abs=0.6) and found["item"] == pytest.approx(4, abs=4)


def test_what_cannot_be_told_apart_is_undefined() -> None:
    one_rater = variance_components(np.arange(5), np.zeros(5, int), np.arange(5.0))
    nothing = variance_components(np.array([], int), np.array([], int), np.array([]))
    assert all(map(np.isnan, [*one_rater.values(), *nothing.values()]))
