"""κ_w against scikit-learn, statsmodels, its own definition, and what must not change it."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from metrics.weighted_kappa.checks import RatingsError, UndefinedWarning
from metrics.weighted_kappa.kappa import (
    WEIGHTS,
    kappa_of_table,
    pairwise_kappa,
    prepare,
    resampled_kappa,
    weighted_kappa,
)
from metrics.weighted_kappa.ratings import read_ratings
from metrics.weighted_kappa.resampling import resamples
from metrics.weighted_kappa.weighted_kappa import analyse

SKLEARN = {"quadratic": "quadratic", "linear": "linear", "none": None}
NAN = float("nan")
pytestmark = pytest.mark.filterwarnings("ignore::metrics.weighted_kappa.checks.UndefinedWarning")


def sklearn_kappa(first: np.ndarray, second: np.ndarray, weights: str) -> float:
    both = ~np.isnan(first) & ~np.isnan(second)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(
            cohen_kappa_score(
                first[both].astype(int), second[both].astype(int), weights=SKLEARN[weights], labels=range(-1, 9)
            )
        )


@st.composite
def gappy(draw: st.DrawFn, raters: int = 4, low: int = 0, high: int = 7) -> np.ndarray:
    cells = draw(arrays(float, (raters, draw(st.integers(2, 14))), elements=st.integers(low, high).map(float)))
    gaps = draw(arrays(bool, cells.shape, elements=st.sampled_from([False, False, False, True])))
    gaps[0, 0] = False  # at least one rating
    return np.where(gaps, NAN, cells)


@given(gappy(), st.sampled_from(WEIGHTS))
def test_equals_scikit_learn_for_every_pair(ratings: np.ndarray, weights: str) -> None:
    kappa, n = pairwise_kappa(ratings, weights=weights)
    for a in range(len(ratings)):
        for b in range(len(ratings)):
            both = ~np.isnan(ratings[a]) & ~np.isnan(ratings[b])
            assert n[a, b] == both.sum()
            if not both.any() or len(set(ratings[a][both]) | set(ratings[b][both])) == 1:
                assert math.isnan(kappa[a, b])
            else:
                assert kappa[a, b] == pytest.approx(sklearn_kappa(ratings[a], ratings[b], weights), abs=1e-10)


@pytest.mark.parametrize("weights", ["quadratic", "linear", "none"])
def test_equals_statsmodels_and_the_definition(weights: str) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 8, (2, 300))
    counts = np.zeros((8, 8))
    np.add.at(counts, (first, second), 1)
    apart = np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    power = {"quadratic": apart**2, "linear": apart, "none": apart > 0}[weights]
    found = weighted_kappa(first, second, weights=weights)
    wt = None if weights == "none" else weights
    assert found == pytest.approx(cohens_kappa(counts, wt=wt).kappa, abs=1e-10)
    assert found == pytest.approx(kappa_of_table(counts, power), abs=1e-10)


@given(gappy(), st.sampled_from(WEIGHTS), st.randoms(use_true_random=False))
def test_order_and_shift_do_not_matter(ratings: np.ndarray, weights: str, random: object) -> None:
    rows, columns = np.arange(ratings.shape[0]), np.arange(ratings.shape[1])
    random.shuffle(rows), random.shuffle(columns)
    kappa, _ = pairwise_kappa(ratings, weights=weights)
    moved, _ = pairwise_kappa(ratings[rows][:, columns] + 100, weights=weights)
    np.testing.assert_allclose(moved, kappa[np.ix_(rows, rows)], atol=1e-10)
    flipped, _ = pairwise_kappa(7 - ratings, weights=weights)
    np.testing.assert_allclose(flipped, kappa, atol=1e-10)


@given(gappy(raters=2), st.permutations(range(8)))
def test_without_weights_labels_are_only_names(ratings: np.ndarray, names: list[int]) -> None:
    renamed = np.where(np.isnan(ratings), NAN, np.array(names, float)[np.nan_to_num(ratings).astype(int)])
    kappas = [pairwise_kappa(cells, weights="none")[0] for cells in (ratings, renamed)]
    np.testing.assert_allclose(*kappas, atol=1e-10)


@given(gappy(raters=2))
def test_quadratic_is_lins_concordance(ratings: np.ndarray) -> None:
    first, second = ratings[:, ~np.isnan(ratings).any(0)]
    kappa = weighted_kappa(*ratings, non_integer="concordance")
    if len({*first, *second}) > 1:
        spread = first.var() + second.var() + (first.mean() - second.mean()) ** 2
        covariance = ((first - first.mean()) * (second - second.mean())).mean()
        assert kappa == pytest.approx(2 * covariance / spread, abs=1e-10)
    else:
        assert math.isnan(kappa)


@given(gappy(), st.sampled_from(WEIGHTS), st.integers(0, 99))
def test_a_resample_is_kappa_of_the_drawn_items(ratings: np.ndarray, weights: str, seed: int) -> None:
    pairs = np.array([[0, 1], [2, 3], [3, 0]])
    (counts,) = resamples(ratings.shape[1], 5, seed)
    found = resampled_kappa(ratings, counts, pairs, weights=weights)
    for row, drawn in zip(found, counts.astype(int), strict=True):
        kappa, _ = pairwise_kappa(np.repeat(ratings, drawn, axis=1), weights=weights)
        np.testing.assert_allclose(row, kappa[pairs[:, 0], pairs[:, 1]], atol=1e-10)


def test_uneven_ratings_in_resamples() -> None:
    rng = np.random.default_rng(0)
    ratings = rng.normal(3, 1, (3, 40)).round(3)
    (counts,) = resamples(40, 20, 0)
    found = resampled_kappa(ratings, counts, np.array([[0, 1], [1, 2]]))
    for row, drawn in zip(found, counts.astype(int), strict=True):
        kappa, _ = pairwise_kappa(np.repeat(ratings, drawn, axis=1))
        np.testing.assert_allclose(row, kappa[[0, 1], [1, 2]], atol=1e-10)


def test_constant_raters() -> None:
    assert math.isnan(weighted_kappa([2, 2, 2], [2, 2, 2]))
    assert weighted_kappa([2, 2, 2], [3, 3, 3]) == 0
    assert weighted_kappa([2, 2, 2], [1, 2, 3]) == 0
    assert math.isnan(weighted_kappa([0.1] * 7, [0.1] * 7, non_integer="concordance"))
    assert weighted_kappa([0.1] * 7, [0.3, *[0.1] * 6], non_integer="concordance") == 0


def test_table_6_averages_over_partners_then_categories() -> None:
    rng = np.random.default_rng(3)
    ratings = rng.integers(0, 8, (5, 30, 4)).astype(float)
    ratings[rng.random(ratings.shape) < 0.2] = NAN
    result = analyse(read_ratings(ratings), partners=["0", "1", "2"])
    by_rater = np.full((4, 5), NAN)
    for category in range(4):
        kappa, _ = pairwise_kappa(ratings[:, :, category])
        for rater in range(5):
            by_rater[category, rater] = np.mean([kappa[rater, other] for other in range(3) if other != rater])
    for rater in range(5):
        entry = result["per_rater"][str(rater)]
        assert entry["weighted_kappa"] == pytest.approx(by_rater[:, rater].mean(), abs=1e-12)
        assert entry["sd"] == pytest.approx(by_rater[:, rater].std(ddof=1), abs=1e-12)
        assert entry["median"] == pytest.approx(np.median(by_rater[:, rater]), abs=1e-12)
        assert entry["top_category"] == str(by_rater[:, rater].argmax())
    assert len(result["per_pair"]) == 9  # 3 among the partners, 2 × 3 with them; the pair (3, 4) has none


def test_upstream_truncates_and_drops() -> None:
    first, second = np.array([1.9, 2.2, -1.5, 8.3, -0.7, 6.0]), np.array([1.0, 3.0, 2.0, -3.0, 0.0, 5.9])
    ready = prepare(np.stack([first, second]), non_integer="upstream")
    assert (ready.n_changed, ready.n_dropped) == (6, 3)
    expected = cohen_kappa_score(first.astype(int), second.astype(int), weights="quadratic", labels=list(range(8)))
    assert weighted_kappa(first, second, non_integer="upstream") == pytest.approx(expected, abs=1e-12)
    assert weighted_kappa(first, second, non_integer="round", scale=(0, 7), clip=True) != pytest.approx(expected)


@pytest.mark.parametrize("resample", ["items", "raters", "both"])
def test_bootstrap_is_seeded_and_contains_the_value(resample: str) -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 8, (1, 80, 3))
    table = read_ratings(np.clip(truth + rng.integers(-2, 3, (6, 80, 3)), 0, 7))
    first, again, other = (analyse(table, bootstrap=200, seed=seed, resample=resample) for seed in (1, 1, 2))
    assert first == again and (first != other) == (resample != "raters")  # leaving out one rater is no draw
    low, high = first["interval"]
    assert low < first["weighted_kappa"] < high
    assert all(low < entry["weighted_kappa"] < high for entry in first["per_rater"].values()
               for low, high in [entry["interval"]])  # fmt: skip
    of_pairs = [entry["interval"] for entry in first["per_pair"]]
    assert all(of_pairs) if resample == "items" else not any(of_pairs)


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_ratings(np.random.default_rng(0).integers(0, 4, (4, 30)))
    whole = analyse(table, bootstrap=50)
    for name in ("kappa", "resampling"):
        monkeypatch.setattr(f"metrics.weighted_kappa.{name}.CHUNK", 70)
    chunked = analyse(table, bootstrap=50)
    np.testing.assert_allclose(chunked["interval"], whole["interval"], atol=1e-12)


def test_real_binary_votes_and_chehre(binary_votes: pd.DataFrame, chehre_labels: pd.DataFrame) -> None:
    target = binary_votes[binary_votes["step"] > 0]
    for table, category in ((target, "Pain"), (chehre_labels, "Happy")):
        one = table[table["category"] == category]
        matrix = one.pivot(index="rater", columns="item", values="rating").to_numpy(float)
        for weights in WEIGHTS:
            kappa, n = pairwise_kappa(matrix, weights=weights)
            shared = [(a, b) for a, b in np.argwhere(np.triu(n, 1) > 2)[:40]]
            assert shared
            for a, b in shared:
                expected = sklearn_kappa(matrix[a], matrix[b], weights)
                assert kappa[a, b] == pytest.approx(expected, abs=1e-10, nan_ok=True)
    # 234 raters who rated few videos each: most pairs share one or two, where κ_w says little. The counts say so.
    result = analyse(read_ratings(chehre_labels), bootstrap=10)
    few = analyse(read_ratings(chehre_labels), min_common=2)
    assert result["n_raters"] == chehre_labels["rater"].nunique()
    assert result["n_undefined"] > 1000
    assert 0 < few["n_pairs"] < result["n_pairs"]
    assert few["weighted_kappa"] > result["weighted_kappa"]


BAD = {
    "one rater": (dict(ratings=[[1, 2, 3]]), "at least two raters"),
    "text": (dict(ratings=[[1, 2], ["a", 2]]), "found the text 'a'"),
    "numbers as text": (dict(ratings=[["1", "2"], ["2", "1"]]), "found the text '1'"),
    "infinity": (dict(ratings=[[1, 2], [float("inf"), 2]]), r"must be finite: found inf at \[1, 0\]"),
    "ragged": (dict(ratings=[[1, 2], [1]]), "full array"),
    "all missing": (dict(ratings=[[NAN, NAN], [NAN, None]]), "no rating"),
    "one dimension": (dict(ratings=[1, 2, 3]), r"shape \[3\]"),
    "half": (dict(ratings=[[1, 2.5], [1, 2]]), "not whole numbers, the first is 2.5"),
    "off scale": (dict(ratings=[[1, 9], [1, 2]], scale=(0, 7)), "outside the scale 0–7, the first is 9"),
    "scale": (dict(ratings=[[1, 2], [1, 2]], scale=(7, 0)), "scale=.7, 0. is not valid"),
    "weights": (dict(ratings=[[1, 2], [1, 2]], weights="cubic"), "valid: 'quadratic', 'linear', 'none'"),
    "concordance": (dict(ratings=[[1, 2], [1, 2]], weights="linear", non_integer="concordance"), "quadratic"),
    "min_common": (dict(ratings=[[1, 2], [1, 2]], min_common=0), "min_common=0"),
    "partners": (dict(ratings=[[1, 2], [1, 2]], partners=["x"]), "not raters of this table"),
    "bootstrap": (dict(ratings=[[1, 2], [1, 2]], bootstrap=-5), "bootstrap=-5"),
    "seed": (dict(ratings=[[1, 2], [1, 2]], bootstrap=5, seed="a"), "seed='a'"),
    "confidence": (dict(ratings=[[1, 2], [1, 2]], confidence=95), "confidence=95"),
    "columns": (dict(ratings={"item": ["a"], "rating": [1]}), r"lack the columns \['rater'\]"),
    "uneven columns": (dict(ratings={"item": ["a"], "rater": ["x", "y"], "rating": [1, 2]}), "do not fit together"),
    "no name": (dict(ratings={"item": ["a", None], "rater": ["x", "y"], "rating": [1, 2]}), "empty in row 1"),
    "twice": (dict(ratings={"item": ["a", "a"], "rater": ["x", "x"], "rating": [1, 2]}), "more than once"),
    "lengths": (dict(predictions=[1, 2], references=[1]), "must both have the shape"),
    "one of two": (dict(predictions=[1, 2]), "Give either ratings"),
    "nothing": (dict(), "nothing to compute"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_a_clear_error(metric, options: dict, message: str) -> None:
    with pytest.raises(RatingsError, match=message):
        metric.compute(**options)


def test_a_misspelt_option_is_named_with_the_valid_ones(metric) -> None:
    with pytest.raises(RatingsError, match="weigths=.* is not an argument of weighted_kappa.*[Vv]alid: "):
        metric.compute(predictions=[1], references=[1], weigths="linear")


def test_undefined_is_counted_and_told(metric) -> None:
    with pytest.warns(UndefinedWarning, match="1 of the κ_w are undefined"):
        result = metric.compute(ratings=[[1, 1], [1, 1], [1, 2]], bootstrap=10)
    assert result["n_undefined"] == 1
    assert result["weighted_kappa"] == 0
    one_item = metric.compute(predictions=[3], references=[3])
    assert math.isnan(one_item["weighted_kappa"])
    assert one_item["n_undefined"] == 1


def test_metric_takes_pairs_tables_and_batches(metric) -> None:
    first, second = [1, 2, 3, 3, 1], [1, 2, 2, 3, 2]
    expected = weighted_kappa(first, second)
    rows = [(f"i{i}", rater, v) for rater, values in (("a", first), ("b", second)) for i, v in enumerate(values)]
    frame = pd.DataFrame(rows, columns=["item", "rater", "rating"])
    metric.add_batch(predictions=first[:3], references=second[:3])
    metric.add_batch(predictions=first[3:], references=second[3:])
    collected = metric.compute()
    for pair in zip(first, second, strict=True):
        metric.add(prediction=pair[0], reference=pair[1])
    for result in (
        collected,
        metric.compute(),
        metric.compute(predictions=first, references=second),
        metric.compute(predictions=np.array(first), references=second),
        metric.compute(ratings=[first, second]),
        metric.compute(ratings=frame.sample(frac=1, random_state=0)),
        metric.compute(ratings=frame.to_dict("list")),
    ):
        assert result["weighted_kappa"] == pytest.approx(expected, abs=1e-12)
        assert (result["n_raters"], result["n_items"], result["n_pairs"]) == (2, 5, 1)


def test_two_tables_are_two_raters(metric) -> None:
    """Neither is read as an array of numbers, in whatever order their rows stand."""
    first = {"item": [1, 2, 3, 4], "rating": [1, 2, 3, 3]}
    second = pd.DataFrame({"item": ["4", "3", "2", "1"], "rater": 0, "rating": [3, 2, 2, 1]})
    result = metric.compute(predictions=first, references=second)
    expected = sklearn_kappa(np.array([1, 2, 3, 3]), np.array([1, 2, 2, 3]), "quadratic")
    assert result["weighted_kappa"] == pytest.approx(expected)
    assert list(result["per_rater"]) == ["predictions", "references"]
    with pytest.raises(RatingsError, match="predictions are an array and the other side is a table"):
        metric.compute(predictions=[1, 2, 3, 3], references=second)


@pytest.fixture(scope="module")
def metric():
    from metrics.weighted_kappa.weighted_kappa import WeightedKappa

    return WeightedKappa()
