"""Intervals: their parts against textbook formulas and SciPy, what they hold, and when there is none."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.krippendorff_alpha.checks import RatingsError
from metrics.krippendorff_alpha.frames import groups_of
from metrics.krippendorff_alpha.intervals import (
    GROUPS,
    LEAST_POSITIVES,
    SCALES,
    Bootstrap,
    intervals,
    positives_of,
)
from metrics.krippendorff_alpha.krippendorff_alpha import analyse as alpha
from metrics.krippendorff_alpha.ratings import read_ratings
from metrics.rating_correlation.rating_correlation import analyse as correlate
from metrics.weighted_kappa.weighted_kappa import analyse as kappa

ROOT = Path(__file__).parents[2]
MANY = np.array([1000.0])


def mean_of(values: np.ndarray):
    """A draw function for the mean over items."""
    return lambda items, _: (items @ values / items.sum(1))[None]


def of_mean(values: np.ndarray, boot: Bootstrap, **options) -> dict:
    options = {
        "n_items": len(values),
        "raters": np.ones(2),
        "scale": "tanh",
        "positives": MANY,
    } | options
    return intervals(boot, np.array([values.mean()]), mean_of(values), **options)[0]


def skewed(rng: np.random.Generator, items: int, raters: int = 4) -> np.ndarray:
    """[raters, items] as in EmoNet-Face HQ: three quarters of the items are zero."""
    true = np.where(rng.random(items) < 0.25, rng.uniform(1.5, 6.5, items), -3)
    return np.clip(np.round(true + rng.normal(0, 1.2, (raters, items))), 0, 7)


def test_of_a_mean_it_is_the_t_interval() -> None:
    """Far from the scale's ends, of values with the kurtosis of a normal distribution."""
    values = np.random.default_rng(0).normal(0, 0.1, 150)
    entry = of_mean(values, Bootstrap(20_000, 0, 0.9, "items"))
    error = stats.sem(values)
    kurtosis = stats.kurtosis(values, fisher=False)
    assert entry["standard_error"] == pytest.approx(error, rel=0.02)
    assert entry["degrees_of_freedom"] == pytest.approx(min(148, 300 / (kurtosis - 1)))
    expected = stats.t.interval(0.9, entry["degrees_of_freedom"], values.mean(), error)
    assert entry["interval"] == pytest.approx(expected, rel=0.03)


def test_over_raters_it_is_the_jackknife() -> None:
    """The jackknife of a mean is its standard error, exactly."""
    per_rater = np.array([0.1, 0.3, 0.2, 0.6, 0.5])
    (entry,) = intervals(
        Bootstrap(2, 0, 0.95, "raters"),
        np.array([per_rater.mean()]),
        lambda _, raters: (raters @ per_rater / raters.sum(1))[None],
        n_items=40, raters=np.ones(5), scale="log", positives=MANY,
    )  # fmt: skip
    assert entry["standard_error"] == pytest.approx(stats.sem(per_rater), rel=1e-12)


def test_variances_add_up() -> None:
    rng = np.random.default_rng(1)
    cells = rng.normal(0, 0.1, (6, 50)) + rng.normal(0, 0.1, (6, 1))

    def draw(items, raters):
        counts, of = (items, cells.mean(0)) if raters is None else (raters, cells.mean(1))
        return (counts @ of / counts.sum(1))[None]

    options = dict(n_items=50, raters=np.ones(6), scale="tanh", positives=MANY)
    error = {
        one: intervals(Bootstrap(300, 3, 0.95, one), np.array([cells.mean()]), draw, **options)[0]["standard_error"]
        for one in ("items", "raters", "both")
    }
    assert error["items"] > 0 and error["raters"] > 0
    assert error["both"] == pytest.approx(np.hypot(error["items"], error["raters"]))


@given(st.sampled_from(list(SCALES)), st.floats(0.01, 0.99), st.floats(1e-6, 0.5), st.integers(0, 5))
@settings(max_examples=50)
def test_the_value_is_inside_and_the_ends_are_on_the_scale(scale: str, value: float, spread: float, seed: int) -> None:
    values = value + spread * np.random.default_rng(seed).normal(size=40)
    values += value - values.mean()
    low, high = of_mean(values, Bootstrap(50, seed, 0.95, "items"), scale=scale)["interval"]
    assert low < value < high
    assert low >= (-1 if scale == "tanh" else 0) and high <= (np.inf if scale == "log" else 1)


def test_few_items_that_decide_give_few_degrees_of_freedom() -> None:
    alike = np.tile([0.1, -0.1], 50)
    one = np.zeros(100)
    one[0] = 0.9
    boot = Bootstrap(100, 0, 0.95, "items")
    assert of_mean(alike, boot)["degrees_of_freedom"] == pytest.approx(98)
    assert of_mean(one, boot)["degrees_of_freedom"] < 3


def test_clusters_are_drawn_and_left_out_together() -> None:
    """Items of a cluster that are all alike: as many independent values as there are clusters."""
    rng = np.random.default_rng(2)
    of_cluster, cluster = rng.normal(0, 0.1, 40), np.repeat(np.arange(40), 5)
    items = of_mean(of_cluster[cluster], Bootstrap(4000, 0, 0.95, "items"))
    clustered = Bootstrap(4000, 0, 0.95, "items").within(list(cluster), [str(item) for item in range(200)])
    entry = of_mean(of_cluster[cluster], clustered)
    assert entry["standard_error"] == pytest.approx(stats.sem(of_cluster), rel=0.05)
    assert entry["standard_error"] > 2 * items["standard_error"]
    assert clustered.population == {"population": "other clusters of items, the same raters"}


def test_many_items_are_left_out_in_groups() -> None:
    counts = Bootstrap(2, 0, 0.95, "items").without_items(1001)
    assert counts.shape == (GROUPS, 1001) and (counts.sum(0) == GROUPS - 1).all()
    assert {int(n) for n in (1 - counts).sum(1)} == {5, 6}


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_ratings(skewed(np.random.default_rng(0), 90))
    whole = alpha(table, bootstrap=50, seed=1, confidence=0.9, resample="both")
    for module in ("intervals", "resampling"):
        monkeypatch.setattr(f"metrics.krippendorff_alpha.{module}.CHUNK", 200)
    again = alpha(table, bootstrap=50, seed=1, confidence=0.9, resample="both")
    assert again["interval"] == pytest.approx(whole["interval"], rel=1e-9)


REASONS = {
    "undefined": (dict(ratings=np.ones((3, 40))), "the value is undefined"),
    "two raters": (dict(ratings=skewed(np.random.default_rng(0), 200, 2), resample="both"), "2 raters are too few"),
    "rare": (
        dict(ratings=np.pad(np.ones((3, 2)), ((0, 0), (0, 60)))),
        f"rests on 2 informative items; {LEAST_POSITIVES} are",
    ),
    "clusters": (
        dict(ratings=skewed(np.random.default_rng(0), 200), clusters=[0, 1] * 100),
        "2 clusters are too few; 10",
    ),
    "rare in clusters": (
        dict(ratings=np.pad(np.tile([1.0, 2.0], (3, 15)), ((0, 0), (0, 30))), clusters=list(np.arange(60) // 5)),
        "rests on 6 informative clusters of items; 15 are needed",
    ),
    "alike": (dict(ratings=np.tile([0.0, 1.0], (3, 30))), "all resamples give the same value"),
}


@pytest.mark.parametrize("case", REASONS)
@pytest.mark.filterwarnings("ignore")
def test_no_interval_has_a_reason(case: str) -> None:
    options, reason = REASONS[case]
    result = alpha(**options, bootstrap=50)
    assert result["interval"] is None and "standard_error" not in result
    assert reason in result["no_interval"]


def test_undefined_resamples_leave_no_interval() -> None:
    boot = Bootstrap(400, 0, 0.95, "items")
    values = np.linspace(-0.1, 0.1, 40)

    def draw(items, _):
        mean = items @ values / items.sum(1)
        return np.where(items[:, :2].sum(1) == 0, np.nan, mean)[None]  # needs one of two items

    (entry,) = intervals(boot, np.zeros(1), draw, n_items=40, raters=np.ones(3), scale="tanh", positives=MANY)
    assert entry["interval"] is None and "of the resamples are undefined" in entry["no_interval"]
    assert 0.05 < entry["n_undefined_resamples"] / 400 < 0.3


def test_a_rater_without_whom_there_is_no_value_leaves_no_interval() -> None:
    """One of six leave-outs is undefined: its share counts among the leave-outs, not among the resamples of items."""

    def draw(items, raters):
        counts = items if raters is None else raters
        mean = counts @ np.linspace(0.1, 0.2, counts.shape[1]) / counts.sum(1)
        return (mean if raters is None else np.where(raters[:, 0] == 0, np.nan, mean))[None]

    boot = Bootstrap(1000, 0, 0.95, "both")
    (entry,) = intervals(boot, np.array([0.15]), draw, n_items=40, raters=np.ones(6), scale="tanh", positives=MANY)
    assert entry == {
        "interval": None, "no_interval": "17% of the resamples are undefined", "n_undefined_resamples": 1
    }  # fmt: skip


@pytest.mark.parametrize("resample", ["raters", "categories"])
def test_clusters_of_items_that_are_no_sample_are_refused(resample: str) -> None:
    human = skewed(np.random.default_rng(0), 40)
    with pytest.raises(ValueError, match=f"resample='{resample}' samples no items; leave it out"):
        correlate(human[0], human, bootstrap=10, resample=resample, clusters=list(range(40)))


def test_positives_are_items_with_another_rating_than_most() -> None:
    table = read_ratings([[0, 0, 3, 0, 0], [0, 0, 5, 2, np.nan]])
    assert positives_of(table).tolist() == [1.5]


def test_the_published_failures_are_gone() -> None:
    """Rater resamples of Spearman's ρ with the median excluded the value itself; items are the default."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 7, 150)
    human = np.clip(np.round(truth + rng.normal(0, 2, (4, 150))), 0, 7)
    for resample in ("items", "raters", "both"):
        result = correlate(truth + rng.normal(0, 2, 150), human, bootstrap=100, resample=resample)
        assert result["interval"][0] < result["rating_correlation"] < result["interval"][1]
    assert result["population"] == "other items and other raters"


@pytest.mark.parametrize("analyse", [alpha, kappa])
def test_agreement_on_skewed_ratings_is_covered(analyse) -> None:
    """Percentile intervals held the truth in 84 to 90 % of such studies; `benchmarks/coverage.py` has the table."""
    name = {alpha: "krippendorff_alpha", kappa: "weighted_kappa"}[analyse]
    truth = analyse(skewed(np.random.default_rng(99), 60_000))[name]
    held = given_ = 0
    for seed in range(80):
        result = analyse(skewed(np.random.default_rng(seed), 80), bootstrap=60)
        if result["interval"]:
            given_ += 1
            held += result["interval"][0] <= truth <= result["interval"][1]
    assert given_ > 70 and held / given_ > 0.9


@pytest.mark.parametrize(
    "options", [(1, 0, 0.9), (-1, 0, 0.9), (5, "a", 0.9), (5, 0, 95), (2.5, 0, 0.9), (True, 0, 0.9)]
)
def test_options_of_intervals_are_checked(options: tuple) -> None:
    with pytest.raises(RatingsError, match="is not valid; give a"):
        Bootstrap(*options, "items")


def test_groups_are_named_for_every_item() -> None:
    assert groups_of({"b": 2, "a": 1, "c": 1}, ("a", "b", "c"), "clusters").tolist() == [0, 1, 0]
    assert groups_of(["x", "y", "x"], ("a", "b", "c"), "clusters").tolist() == [0, 1, 0]
    for wrong in ({"a": 1}, ["x", "y"]):
        with pytest.raises(RatingsError, match="clusters name . of 3 items"):
            groups_of(wrong, ("a", "b", "c"), "clusters")


def test_the_cards_quote_the_table_of_coverage() -> None:
    """What a card says of its intervals are the rows of docs/metrics.md, and none of them is below the floor."""
    table = (ROOT / "docs/metrics.md").read_text("utf-8")
    for name in ("dominant_expression", "krippendorff_alpha", "rating_correlation", "spread_ratio", "weighted_kappa"):
        card = (ROOT / "metrics" / name / "README.md").read_text("utf-8")
        quoted = card.partition("<!-- coverage -->")[2].partition("<!-- /coverage -->")[0]
        shapes = ("normal", "skew", "rare", "mixed")
        rows = [line for line in quoted.splitlines() if line.startswith(tuple(f"| {shape} " for shape in shapes))]
        begins = tuple(f"| `{name}` | {shape} " for shape in shapes)
        assert rows == [line[len(name) + 5 :] for line in table.splitlines() if line.startswith(begins)]
        cells = [cell.split()[0] for row in rows for cell in row.split(" | ")[2:5]]
        assert rows and all(cell == "–" or int(cell) >= 92 for cell in cells)
