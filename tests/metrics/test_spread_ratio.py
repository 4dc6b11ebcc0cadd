"""Spread Ratio: unbiased by simulation, equal to its definition, and its company."""

import math
from itertools import combinations
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import energy_distance as scipy_energy

from metrics.spread_ratio import sides
from metrics.spread_ratio.checks import RatingsError, UndefinedWarning
from metrics.spread_ratio.ratings import read_ratings
from metrics.spread_ratio.sides import read_samples, sides_of, split_half, spread_ratio
from metrics.spread_ratio.spread_ratio import analyse
from metrics.spread_ratio.spreads import VARIANTS, energy_distance

NAN = float("nan")
pytestmark = pytest.mark.filterwarnings("ignore::metrics.spread_ratio.checks.UndefinedWarning")


@st.composite
def side(draw: st.DrawFn, items: int = 4) -> np.ndarray:
    shape = draw(st.integers(2, 5)), items, 3
    cells = draw(arrays(float, shape, elements=st.integers(0, 3).map(float)))
    gaps = draw(arrays(bool, shape, elements=st.sampled_from([False, False, False, True])))
    cells[gaps] = NAN
    cells[:2, 0] = np.arange(6).reshape(2, 3)  # one unit has two answers, and they differ
    return cells


def slow(model: np.ndarray, human: np.ndarray, variant: str) -> float:
    """The definition, cell by cell."""
    enough = ((~np.isnan(model)).sum(0) > 1) & ((~np.isnan(human)).sum(0) > 1)
    total = []
    for cells in (np.where(enough, model, NAN), np.where(enough, human, NAN)):
        found = 0.0
        for item in range(cells.shape[1]):
            answers = cells[:, item]
            if variant == "choice":
                answers = answers[~np.isnan(answers).all(1)]
                tops = [(row == np.nanmax(row)) / (row == np.nanmax(row)).sum() for row in answers]
                both_enough = all((~np.isnan(x[:, item][:, enough[item]])).any(1).sum() > 1 for x in (model, human))
                if len(tops) > 1 and both_enough:
                    found += np.var(tops, axis=0, ddof=1).sum()
                continue
            if variant == "profile" and not np.isnan(answers).all():
                kept = ~np.isnan(answers).all(1)
                answers = answers[kept] - np.nanmean(answers[kept], axis=1, keepdims=True)
            for column in answers.T:
                values = column[~np.isnan(column)]
                if len(values) > 1 and variant == "gmd":
                    found += np.mean([abs(a - b) for a, b in combinations(values, 2)])
                elif len(values) > 1:
                    found += values.var(ddof=1)
        total.append(found)
    if total[1] < 1e-20:
        return NAN
    return total[0] / total[1] if variant == "gmd" else math.sqrt(total[0] / total[1])


@given(side(), side(), st.sampled_from(VARIANTS))
def test_equals_its_definition(model: np.ndarray, human: np.ndarray, variant: str) -> None:
    expected = slow(model, human, variant)
    assert spread_ratio(model, human, variant=variant) == pytest.approx(expected, abs=1e-10, nan_ok=True)


@given(side(), side(), st.floats(-9, 9), st.randoms(use_true_random=False))
def test_order_and_a_shift_of_one_side_do_not_matter(model, human, shift: float, random) -> None:
    items, raters = list(range(4)), list(range(len(human)))
    random.shuffle(items), random.shuffle(raters)
    for variant in VARIANTS:
        expected = spread_ratio(model, human, variant=variant)
        moved = spread_ratio(np.round(model + shift, 6)[:, items], human[raters][:, items], variant=variant)
        assert moved == pytest.approx(expected, abs=1e-5, nan_ok=True)


@pytest.mark.parametrize("samples", [2, 3, 10, 40])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_perfect_model_scores_1_for_any_number_of_samples(samples: int, variant: str) -> None:
    """Model and humans draw from the same distribution of each unit: 40 worlds, whole ratings, few humans."""
    rng = np.random.default_rng(samples)
    ratios, inside = [], 0
    for world in range(40):
        centre = rng.uniform(0, 3, (1, 60, 4))
        draw = [np.clip(np.rint(centre + rng.normal(0, 1, (n, 60, 4))), 0, 3) for n in (samples, 3)]
        result = analyse(*map(read_ratings, draw), variant=variant, bootstrap=100, seed=world, splits=0)
        ratios.append(result["spread_ratio"])
        inside += result["interval"][0] <= 1 <= result["interval"][1]
    error = np.std(ratios) / math.sqrt(len(ratios))
    assert abs(np.mean(ratios) - 1) < 4 * error + 0.005  # the root of a noisy ratio is off by far less than that
    assert inside >= 34  # of 40; 38 expected


def test_biased_alternatives_are_not_what_we_compute() -> None:
    rng = np.random.default_rng(0)
    model, human = rng.normal(size=(2, 500, 2)), rng.normal(size=(20, 500, 2))
    of_ratios = (model.std(0, ddof=1) / human.std(0, ddof=1)).mean()
    assert of_ratios < 0.85
    assert spread_ratio(model, human) == pytest.approx(1, abs=0.06)


def test_deterministic_model_and_constant_humans() -> None:
    human = np.random.default_rng(0).integers(0, 4, (4, 20, 3))
    model = np.repeat(np.random.default_rng(1).uniform(0, 3, (1, 20, 3)), 5, axis=0)
    result = analyse(read_samples(model), read_ratings(human), bootstrap=20)
    assert result["spread_ratio"] == 0 and result["interval"] is None
    assert result["no_interval"] == "all resamples give the same value"
    assert result["baselines"]["deterministic"] == 0
    assert all(value == 0 for value in result["variants"].values())
    with pytest.warns(UndefinedWarning, match="the humans agree on every unit"):
        constant = analyse(read_samples(np.random.default_rng(0).uniform(size=(2, 5))), read_ratings([[0.1] * 5] * 3))
    assert math.isnan(constant["spread_ratio"])
    assert (constant["n_undefined"], constant["n_zero_spread"]) == (1, 5)


def test_equal_profiles_have_no_spread_to_the_last_bit() -> None:
    human = np.array([[[0, 1, 1]], [[1, 2, 2]], [[2, 3, 3]]])  # means 2/3, 5/3, 8/3
    assert math.isnan(spread_ratio(human + 1, human, variant="profile"))
    assert spread_ratio(human, np.array([[[0, 1, 1]], [[1, 0, 1]]]), variant="profile") == 0


def test_baselines_are_the_expected_values_of_their_models() -> None:
    rng = np.random.default_rng(0)
    human = rng.choice([0, 1, 2, 3], p=[0.5, 0.2, 0.2, 0.1], size=(4, 300, 2)).astype(float)
    expected = analyse(read_samples(human), read_ratings(human), splits=0)["baselines"]
    uniform = spread_ratio(rng.integers(0, 4, (200, 300, 2)), human)
    assert uniform == pytest.approx(expected["uniform"], rel=0.02)
    margin = np.stack([rng.choice(human[:, :, c].ravel(), (200, 300)) for c in range(2)], axis=2)
    assert spread_ratio(margin, human) == pytest.approx(expected["category_margin"], rel=0.02)


def test_energy_distance_equals_its_definition_and_scipy() -> None:
    rng = np.random.default_rng(0)
    model, human = rng.normal(1, 2, (7, 3)), rng.normal(0, 1, (5, 3))
    sides = sides_of(read_samples(model), read_ratings(human), "variance")
    found = energy_distance(sides.model, sides.human, 3)
    for unit in range(3):
        x, y = model[:, unit], human[:, unit]
        cross = np.abs(x[:, None] - y).mean()
        within = [np.abs(v[:, None] - v).sum() / (len(v) * (len(v) - 1)) for v in (x, y)]
        assert found[unit] == pytest.approx(2 * cross - sum(within), abs=1e-12)
        # SciPy gives the root of the V-statistic: means over n² pairs instead of n(n − 1), and half of the sum.
        v_statistic = 2 * cross - within[0] * (len(x) - 1) / len(x) - within[1] * (len(y) - 1) / len(y)
        assert scipy_energy(x, y) ** 2 == pytest.approx(v_statistic, abs=1e-12)


def test_noise_has_spread_but_energy_distance_tells() -> None:
    rng = np.random.default_rng(0)
    centre = rng.uniform(0, 7, (1, 200, 2))
    human, perfect = (centre + rng.normal(size=(4, 200, 2)) for _ in range(2))
    noise = 7 - centre + rng.normal(size=(4, 200, 2))
    good, bad = (analyse(read_samples(model), read_ratings(human), splits=0) for model in (perfect, noise))
    assert abs(good["spread_ratio"] - 1) < 0.15 and abs(bad["spread_ratio"] - 1) < 0.15
    assert abs(good["energy_distance"]) < 0.1 < 1 < bad["energy_distance"]


def test_split_halves_of_the_chehre_dump_bracket_1(chehre_labels: pd.DataFrame) -> None:
    table = read_ratings(chehre_labels)
    for variant in ("variance", "gmd"):
        reference = analyse(table, table, variant=variant, splits=40)["human_reference"]
        low, high = reference["interval"]
        assert 0.85 < low < 1 < high < 1.15
        assert reference["n_units"] == 5288
    assert abs(analyse(table, table, splits=40)["human_reference"]["energy_distance"]) < 0.1


@given(arrays(float, (5, 6), elements=st.integers(0, 4).map(float) | st.just(NAN)), st.integers(0, 99))
def test_split_halves_equal_their_definition_and_few_raters_repeat_them(humans: np.ndarray, seed: int) -> None:
    humans[:2, 0] = 0, 1
    with mock.patch.object(sides, "_halves", wraps=sides._halves) as halves:
        ratios, _, _ = split_half(read_ratings(humans), variant="variance", splits=30, seed=seed)
    assert halves.call_count <= 10, "there are 10 pairs of 5 raters"
    rng = np.random.default_rng(seed)
    for ratio in ratios:
        first = rng.permutation(5) < 2
        spreads = []
        for half in (humans[first], humans[~first]):
            rated = half[:, (~np.isnan(half)).sum(axis=0) > 1]
            spreads.append(np.nanvar(rated, axis=0, ddof=1).mean() if rated.size else NAN)
        expected = math.sqrt(spreads[0] / spreads[1]) if spreads[1] > 0 else NAN
        assert ratio == pytest.approx(expected, abs=1e-9, nan_ok=True)
    assert [len(one) for one in split_half(read_ratings(humans), variant="gmd", splits=0, seed=0)[:2]] == [0, 0]


@pytest.mark.parametrize("resample", ["items", "raters", "both"])
def test_bootstrap_is_seeded_and_contains_the_value(resample: str) -> None:
    rng = np.random.default_rng(0)
    tables = read_samples(rng.normal(size=(3, 40, 2))), read_ratings(rng.normal(size=(6, 40, 2)))
    first, again, other = (
        analyse(*tables, bootstrap=100, seed=seed, resample=resample, splits=5) for seed in (1, 1, 2)
    )
    assert first["interval"] == again["interval"]
    assert (first["interval"] != other["interval"]) == (resample != "raters")  # leaving out one rater is no draw
    assert first["interval"][0] < first["spread_ratio"] < first["interval"][1]


def test_long_tables_with_samples_and_units_left_out(metric) -> None:
    predictions = {
        "item": ["a", "a", "b", "b", "c"],
        "rater": ["vlm"] * 5,
        "sample": [1, 2, 1, 2, 1],
        "rating": [0, 2, 1, 1, 3],
    }
    references = {
        "item": ["b", "a", "a", "b", "c", "c", "d"],
        "rater": ["x", "x", "y", "y", "x", "y", "y"],
        "rating": [0, 1, 3, 2, 1, 2, 3],
    }
    result = metric.compute(predictions=predictions, references=references)
    assert result["spread_ratio"] == pytest.approx(math.sqrt((2 + 0) / (2 + 2)))
    assert (result["n_units"], result["n_left_out"], result["n_samples"], result["n_ratings"]) == (2, 2, 4, 4)


def test_items_are_collected_whatever_the_number_of_answers(metric) -> None:
    samples = np.array([[0, 1, 3], [2, 3, 2], [NAN, 1, NAN]])
    humans = np.array([[0, 1, 3], [2, 1, 3], [1, 1, 0]])
    metric.add(prediction=[0, 2], reference=[0, 2, 1])
    metric.add_batch(predictions=[[1, 3, 1], [3, 2]], references=[[1, 1, 1], [3, 3, 0]])
    options = {"splits": 0, "bootstrap": 20}
    assert metric.compute(**options) == metric.compute(predictions=samples, references=humans, **options)


BAD = {
    "one sample": (dict(predictions=[[1, 2]], references=[[1, 2], [2, 2]]), "Sample the model at least twice"),
    "one human": (dict(predictions=[[1, 2], [2, 3]], references=[[1, 2]]), "no spread to compare"),
    "variant": (dict(predictions=[[1], [2]], references=[[1], [2]], variant="sd"), "valid: 'variance', 'gmd'"),
    "splits": (dict(predictions=[[1], [2]], references=[[1], [2]], splits=-1), "splits=-1"),
    "all missing": (dict(predictions=[[NAN], [NAN]], references=[[1], [2]]), "predictions hold no rating"),
    "one dimension": (dict(predictions=[1, 2], references=[[1], [2]]), r"predictions have shape \[2\]"),
    "resample": (dict(predictions=[[1], [2]], references=[[1], [2]], resample="all"), "valid: 'items', 'raters'"),
    "nothing": (dict(), "nothing to compute"),
    "infinity": (dict(predictions=[[1], [np.inf]], references=[[1], [2]]), "predictions must be finite"),
    "text": (dict(predictions=[[1], [2]], references=[["1"], [2]]), "references must be numbers"),
    "other items": (
        dict(predictions=[[1], [2]], references={"item": ["a"], "rater": ["x"], "rating": [1]}),
        "share no items",
    ),
    "same sample twice": (
        dict(
            predictions={"item": ["a", "a"], "rater": ["m", "m"], "sample": [1, 1], "rating": [1, 2]},
            references=[[1], [2]],
        ),
        "number repeated answers in a column 'sample'",
    ),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_a_clear_error(metric, options: dict, message: str) -> None:
    with pytest.raises(RatingsError, match=message):
        metric.compute(**options)


def test_a_misspelt_option_is_named_with_the_valid_ones(metric) -> None:
    with pytest.raises(RatingsError, match="variants=.* is not an argument of spread_ratio.*[Vv]alid: "):
        metric.compute(predictions=[[1], [2]], references=[[1], [2]], variants="gmd")


@pytest.fixture(scope="module")
def metric():
    from metrics.spread_ratio.spread_ratio import SpreadRatio

    return SpreadRatio()
