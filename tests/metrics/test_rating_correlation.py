"""Spearman's ρ with the human median against SciPy."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from metrics.rating_correlation.checks import RatingsError, UndefinedWarning
from metrics.rating_correlation.rating_correlation import (
    CONSTANT_HUMANS,
    CONSTANT_MODEL,
    OK,
    TOO_FEW,
    analyse,
    medians,
    rating_correlation,
    spearman,
)
from metrics.rating_correlation.ratings import read_ratings
from metrics.rating_correlation.resampling import resamples

NAN = float("nan")
pytestmark = pytest.mark.filterwarnings("ignore::metrics.rating_correlation.checks.UndefinedWarning")
values = st.integers(0, 5).map(float) | st.floats(-3, 3).map(lambda x: round(x, 2))


def scipy_rho(x: np.ndarray, y: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(spearmanr(x, y)[0]) if len(x) > 1 else NAN


@given(st.integers(1, 12).flatmap(lambda n: arrays(float, (2, n), elements=values)), st.integers(0, 99))
def test_equals_scipy_plain_and_resampled(pair: np.ndarray, seed: int) -> None:
    assert spearman(*pair)[0] == pytest.approx(scipy_rho(*pair), abs=1e-10, nan_ok=True)
    (counts,) = resamples(pair.shape[1], 5, seed)
    for found, drawn in zip(spearman(*pair, counts), counts.astype(int), strict=True):
        assert found == pytest.approx(scipy_rho(*np.repeat(pair, drawn, axis=1)), abs=1e-10, nan_ok=True)


@given(arrays(float, (2, 9), elements=values | st.just(NAN)), st.integers(0, 99))
def test_items_with_a_gap_on_either_side_count_nowhere(pair: np.ndarray, seed: int) -> None:
    both = ~np.isnan(pair).any(axis=0)
    (counts,) = resamples(9, 5, seed)
    assert spearman(*pair)[0] == pytest.approx(scipy_rho(*pair[:, both]), abs=1e-10, nan_ok=True)
    for found, drawn in zip(spearman(*pair, counts), counts.astype(int)[:, both], strict=True):
        expected = scipy_rho(*np.repeat(pair[:, both], drawn, axis=1))
        assert found == pytest.approx(expected, abs=1e-10, nan_ok=True)


@given(
    st.tuples(st.integers(1, 5), st.integers(1, 4)).flatmap(lambda shape: arrays(float, (*shape, 3), elements=values)),
    st.data(),
)
def test_medians_equal_numpy(ratings: np.ndarray, data: st.DataObject) -> None:
    gaps = data.draw(arrays(bool, ratings.shape, elements=st.sampled_from([False, False, True])))
    gaps[0, 0, 0] = False
    ratings = np.where(gaps, NAN, ratings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(medians(read_ratings(ratings)), np.nanmedian(ratings, axis=0), atol=1e-12)
        weight = np.arange(len(ratings)) % 3
        table, repeated = read_ratings(ratings), np.repeat(ratings, weight, axis=0)
        expected = np.nanmedian(repeated, axis=0) if len(repeated) else np.full(ratings.shape[1:], NAN)
    np.testing.assert_allclose(medians(table, weight[table.rater]), expected, atol=1e-12)


@given(arrays(float, (2, 8), elements=values), st.permutations(range(8)))
def test_order_and_monotone_maps_do_not_matter(pair: np.ndarray, order: list[int]) -> None:
    expected = spearman(*pair)[0]
    moved = spearman(pair[0][order] ** 3, 5 * pair[1][order] - 2)[0]
    assert moved == pytest.approx(expected, abs=1e-10, nan_ok=True)


@given(arrays(float, (3, 6, 2), elements=values), st.permutations(range(6)), st.permutations(range(3)))
def test_order_of_items_and_raters_and_unrated_items_do_not_matter(
    ratings, items: list[int], raters: list[int]
) -> None:
    model = np.arange(12.0).reshape(6, 2)
    moved = np.concatenate([ratings[raters][:, items], np.full((3, 1, 2), NAN)], axis=1)
    found = rating_correlation(np.concatenate([model[items], [[1.0, 2.0]]]), moved)
    assert found == pytest.approx(rating_correlation(model, ratings), abs=1e-10, nan_ok=True)


def test_categories_without_a_correlation_are_counted_not_dropped(metric) -> None:
    rng = np.random.default_rng(0)
    references = rng.integers(0, 8, (3, 20, 4)).astype(float)
    references[:, :, 1] = 0  # nobody sees it
    references[:, 1:, 3] = NAN  # one item only
    predictions = np.median(references, axis=0)
    predictions[:, 2] = 1.5  # the model always says the same
    with pytest.warns(UndefinedWarning, match="undefined for 3 categories"):
        result = metric.compute(predictions=predictions, references=references, bootstrap=50)
    found = [entry["status"] for entry in result["per_category"].values()]
    assert found == [OK, CONSTANT_HUMANS, CONSTANT_MODEL, TOO_FEW]
    assert result["rating_correlation"] == pytest.approx(0.5)  # of 1 and 0
    assert result["mean_defined"] == pytest.approx(1)
    assert (result["n_constant"], result["n_undefined"], result["n_categories"]) == (1, 2, 4)
    assert math.isnan(result["per_category"]["2"]["rho"])


def test_real_ratings_equal_scipy(chehre_labels: pd.DataFrame) -> None:
    """One half of the raters as the model of the other half."""
    raters = sorted(chehre_labels["rater"].unique())
    model = chehre_labels[chehre_labels["rater"].isin(raters[::2])]
    human = chehre_labels[chehre_labels["rater"].isin(raters[1::2])]
    means = model.groupby(["item", "category"])["rating"].mean()
    result = analyse(means.reset_index().assign(rater="half"), read_ratings(human))
    both = pd.concat([means, human.groupby(["item", "category"])["rating"].median()], axis=1, join="inner").dropna()
    assert len(result["per_category"]) > 90
    for name, entry in result["per_category"].items():
        if entry["status"] == OK:
            one = both.xs(name, level="category").to_numpy()
            assert entry["n_items"] == len(one)
            assert entry["rho"] == pytest.approx(scipy_rho(*one.T), abs=1e-10)
    assert 0.1 < result["rating_correlation"] < 0.6


@pytest.mark.parametrize("resample", ["categories", "items", "raters", "both"])
def test_bootstrap_is_seeded_and_contains_the_value(resample: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 7, (80, 6))
    references = read_ratings(truth + rng.normal(0, 2, (5, 80, 6)))
    predictions = truth + rng.normal(0, np.arange(1, 7), (80, 6))
    first, again, other = (
        analyse(predictions, references, bootstrap=60, seed=seed, resample=resample) for seed in (1, 1, 2)
    )
    assert first == again and (first != other) == (resample != "raters")  # leaving out one rater is no draw
    assert first["interval"][0] < first["rating_correlation"] < first["interval"][1]
    assert ("interval" in first["per_category"]["0"]) == (resample != "categories")


def test_inputs_of_every_shape_agree(metric) -> None:
    references = np.random.default_rng(0).integers(0, 8, (3, 12))
    model = np.random.default_rng(1).normal(size=12)
    (expected,) = rating_correlation(model, references)
    table = {"item": list(map(str, range(12))), "rater": ["m"] * 12, "rating": model}
    long = {
        "item": np.tile(np.arange(12), 3),
        "rater": np.repeat(list("abc"), 12),
        "rating": references.ravel(),
    }
    for predictions, humans in ((model, references), (list(model), references.tolist()), (table, long)):
        result = metric.compute(predictions=predictions, references=humans)
        assert result["rating_correlation"] == pytest.approx(expected, abs=1e-12)


def test_batches_of_single_ratings(metric) -> None:
    model, human = np.random.default_rng(0).normal(size=(2, 9))
    metric.add_batch(predictions=model[:4], references=human[:4])
    metric.add_batch(predictions=model[4:], references=human[4:])
    assert metric.compute()["rating_correlation"] == pytest.approx(scipy_rho(model, human), abs=1e-10)
    for pair in zip(model, human, strict=True):
        metric.add(prediction=pair[0], reference=pair[1])
    assert metric.compute()["rating_correlation"] == pytest.approx(scipy_rho(model, human), abs=1e-10)


BAD = {
    "one rater of nothing": (dict(predictions=[1, 2], references=[[NAN, NAN]]), "references hold no rating"),
    "two models": (
        dict(predictions={"item": ["0", "0"], "rater": ["m", "n"], "rating": [1, 2]}, references=[[1, 2]]),
        "one model at a time",
    ),
    "shape": (dict(predictions=3.0, references=[[1, 2]]), "valid: .items., .items, categories."),
    "bootstrap": (dict(predictions=[1, 2], references=[[1, 2]], bootstrap=1), "bootstrap=1"),
    "other items": (
        dict(predictions={"item": ["z"], "rater": ["m"], "rating": [1]}, references=[[1, 2]]),
        r"share no items: \['z'\]",
    ),
    "text": (dict(predictions=["high", "low"], references=[[1, 2]]), "found the text 'high'"),
    "infinity": (dict(predictions=[1, -np.inf], references=[[1, 2]]), "must be finite"),
    "resample": (
        dict(predictions=[1, 2], references=[[1, 2]], resample="emotions"),
        "valid: 'items', 'raters', 'both', 'categories'",
    ),
    "all missing": (dict(predictions=[NAN, NAN], references=[[1, 2]]), "no rating"),
    "nothing": (dict(), "nothing to compute"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_a_clear_error(metric, options: dict, message: str) -> None:
    with pytest.raises(RatingsError, match=message):
        metric.compute(**options)


def test_a_misspelt_option_is_named_with_the_valid_ones(metric) -> None:
    with pytest.raises(RatingsError, match="constant=.* is not an argument of rating_correlation.*[Vv]alid: "):
        metric.compute(predictions=[1, 2], references=[[1, 2]], constant="zero")


@pytest.fixture(scope="module")
def metric():
    from metrics.rating_correlation.rating_correlation import RatingCorrelation

    return RatingCorrelation()
