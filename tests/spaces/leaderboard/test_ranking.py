"""Places: ranges where intervals overlap, whatever the order of the raters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from kit.record import Record
from ranking import places

VALUES = st.floats(-2, 2).map(lambda value: round(value, 3))


def records(values: list[float], widths: list[float] | None = None) -> dict[str, Record]:
    ends = [None] * len(values) if widths is None else [(v - w, v + w) for v, w in zip(values, widths, strict=True)]
    pairs = zip(values, ends, strict=True)
    return {f"r{at}": Record(id="x", value=value, interval=pair) for at, (value, pair) in enumerate(pairs)}


def test_overlapping_intervals_share_places() -> None:
    found = places(records([0.9, 0.5, 0.48, 0.1], [0.05, 0.05, 0.05, 0.05]), "high")
    assert [str(one) for one in found.values()] == ["1", "2–3", "2–3", "4"]


def test_without_an_interval_places_are_by_value_and_say_so() -> None:
    mixed = records([0.9, 0.5], [0.01, 0.01]) | {"third": Record(id="x", value=0.5)}
    assert [str(one) for one in places(mixed, "high").values()] == ["1*", "2*", "2*"]


@pytest.mark.parametrize(("best", "order"), [("high", "1 2 3"), ("low", "3 2 1"), ("one", "2 1 3")])
def test_what_is_best_decides(best: str, order: str) -> None:
    found = places(records([1.4, 0.9, 0.2], [0.01, 0.01, 0.01]), best)
    assert " ".join(str(one) for one in found.values()) == order


@given(st.lists(VALUES, min_size=1, max_size=12), st.randoms())
def test_by_value_they_are_scipys_ranks(values: list[float], rng) -> None:
    found = places(records(values), "high")
    assert [one.best for one in found.values()] == rankdata(-np.array(values), method="min").tolist()
    shuffled = list(records(values).items())
    rng.shuffle(shuffled)
    assert places(dict(shuffled), "high") == found


@given(st.lists(st.tuples(VALUES, st.floats(0, 1)), min_size=1, max_size=12))
def test_every_place_in_a_range_is_one_that_some_values_in_the_intervals_give(pairs: list) -> None:
    values, widths = zip(*pairs, strict=True)
    found = places(records(list(values), list(widths)), "high")
    drawn = np.random.default_rng(0).uniform(-1, 1, (50, len(values))) * widths + values
    ranks = np.array([rankdata(-row, method="ordinal") for row in drawn])
    for at, place in enumerate(found.values()):
        assert 1 <= place.best <= ranks[:, at].min() and ranks[:, at].max() <= place.worst <= len(values)
