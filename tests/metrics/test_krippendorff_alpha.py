"""Krippendorff's α against the package of that name, published values, and what must not change it."""

import importlib
import math
import tracemalloc

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.inter_rater import fleiss_kappa

from metrics.krippendorff_alpha.alpha import LEVELS
from metrics.krippendorff_alpha.checks import RatingsError, UndefinedWarning
from metrics.krippendorff_alpha.krippendorff_alpha import _units, analyse, krippendorff_alpha
from metrics.krippendorff_alpha.ratings import read_ratings
from metrics.krippendorff_alpha.resampled import raters_by_cell, resampled_alpha, resampled_raters
from metrics.krippendorff_alpha.resampling import resamples

NAN = float("nan")
pytestmark = pytest.mark.filterwarnings("ignore::metrics.krippendorff_alpha.checks.UndefinedWarning")

# Published by the paper (§3) for EmoNet-Face BINARY.
BINARY = {
    "Fatigue/Exhaustion": 0.49,
    "Pain": 0.45,
    "Malevolence/Malice": 0.44,
    "Teasing": 0.43,
    "Intoxication/Altered States of Consciousness": 0.40,
}


def package(matrix: np.ndarray, level: str) -> float:
    values = matrix[:, (~np.isnan(matrix)).sum(0) > 1]
    if len(np.unique(values[~np.isnan(values)])) < 2:
        return NAN
    return float(krippendorff.alpha(reliability_data=matrix, level_of_measurement=level))


@st.composite
def gappy(draw: st.DrawFn, low: int = 0) -> np.ndarray:
    shape = draw(st.integers(2, 5)), draw(st.integers(1, 12))
    cells = draw(arrays(float, shape, elements=st.integers(low, 7).map(float)))
    ratings = np.where(draw(arrays(bool, shape, elements=st.sampled_from([True, True, False]))), cells, NAN)
    ratings[0, 0] = 1.0  # at least one rating
    return ratings


def close(found: float, expected: float) -> None:
    assert found == pytest.approx(expected, abs=1e-10, nan_ok=True)


@given(gappy(), st.sampled_from(LEVELS), st.sampled_from([1.0, 0.3]))
def test_equals_the_package(ratings: np.ndarray, level: str, scale: float) -> None:
    close(krippendorff_alpha(ratings * scale, level=level), package(ratings * scale, level))


@given(gappy(), st.sampled_from(LEVELS), st.randoms(use_true_random=False))
def test_order_of_raters_and_items_and_lone_ratings_do_not_matter(ratings, level, random) -> None:
    rows, columns = list(range(ratings.shape[0])), list(range(ratings.shape[1]))
    random.shuffle(rows), random.shuffle(columns)
    lone = np.full((len(rows), 2), NAN)
    lone[0] = 5.0, 7.0
    moved = np.hstack([ratings[rows][:, columns], lone])
    close(krippendorff_alpha(moved, level=level), krippendorff_alpha(ratings, level=level))


@given(gappy(), st.floats(-50, 50), st.floats(0.1, 10))
def test_interval_ignores_shift_and_scale_ordinal_any_order_keeping_map(ratings, shift, scale) -> None:
    moved = krippendorff_alpha(ratings * scale + shift, level="interval")
    assert moved == pytest.approx(krippendorff_alpha(ratings), abs=1e-8, nan_ok=True)
    close(krippendorff_alpha(ratings**3, level="ordinal"), krippendorff_alpha(ratings, level="ordinal"))
    close(krippendorff_alpha(ratings * 4, level="ratio"), krippendorff_alpha(ratings, level="ratio"))


@given(gappy(), st.permutations(range(8)))
def test_nominal_labels_are_only_names(ratings: np.ndarray, names: list[int]) -> None:
    renamed = np.where(np.isnan(ratings), NAN, np.array(names, float)[np.nan_to_num(ratings).astype(int)])
    close(krippendorff_alpha(renamed, level="nominal"), krippendorff_alpha(ratings, level="nominal"))


@given(gappy(), st.sampled_from(LEVELS), st.integers(0, 99))
def test_a_resample_is_alpha_of_the_drawn_items(ratings: np.ndarray, level: str, seed: int) -> None:
    units = _units(read_ratings(ratings))
    (counts,) = resamples(ratings.shape[1], 6, seed)
    for found, drawn in zip(resampled_alpha(units, counts, level), counts, strict=True):
        close(found, package(np.repeat(ratings, drawn.astype(int), axis=1), level))


def slow_alpha(ratings: np.ndarray, of_raters: np.ndarray, of_items: np.ndarray, level: str) -> float:
    """The definition, pair by pair: a copy of a rater forms no pairs with it, a copy of an item is an item."""
    drawn = np.repeat(np.arange(len(ratings)), of_raters)
    units = []
    for item in np.repeat(np.arange(ratings.shape[1]), of_items):
        unit = [(rater, ratings[rater, item]) for rater in drawn if not math.isnan(ratings[rater, item])]
        if len({rater for rater, _ in unit}) > 1:
            units.append(unit)
    cells = [(*one, number) for number, unit in enumerate(units) for one in unit]
    values, counts = np.unique([value for _, value, _ in cells], return_counts=True)
    if len(values) < 2:
        return NAN
    ranks = dict(zip(values, np.cumsum(counts) - counts / 2, strict=True))

    def delta(x: float, y: float) -> float:
        return {
            "nominal": float(x != y),
            "ordinal": (ranks[x] - ranks[y]) ** 2,
            "interval": (x - y) ** 2,
            "ratio": ((x - y) / (x + y)) ** 2 if x + y else 0.0,
        }[level]

    observed = 0.0
    for unit in units:
        of_pairs = [delta(x, y) for a, x in unit for b, y in unit if a != b]
        observed += len(unit) * float(np.mean(of_pairs))
    # Two drawn copies of a rating are not a pair; ratings of different items, or of different raters, are.
    expected = [delta(x, y) for a, x, i in cells for b, y, j in cells if (a, i) != (b, j)]
    return 1 - observed / len(cells) / float(np.mean(expected))


@given(gappy(), st.sampled_from(LEVELS), st.integers(0, 99))
def test_a_resample_of_raters_is_its_definition(ratings: np.ndarray, level: str, seed: int) -> None:
    table = read_ratings(ratings)
    (of_raters,) = resamples(len(ratings), 4, seed)
    found = resampled_raters(_units(table), raters_by_cell(table), of_raters, level)
    for value, drawn in zip(found, of_raters.astype(int), strict=True):
        close(value, slow_alpha(ratings, drawn, np.ones(ratings.shape[1], dtype=int), level))


@pytest.mark.parametrize("level", LEVELS)
def test_large_tables_take_the_other_paths(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    ratings = rng.gamma(2, 1, (4, 60)).round(2)
    ratings[rng.random(ratings.shape) < 0.3] = NAN
    units, (counts,) = _units(read_ratings(ratings)), resamples(60, 5, 0)
    expected, point = resampled_alpha(units, counts, level), krippendorff_alpha(ratings, level=level)
    for module in ("alpha", "resampled"):
        monkeypatch.setattr(f"metrics.krippendorff_alpha.{module}.CHUNK", 100)
    np.testing.assert_allclose(resampled_alpha(units, counts, level), expected, atol=1e-10)
    close(krippendorff_alpha(ratings, level=level), point)
    close(point, package(ratings, level))


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_memory_is_a_few_numbers_a_rating(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that ten million ratings stay below 1 GB; `level="ratio"` also works in blocks, but on pairs of values."""
    monkeypatch.setattr("metrics.krippendorff_alpha.alpha.CHUNK", 1 << 14)
    ratings = np.random.default_rng(0).normal(size=(4, 50_000)).round(2)
    tracemalloc.start()
    krippendorff_alpha(ratings, level=level)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 56 * ratings.size


def test_nominal_alpha_is_fleiss_kappa_but_for_small_samples() -> None:
    """With complete data α = κ_F + (1 − κ_F)/n: Fleiss' chance term does not take a rating away (Gwet 2014)."""
    ratings = np.random.default_rng(2).integers(0, 3, (4, 50)).astype(float)
    counts = np.stack([(ratings == value).sum(0) for value in range(3)], axis=1)
    fleiss = fleiss_kappa(counts)
    close(krippendorff_alpha(ratings, level="nominal"), fleiss + (1 - fleiss) / ratings.size)


@pytest.mark.parametrize("level", LEVELS)
def test_a_rater_drawn_twice_forms_no_pairs_with_itself(level: str) -> None:
    ratings = np.random.default_rng(4).integers(0, 5, (3, 40)).astype(float)
    table = read_ratings(ratings)
    units, rater = _units(table), raters_by_cell(table)
    without, doubled, alone = resampled_raters(units, rater, np.array([[1.0, 1, 0], [2, 2, 0], [3, 0, 0]]), level)
    close(without, krippendorff_alpha(ratings[:2], level=level))
    if level != "ordinal":  # whose ranks are among all ratings
        assert doubled == pytest.approx(without, abs=0.02)
    assert math.isnan(alone)


def test_published_binary_alphas_come_from_the_transposed_table(binary_votes: pd.DataFrame) -> None:
    """One option on the table as it ships: what was published, with intervals, and what the votes themselves say."""
    result = analyse(binary_votes, level="nominal", upstream=True, bootstrap=20)
    upstream = result["upstream"]
    assert round(upstream["krippendorff_alpha"], 2) == 0.09
    assert upstream["n_left_out"] == (binary_votes["step"] == 0).sum() == 19_999
    alphas = {name: entry["krippendorff_alpha"] for name, entry in upstream["per_category"].items()}
    assert {name: round(alphas[name], 2) for name in BINARY} == BINARY
    assert sorted(alphas, key=alphas.__getitem__, reverse=True)[:5] == list(BINARY)
    for entry in (upstream, *upstream["per_category"].values()):
        assert entry["interval"][0] < entry["krippendorff_alpha"] < entry["interval"][1]
    target = binary_votes[binary_votes["step"] > 0].drop(columns="step")
    matrix = target.pivot(index="item", columns="rater", values="rating").to_numpy(float)
    close(upstream["krippendorff_alpha"], package(matrix, "nominal"))
    assert result["pooled"]["krippendorff_alpha"] == pytest.approx(-0.161, abs=5e-4)
    right = {name: result["per_category"][name]["krippendorff_alpha"] for name in BINARY}
    assert all(value < -0.4 for value in right.values())


def test_equals_the_package_on_binary_votes_and_chehre(binary_votes, chehre_labels) -> None:
    pain = binary_votes[(binary_votes["step"] > 0) & (binary_votes["category"] == "Pain")]
    for table in (pain, chehre_labels[chehre_labels["category"] == "Happy"]):
        matrix = table.pivot(index="rater", columns="item", values="rating").to_numpy(float)
        for level in LEVELS:
            found = analyse(read_ratings(table), level=level)
            close(found["krippendorff_alpha"], package(matrix, level))


@pytest.mark.parametrize("resample", ["items", "raters", "both"])
@pytest.mark.parametrize("level", LEVELS)
def test_bootstrap_is_seeded_and_contains_the_value(level: str, resample: str) -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 8, (1, 40, 2))
    table = read_ratings(np.clip(truth + rng.integers(-2, 3, (6, 40, 2)), 0, 7))
    first, again, other = (
        analyse(table, level=level, bootstrap=60, seed=seed, resample=resample) for seed in (1, 1, 2)
    )
    assert first == again and (first != other) == (resample != "raters")  # leaving out one rater is no draw
    for entry in (first, first["pooled"], *first["per_category"].values()):
        assert entry["interval"][0] < entry["krippendorff_alpha"] < entry["interval"][1]


def test_both_engines_give_the_same_result() -> None:
    ratings = np.random.default_rng(0).integers(0, 4, (3, 60, 2))
    own, other = (
        analyse(read_ratings(ratings), level="ordinal", bootstrap=5, engine=engine)
        for engine in ("own", "krippendorff")
    )
    np.testing.assert_allclose(own["interval"], other["interval"], atol=1e-10)
    close(own["krippendorff_alpha"], other["krippendorff_alpha"])


def test_the_package_is_needed_only_when_asked_for(monkeypatch: pytest.MonkeyPatch, metric) -> None:
    real_module = importlib.import_module

    def refuse(name: str, *args: object) -> object:
        if name == "krippendorff":
            raise ImportError(name)
        return real_module(name, *args)

    monkeypatch.setattr(importlib, "import_module", refuse)
    assert metric.compute(ratings=[[1, 2], [1, 3]])["n_units"] == 2
    with pytest.raises(RatingsError, match="pip install krippendorff"):
        metric.compute(ratings=[[1, 2], [1, 3]], engine="krippendorff")


BAD = {
    "one rater": (dict(ratings=[[1, 2, 3]]), "at least two raters"),
    "one rater beside an empty one": (dict(ratings=[[1, 2], [NAN, NAN]]), "at least two raters; there is only '0'"),
    "level": (dict(ratings=[[1, 2], [1, 2]], level="metric"), "valid: 'nominal', 'ordinal', 'interval', 'ratio'"),
    "engine": (dict(ratings=[[1, 2], [1, 2]], engine="fast"), "valid: 'own', 'krippendorff'"),
    "resample": (dict(ratings=[[1, 2], [1, 2]], engine="krippendorff", resample="raters"), "resamples items only"),
    "negative": (dict(ratings=[[-1, 2], [1, 2]], level="ratio"), "the lowest is -1"),
    "text": (dict(ratings=[["x", 2], [1, 2]]), "found the text 'x'"),
    "infinity": (dict(ratings=[[1, 2], [1, -np.inf]]), "must be finite"),
    "ragged": (dict(ratings=[[1, 2], [1]]), "full array"),
    "one dimension": (dict(ratings=[1, 2]), r"shape \[2\]"),
    "columns": (dict(ratings={"item": ["a"], "rating": [1]}), r"lack the columns \['rater'\]"),
    "twice": (dict(ratings={"item": ["a", "a"], "rater": ["x", "x"], "rating": [1, 2]}), "more than once"),
    "all missing": (dict(ratings=[[NAN], [NAN]]), "no rating"),
    "nothing": (dict(), "nothing to compute"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_a_clear_error(metric, options: dict, message: str) -> None:
    with pytest.raises(RatingsError, match=message):
        metric.compute(**options)


def test_a_misspelt_option_is_named_with_the_valid_ones(metric) -> None:
    with pytest.raises(RatingsError, match="levels=.* is not an argument of krippendorff_alpha.*[Vv]alid: "):
        metric.compute(ratings=[[1, 2], [1, 2]], levels="ordinal")


@pytest.mark.parametrize("level", LEVELS)
def test_undefined_is_counted_and_told(metric, level: str) -> None:
    for ratings in ([[0.1] * 3] * 2, [[1, NAN], [NAN, 2]], [[3], [3]]):
        with pytest.warns(UndefinedWarning, match="undefined for 1 categories"):
            result = metric.compute(ratings=ratings, level=level, bootstrap=5)
        assert math.isnan(result["krippendorff_alpha"])
        assert (result["n_undefined"], result["n_undefined_resamples"]) == (1, 5)
    assert metric.compute(ratings=[[3], [4]], level=level)["krippendorff_alpha"] == 0


def test_constant_resamples_are_undefined_even_after_rounding() -> None:
    ratings = np.array([[0.1, 0.7, 0.3], [0.1, 0.7, 0.3]])
    units, counts = _units(read_ratings(ratings)), np.array([[3.0, 0, 0], [0, 3, 0], [0, 0, 3], [1, 1, 1]])
    for level in LEVELS:
        found = resampled_alpha(units, counts, level)
        assert np.isnan(found[:3]).all(), level
        assert found[3] == 1


def test_metric_takes_batches_of_raters(metric) -> None:
    ratings = [[1, 2, 3, None], [1, 2, 2, 4], [2, 2, 3, 4]]
    metric.add_batch(ratings=ratings[:2])
    metric.add_batch(ratings=ratings[2:])
    assert metric.compute(level="ordinal") == metric.compute(ratings=ratings, level="ordinal")
    for rater in ratings:
        metric.add(ratings=rater)
    assert metric.compute() == metric.compute(ratings=ratings)
    metric.add_batch(ratings=[[1, 2, 3], [1, 2]])
    with pytest.raises(RatingsError, match="full array"):
        metric.compute()


@pytest.fixture(scope="module")
def metric():
    from metrics.krippendorff_alpha.krippendorff_alpha import KrippendorffAlpha

    return KrippendorffAlpha()
