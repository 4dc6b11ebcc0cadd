"""Every result says who rated how much; raters on different items are compared on common ones, or with a warning."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from metrics.dominant_expression.dominant_expression import analyse as dominant
from metrics.krippendorff_alpha.krippendorff_alpha import analyse as alpha
from metrics.rating_correlation.checks import CoverageWarning as ModelWarning
from metrics.rating_correlation.rating_correlation import analyse as correlate
from metrics.spread_ratio.spread_ratio import analyse as spread
from metrics.weighted_kappa.checks import CoverageWarning, RatingsError
from metrics.weighted_kappa.ratings import read_ratings
from metrics.weighted_kappa.weighted_kappa import analyse as kappa

NAN = float("nan")
RNG = np.random.default_rng(0)
THREE = RNG.integers(0, 8, (3, 20)).astype(float)
THREE[0, 12:] = NAN  # the first rater rated 12 of 20
REFERENCES = RNG.integers(0, 4, (4, 20, 3)).astype(float)
HALF = RNG.normal(size=(20, 3))
HALF[10:] = NAN


def sklearn_kappa(first: np.ndarray, second: np.ndarray) -> float:
    return float(cohen_kappa_score(first.astype(int), second.astype(int), weights="quadratic", labels=range(8)))


def test_raters_on_different_items() -> None:
    with pytest.warns(CoverageWarning, match=r"some rated 12, some 20 of 20.*common_items=True"):
        result = kappa(THREE)
    assert result["coverage"]["0"] == {"n_items": 12, "share": 0.6}
    assert result["coverage"]["1"] == {"n_items": 20, "share": 1}
    assert {pair["n_ratings"] for pair in result["per_pair"]} == {12, 20}
    with warnings.catch_warnings():
        warnings.simplefilter("error", CoverageWarning)
        common = kappa(THREE, common_items=True)
    assert {pair["n_ratings"] for pair in common["per_pair"]} == {12}
    for pair in common["per_pair"]:
        first, second = (THREE[int(name), :12] for name in pair["raters"])
        assert pair["weighted_kappa"] == pytest.approx(sklearn_kappa(first, second), abs=1e-10)
    assert common == kappa(THREE[:, :12]) | {"coverage": common["coverage"]}


def test_models_are_compared_on_common_items_whatever_the_humans_rated() -> None:
    """With `partners` the others are compared: the humans may have gaps, as raters in shifts have."""
    humans = RNG.integers(0, 8, (3, 20)).astype(float)
    humans[0, :10], humans[1, 10:] = NAN, NAN
    table = np.concatenate([humans, THREE[:2]])
    result = kappa(table, partners=["0", "1", "2"], common_items=True)
    assert {name: entry["n_items"] for name, entry in result["coverage"].items()}["3"] == 12
    assert result["coverage"]["4"]["n_items"] == 12
    assert result["coverage"]["2"] == {"n_items": 12, "share": 1}


def test_two_raters_and_equal_items_need_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", CoverageWarning)
        kappa(THREE[:2])
        kappa(THREE[1:])


def test_common_items_are_of_each_category() -> None:
    ratings = RNG.integers(0, 8, (3, 9, 2)).astype(float)
    ratings[0, :3, 0], ratings[1, 6:, 1] = NAN, NAN
    result = kappa(ratings, common_items=True)
    expected = [
        np.mean([sklearn_kappa(ratings[a, part, c], ratings[b, part, c]) for a, b in ((0, 1), (0, 2), (1, 2))])
        for c, part in enumerate((slice(3, 9), slice(0, 6)))
    ]
    assert result["weighted_kappa"] == pytest.approx(np.mean(expected), abs=1e-10)


def test_no_common_item_is_a_clear_error() -> None:
    with pytest.raises(RatingsError, match=r"no item was rated by all 3 raters.*fewest items: 0 \(1\)"):
        kappa([[1, NAN, NAN], [NAN, 2, 3], [1, 2, 3]], common_items=True)


def test_alpha_of_complete_items() -> None:
    result = alpha(THREE, common_items=True)
    assert result["krippendorff_alpha"] == pytest.approx(alpha(THREE[:, :12])["krippendorff_alpha"], abs=1e-12)
    assert alpha(THREE)["coverage"]["0"] == {"n_items": 12, "share": 0.6}


@pytest.mark.filterwarnings("ignore:The model has ratings")
@pytest.mark.parametrize("measure", [dominant, correlate])
def test_a_model_that_left_items_out(measure) -> None:
    result = measure(HALF, REFERENCES)
    assert result["coverage"]["model"] == {"n_items": 10, "share": 0.5}
    assert result["coverage"]["raters"]["3"] == {"n_items": 20, "share": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        common = measure(HALF, REFERENCES, common_items=True)
    assert common["coverage"]["raters"]["3"] == {"n_items": 10, "share": 1}
    if measure is correlate:
        assert common["rating_correlation"] == result["rating_correlation"]


def test_a_model_that_left_items_out_is_warned_about() -> None:
    with pytest.warns(ModelWarning, match="ratings of 10 of the 20 items that humans rated"):
        correlate(HALF, REFERENCES)


@pytest.mark.filterwarnings("ignore:The model has ratings")
def test_human_reference_and_baselines_on_the_models_items() -> None:
    samples = RNG.normal(size=(2, 20, 3))
    samples[:, 10:] = NAN
    loose, common = (spread(samples, REFERENCES, common_items=on, splits=5) for on in (False, True))
    assert (loose["human_reference"]["n_units"], common["human_reference"]["n_units"]) == (60, 30)
    assert loose["spread_ratio"] == common["spread_ratio"]
    only = spread(samples[:, :10], REFERENCES[:, :10], splits=5)
    assert common["baselines"] == only["baselines"]


def test_coverage_counts_items_not_categories() -> None:
    table = read_ratings({"item": list("aab"), "category": list("xyx"), "rater": ["r"] * 3, "rating": [1, 2, 3]})
    assert table.coverage() == {"r": {"n_items": 2, "share": 1}}


def test_coverage_of_sparse_and_dense_tables_is_the_same() -> None:
    rows = {"item": list("aab"), "category": list("xyx"), "rater": list("rrs"), "rating": [1, 2, 3]}
    few = read_ratings(rows).coverage()
    rows["item"] += [f"i{number}" for number in range(50)]
    rows["rater"] += [f"r{number}" for number in range(50)]
    rows |= {"category": rows["category"] + ["x"] * 50, "rating": [1] * 53}
    many = read_ratings(rows).coverage()
    assert [few[name]["n_items"] for name in "rs"] == [many[name]["n_items"] for name in "rs"] == [1, 1]
