"""Dominant expression against scikit-learn, enumeration of ties, and real videos."""

import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import ndcg_score

from metrics.dominant_expression.checks import RatingsError, UndefinedWarning
from metrics.dominant_expression.dominant_expression import analyse
from metrics.dominant_expression.ratings import read_ratings
from metrics.dominant_expression.scores import (
    all_scores,
    discounts,
    dominant,
    ndcg,
    prior,
    random_scores,
    top_1,
    top_k,
)

NAN = float("nan")
pytestmark = pytest.mark.filterwarnings("ignore::metrics.dominant_expression.checks.UndefinedWarning")
rows = arrays(float, (1, 4), elements=st.integers(0, 3).map(float))


@given(rows, rows, st.integers(1, 4))
def test_ndcg_equals_scikit_learn(scores: np.ndarray, gains: np.ndarray, k: int) -> None:
    expected = ndcg_score(gains, scores, k=k) if gains.any() else NAN
    assert ndcg(scores, gains, k=k)[0] == pytest.approx(expected, abs=1e-10, nan_ok=True)


@given(rows, rows, st.integers(1, 4), st.sampled_from(["log2", "2002"]))
def test_ties_are_the_mean_over_all_orders(scores: np.ndarray, gains: np.ndarray, k: int, discount: str) -> None:
    """nDCG, top-k and top-1 by trying every order that the scores allow."""
    goal = dominant(gains)
    if not goal.any():
        assert np.isnan(top_k(scores, goal, k)).all() and np.isnan(ndcg(scores, gains)).all()
        return
    weight = discounts(4, k, discount)
    orders = [list(o) for o in permutations(range(4)) if all(np.diff(scores[0, list(o)]) <= 0)]
    best = np.sort(gains[0])[::-1] @ weight
    assert ndcg(scores, gains, k=k, discount=discount)[0] == pytest.approx(
        np.mean([gains[0, order] @ weight / best for order in orders]), abs=1e-10
    )
    assert top_k(scores, goal, k)[0] == pytest.approx(
        np.mean([goal[0, order[:k]].any() for order in orders]), abs=1e-10
    )
    rules = top_1(scores, goal)
    assert rules["split"][0] == pytest.approx(np.mean([goal[0, order[0]] for order in orders]) / goal.sum(), abs=1e-10)
    assert rules["any"][0] == any(goal[0, order[0]] for order in orders)


@given(rows, st.integers(1, 4))
def test_random_baseline_is_the_mean_over_all_orders(gains: np.ndarray, k: int) -> None:
    gains[0, 3] = NAN  # no candidate
    found = random_scores(gains, k=k)
    orders = [np.array([[*order, NAN]], dtype=float) for order in permutations(range(3))]
    every = [all_scores(order, gains, k=k) for order in orders]
    for name, value in found.items():
        assert value[0] == pytest.approx(np.mean([one[name][0] for one in every]), abs=1e-10, nan_ok=True)


@given(arrays(float, (2, 4, 3), elements=st.integers(0, 3).map(float)), st.permutations(range(4)), st.booleans())
def test_order_of_items_and_raters_does_not_matter(ratings: np.ndarray, items: list[int], swap: bool) -> None:
    model = np.arange(12.0).reshape(4, 3) % 5
    moved = ratings[::-1] if swap else ratings
    plain, other = (
        analyse(*pair, k=2)["scores"]
        for pair in ((model, read_ratings(ratings)), (model[items], read_ratings(moved[:, items])))
    )
    for name, entry in plain.items():
        assert other[name] == pytest.approx(entry, abs=1e-10, nan_ok=True)


def test_published_dcg_of_2002() -> None:
    """The example of Järvelin and Kekäläinen (2002), with the discount from the second place on."""
    gains = np.array([3, 2, 3, 0, 0, 1, 2, 2, 3, 0.0])
    dcg = np.cumsum(gains * discounts(10, None, "2002"))
    np.testing.assert_allclose(dcg, [3, 5, 6.89, 6.89, 6.89, 7.28, 7.99, 8.66, 9.61, 9.61], atol=0.006)


def test_prior_leaves_the_item_itself_out() -> None:
    gains = np.array([[3.0, NAN], [1.0, 2.0], [0.0, 0.0]])
    np.testing.assert_array_equal(prior(gains, np.array([0, 0, 1])), [[1.0, 2.0], [3.0, NAN], [NAN, NAN]])


def test_what_is_left_out_is_counted(metric) -> None:
    references = {
        "item": ["a", "a", "b", "b", "c", "c", "d", "d"],
        "category": ["x", "y"] * 4,
        "rater": ["r"] * 8,
        "rating": [3, 1, 0, 0, 2, 2, 1, 0],
    }
    predictions = {
        "item": ["a", "a", "b", "c", "z"],
        "category": ["x", "y", "x", "y", "x"],
        "rater": ["m"] * 5,
        "rating": [1.0, 0.5, 1.0, 1.0, 1.0],
    }
    result = metric.compute(predictions=predictions, references=references, k=1)
    # a: right; b: no dominant category; c: y of {x, y}, x has no prediction; d: no prediction at all.
    assert result["dominant_expression"] == (1 + 0.5) / 2
    assert result["scores"]["top1_unique"] == {"value": 1.0, "random": 0.5, "prior": 1.0, "n_items": 1}
    counts = {name: result[f"n_{name}"] for name in ("items", "without_dominant", "without_prediction")}
    assert counts == {"items": 2, "without_dominant": 1, "without_prediction": 1}
    assert (result["n_missing_predictions"], result["n_unused_predictions"], result["n_tied_humans"]) == (2, 1, 1)


def test_candidate_sets_differ_and_are_named() -> None:
    references = read_ratings(
        {"item": ["a", "a", "b", "b"], "category": ["x", "y", "y", "z"], "rater": ["r"] * 4, "rating": [2, 1, 3, 0]}
    )
    predictions = np.array([[1.0, 0.0, 9.0], [8.0, 2.0, 1.0]])  # the other item's categories look best
    predictions = {
        "item": ["a"] * 3 + ["b"] * 3, "category": list("xyz") * 2, "rater": ["m"] * 6, "rating": predictions.ravel(),
    }  # fmt: skip
    rated, everything = (analyse(predictions, references, candidates=name) for name in ("rated", "all"))
    assert (rated["dominant_expression"], everything["dominant_expression"]) == (1, 0)
    assert (rated["mean_candidates"], everything["mean_candidates"]) == (2, 3)
    assert (rated["candidates"], everything["candidates"]) == ("rated", "all")
    assert everything["scores"]["top1_split"]["random"] == pytest.approx(1 / 3)


def test_chehre_baselines_are_high(chehre_labels: pd.DataFrame) -> None:
    references = read_ratings(chehre_labels)
    emoji = chehre_labels.drop_duplicates("item").set_index("item")["emoji"].to_dict()
    constant = chehre_labels.drop_duplicates(["item", "category"])[["item", "category"]].assign(rater="m", rating=1.0)
    result = analyse(constant, references, groups=emoji, bootstrap=20)
    for entry in result["scores"].values():
        if entry is not result["scores"]["top1_any"]:
            assert entry["value"] == pytest.approx(entry["random"], abs=1e-12)  # all tied = a random order
    assert result["scores"]["ndcg"]["random"] > 0.8
    assert result["scores"]["top1_split"]["prior"] > 1.5 * result["scores"]["top1_split"]["random"]
    perfect = chehre_labels.groupby(["item", "category"], as_index=False)["rating"].mean().assign(rater="m")
    best = analyse(perfect, references, groups=emoji)["scores"]
    assert best["ndcg"]["value"] == best["skill"]["value"] == best["top1_unique"]["value"] == 1


@pytest.mark.parametrize("resample", ["items", "raters", "both"])
def test_bootstrap_is_seeded_and_contains_the_value(resample: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 3, (120, 4))
    references = read_ratings(np.clip(truth + rng.normal(0, 0.7, (4, 120, 4)), 0, 3))
    predictions = truth + rng.normal(0, 0.7, (120, 4))
    first, again, other = (
        analyse(predictions, references, k=2, bootstrap=60, seed=seed, resample=resample) for seed in (1, 1, 2)
    )
    assert first == again and (first != other) == (resample != "raters")  # leaving out one rater is no draw
    for entry in first["scores"].values():
        assert entry["interval"][0] < entry["value"] < entry["interval"][1]


def test_samples_are_averaged_and_models_are_not_mixed(metric) -> None:
    references = np.random.default_rng(0).integers(0, 4, (3, 10, 4))
    samples = np.random.default_rng(1).normal(size=(5, 10, 4))
    assert metric.compute(predictions=samples, references=references) == metric.compute(
        predictions=samples.mean(0), references=references
    )


def test_items_are_collected_one_by_one(metric) -> None:
    humans = [[[3, 1, 0], [2, 2, 0]], [[2, 0, 1], [1, 1, 1]]]
    model = [[0.9, 0.4, 0.1], [0.2, 0.7, 0.1]]
    metric.add(prediction=model[0], reference=[rater[0] for rater in humans])
    metric.add(prediction=model[1], reference=[rater[1] for rater in humans])
    assert metric.compute(k=2) == metric.compute(predictions=model, references=humans, k=2)
    metric.add_batch(predictions=model, references=[[[3, 1, 0], [2, 0, 1]], [[2, 2, 0]]])  # one rater fewer
    assert metric.compute(k=2)["n_raters"] == 2


TWO = dict(references=[[[1, 2], [2, 0]]])
BAD = {
    "one category": (dict(predictions=[1, 2], references=[[1, 2]]), "at least two categories"),
    "negative": (dict(predictions=[[1, 2]], references=[[[-1, 2]]]), "must be ≥ 0; the lowest is -1"),
    "candidates": (dict(predictions=[[1, 2]] * 2, candidates="some", **TWO), "valid: 'rated', 'all'"),
    "discount": (dict(predictions=[[1, 2]] * 2, discount="log", **TWO), "valid: 'log2', '2002'"),
    "k": (dict(predictions=[[1, 2]] * 2, k=0, **TWO), "k=0"),
    "ndcg_k": (dict(predictions=[[1, 2]] * 2, ndcg_k=1.5, **TWO), "ndcg_k=1.5"),
    "groups": (dict(predictions=[[1, 2]] * 2, groups=["a"], **TWO), "groups name 1 of 2 items"),
    "groups by name": (dict(predictions=[[1, 2]] * 2, groups={"0": "a"}, **TWO), r"\['1'\] have none"),
    "shape": (dict(predictions=5.0, **TWO), "valid: .items., .items, categories."),
    "text": (dict(predictions=[["a", 2]] * 2, **TWO), "found the text 'a'"),
    "infinity": (dict(predictions=[[1, np.inf]] * 2, **TWO), "predictions must be finite"),
    "resample": (dict(predictions=[[1, 2]] * 2, resample="all", **TWO), "valid: 'items', 'raters', 'both'"),
    "nothing": (dict(), "nothing to compute"),
    "all missing": (dict(predictions=[[NAN, NAN]] * 2, **TWO), "no rating"),
    "two models": (
        dict(predictions={"item": ["0", "0"], "category": ["0", "0"], "rater": ["m", "n"], "rating": [1, 2]}, **TWO),
        "one model at a time",
    ),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_a_clear_error(metric, options: dict, message: str) -> None:
    with pytest.raises(RatingsError, match=message):
        metric.compute(**options)


def test_a_misspelt_option_is_named_with_the_valid_ones(metric) -> None:
    with pytest.raises(RatingsError, match="topk=.* is not an argument of dominant_expression.*[Vv]alid: "):
        metric.compute(predictions=[[1, 2]] * 2, topk=3, **TWO)


def test_undefined_is_told(metric) -> None:
    with pytest.warns(UndefinedWarning, match="No item has a dominant category"):
        result = metric.compute(predictions=[[1, 2]], references=[[[0, 0]]])
    assert math.isnan(result["dominant_expression"])
    assert (result["n_undefined"], result["n_without_dominant"]) == (1, 1)


@pytest.fixture(scope="module")
def metric():
    from metrics.dominant_expression.dominant_expression import DominantExpression

    return DominantExpression()
