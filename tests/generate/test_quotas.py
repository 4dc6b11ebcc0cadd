"""Every factor within one of its quota, every pair of factors within the stated bound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.generate.prompts import factors
from emohub.generate.quotas import BOUND, crossed, off, quotas

SHARES = {name: list(levels.values()) for name, levels in factors().items()}


@given(n=st.integers(0, 3000), shares=st.lists(st.integers(1, 50), min_size=1, max_size=14), seed=st.integers(0, 9))
def test_quotas_are_within_one(n: int, shares: list[int], seed: int) -> None:
    found = quotas(n, shares, np.random.default_rng(seed))
    exact = n * np.array(shares) / sum(shares)
    assert found.sum() == n and (np.abs(found - exact) < 1).all()


@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=40).filter(any), seed=st.integers(0, 1000))
def test_factors_are_balanced_one_by_one_and_in_pairs(counts: list[int], seed: int) -> None:
    first = np.repeat(np.arange(len(counts)), counts)
    made = crossed(first, SHARES, np.random.default_rng(seed))
    for name, shares in SHARES.items():
        exact = len(first) * np.array(shares) / sum(shares)
        assert (np.abs(np.bincount(made[name], minlength=len(shares)) - exact) < 1).all()
    every = [first, *made.values()]
    assert max(off(a, b) for at, a in enumerate(every) for b in every[:at]) <= BOUND


def test_a_large_design_is_within_the_bound() -> None:
    first = np.repeat(np.arange(40), 100)
    made = crossed(first, SHARES, np.random.default_rng(0))
    every = [first, *made.values()]
    assert max(off(a, b) for at, a in enumerate(every) for b in every[:at]) <= BOUND


def test_chance_alone_would_not_be() -> None:
    rng = np.random.default_rng(0)
    first, other = np.repeat(np.arange(40), 100), rng.integers(0, 14, 4000)
    assert off(first, other) > BOUND


def test_how_far_a_pair_is_off() -> None:
    assert off(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == 0
    assert off(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])) == 1
    assert off(np.array([], dtype=int), np.array([], dtype=int)) == 0


def test_the_same_seed_gives_the_same_rows() -> None:
    first = np.repeat(np.arange(5), 7)
    one, same, other = (crossed(first, SHARES, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((one[name] == same[name]).all() for name in SHARES)
    assert any((one[name] != other[name]).any() for name in SHARES)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_so_few_prompts_are_balanced_too(n: int) -> None:
    made = crossed(np.arange(n), SHARES, np.random.default_rng(0))
    assert {len(levels) for levels in made.values()} == {n}
