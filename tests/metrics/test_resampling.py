"""Arithmetic that every metric rests on: ties despite rounding, resamples that do not depend on chunks."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.dominant_expression.dominant_expression import analyse as dominant
from metrics.dominant_expression.ratings import cell_means, read_ratings
from metrics.dominant_expression.resampling import ROUNDING, distinct, merge_ties, numbered
from metrics.rating_correlation.rating_correlation import analyse as correlate

NAN = float("nan")
SAMPLES = ((0.1, 0.3), (0.2, 0.2), (0.3, 0.1))


@pytest.mark.parametrize("order", list(permutations(SAMPLES)))
def test_equal_means_are_tied_in_every_order_of_the_samples(order: tuple) -> None:
    """Both categories have the mean .2, one of them .20000000000000004 in some orders: half a point each."""
    result = dominant(np.array(order)[:, None], [[[3, 0]]], k=1)
    assert result["dominant_expression"] == result["scores"]["top1"]["value"] == 0.5
    human = dominant([[1.0, 0.0]], np.array(order)[:, None])
    assert human["n_tied_humans"] == 1


@pytest.mark.parametrize("order", list(permutations(SAMPLES)))
def test_equal_means_have_equal_ranks(order: tuple) -> None:
    samples = np.concatenate([np.array(order), np.ones((3, 1))], axis=1)  # items .2, .2, 1
    assert correlate(samples[:, :, None], [[[1], [2], [3]]])["rating_correlation"] == pytest.approx(np.sqrt(3) / 2)


@given(st.lists(st.sampled_from([0.0, 1e-30, 0.1, 0.2, 0.3, 7.0]), min_size=1, max_size=8), st.data())
def test_what_differs_by_rounding_only_is_equal_and_nothing_else(values: list[float], data: st.DataObject) -> None:
    exact = np.array(values)
    off = exact * (1 + ROUNDING / 4 * np.array(data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(values),
                                                                  max_size=len(values)))))  # fmt: skip
    merged = merge_ties(off, np.abs(exact))
    assert ((merged[:, None] == merged) == (exact[:, None] == exact)).all()
    np.testing.assert_allclose(merged, exact, rtol=ROUNDING)


def test_gaps_stay_gaps() -> None:
    merged = merge_ties(np.array([[NAN, 1.0], [NAN, NAN]]), np.array([[NAN, 1.0], [NAN, NAN]]))
    np.testing.assert_array_equal(merged, [[NAN, 1.0], [NAN, NAN]])
    assert merge_ties(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, 3)


def test_terms_that_cancel_are_zero() -> None:
    """−.3 + .2 + .1 is 2.8e-17: compared with the terms that it comes from, not with itself."""
    table = read_ratings([[[-0.3, 0.0]], [[0.2, 0.0]], [[0.1, 0.0]]])
    first, second = cell_means(table, np.ones(len(table)))[0]
    assert first == second


@given(st.lists(st.integers(0, 20), max_size=30), st.sampled_from([21, 10_000]))
def test_codes_are_counted_and_numbered_as_numpy_does(codes: list[int], size: int) -> None:
    code = np.array(codes, dtype=np.int64)
    expected = np.unique(code, return_inverse=True)
    assert distinct(code) == len(expected[0])
    for found, wanted in zip(numbered(code, size), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
