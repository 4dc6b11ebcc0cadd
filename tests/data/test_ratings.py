"""The ratings validator against a slow oracle that looks at one row after the other."""

import math
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.ratings import COLUMNS, FEATURES, faults, ratings_table, validate_ratings
from emohub.errors import RatingsError

CATEGORIES = ["Awe", "Pain"]
SOUND = {"item": "a", "rater": "r", "kind": "human", "category": "Awe", "rating": 1.0}


def check(rows, **options):
    return validate_ratings(pd.DataFrame(rows), **{"categories": CATEGORIES, "scale": (0, 7)} | options)


# ---- The oracle


def empty(value):
    return value is None or value == ""


def oracle(rows, low, high, whole):
    """{rule: rows that break it}, every row on its own but for repeats."""
    found, seen = {}, set()
    for number, row in enumerate(rows):
        finite = not (row["rating"] is None or math.isnan(row["rating"]) or math.isinf(row["rating"]))
        human = row["kind"] == "human"
        key = (row["item"], row["rater"], row["category"], row.get("sample"))
        broken = {
            "item is empty": empty(row["item"]),
            "rater is empty": empty(row["rater"]),
            "kind is not one of human, model, vlm, baseline": row["kind"] not in ("human", "model", "vlm", "baseline"),
            "category is not in the label set": row["category"] not in CATEGORIES,
            "rating is not a finite number": not finite,
            f"rating is outside {low:g}–{high:g}": finite and human and not low <= row["rating"] <= high,
            "rating is not a whole number": finite and human and whole and Fraction(row["rating"]).denominator != 1,
            "the rater rated this category of this item before": key in seen,
        }
        seen.add(key)
        for rule in (rule for rule, breaks in broken.items() if breaks):
            found.setdefault(rule, []).append(number)
    return found


names = st.sampled_from(["a", "b", "c", "", None])
row = st.fixed_dictionaries(
    {
        "item": names,
        "rater": names,
        "kind": st.sampled_from(["human", "human", "model", "vlm", "baseline", "Human", "", None]),
        "category": st.sampled_from(["Awe", "Pain", "awe", "", None]),
        "rating": st.one_of(
            st.sampled_from([0.0, 7.0, 1, 1.5, -0.0, 7.0000001, -1e-9, math.nan, math.inf, -math.inf]),
            st.floats(-1, 8),
            st.none(),
        ),
        "sample": st.sampled_from([None, 0, 1]),
        "step": st.sampled_from([None, 0, 1, 2, 3]),
    }
)
tables = st.lists(row, min_size=1, max_size=12)
absent = st.sets(st.sampled_from(["sample", "step"]))


def without(rows, dropped):
    return [{name: value for name, value in row.items() if name not in dropped} for row in rows]


def frame_of(rows, categorical=False):
    frame = pd.DataFrame(rows, columns=list(rows[0])).astype({"rating": "float64"})
    frame.index = pd.Index([7] * len(rows))  # what the row numbers must not come from
    columns = ["item", "rater", "kind", "category"] if categorical else []
    return frame.astype({name: "category" for name in columns})


@given(tables, absent, st.booleans(), st.booleans(), st.sampled_from([(0, 7), (0, 3), (0, 1)]))
def test_faults_are_those_of_a_row_by_row_check(rows, dropped, whole, categorical, scale):
    rows = without(rows, dropped)
    table = ratings_table(frame_of(rows, categorical))
    found = {
        what: np.flatnonzero(mask).tolist()
        for what, mask in faults(table, categories=CATEGORIES, scale=scale, whole=whole)
    }
    assert found == oracle(rows, *scale, whole)


@given(tables, absent, st.booleans())
def test_the_error_names_every_rule_its_rows_and_how_many(rows, dropped, whole):
    rows = without(rows, dropped)
    expected = oracle(rows, 0, 7, whole)
    if not expected:
        assert len(validate_ratings(frame_of(rows), categories=CATEGORIES, scale=(0, 7), whole=whole)) == len(rows)
        return
    with pytest.raises(RatingsError) as caught:
        validate_ratings(frame_of(rows), categories=CATEGORIES, scale=(0, 7), whole=whole)
    first, *lines = str(caught.value).splitlines()
    assert first == "The ratings table breaks its schema:"
    told = [re.fullmatch(r"  - (.+): ([\d,]+) of ([\d,]+) rows, first rows ([\d, ]+); (.+)", line) for line in lines]
    assert {m[1]: (int(m[2]), int(m[3]), [int(n) for n in m[4].split(", ")]) for m in told} == {
        rule: (len(broken), len(rows), broken[:5]) for rule, broken in expected.items()
    }
    for match in told:
        shown = rows[expected[match[1]][0]]
        assert match[5].startswith(f"item={shown['item']} " if shown["item"] else "item=")


@given(tables, absent)
def test_sound_rows_come_back_as_they_are(rows, dropped):
    rows = without(rows, dropped)
    bad = {number for broken in oracle(rows, 0, 7, False).values() for number in broken}
    kept = [row for number, row in enumerate(rows) if number not in bad]
    if not kept:
        return
    table = validate_ratings(frame_of(kept), categories=CATEGORIES, scale=(0, 7))
    assert tuple(table.columns) == COLUMNS
    back = pa.Table.from_pandas(table, schema=FEATURES.arrow_schema, preserve_index=False).to_pylist()
    assert back == [{name: None for name in COLUMNS} | row for row in kept]


# ---- Types

whole_number = st.one_of(
    st.none(), st.integers(-5, 5), st.sampled_from([2**31 - 1, 2**31, -(2**40), 300, 1.5, "x", "2"])
)


def fits(value, low, high):
    if value is None:
        return True
    try:
        number = Fraction(str(value))
    except ValueError:
        return False
    return number.denominator == 1 and low <= number <= high


@given(st.lists(st.tuples(whole_number, whole_number), min_size=1, max_size=8))
def test_sample_and_step_must_be_whole_numbers_in_their_range(pairs):
    rows = [
        SOUND | {"item": f"item-{number}", "sample": sample, "step": step}
        for number, (sample, step) in enumerate(pairs)
    ]
    bad = {
        "sample": [n for n, (sample, _) in enumerate(pairs) if not fits(sample, 0, 2**31 - 1)],
        "step": [n for n, (_, step) in enumerate(pairs) if not fits(step, 0, 3)],
    }
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in COLUMNS})
    if not any(bad.values()):
        table = validate_ratings(frame, categories=CATEGORIES, scale=(0, 7))
        assert [(None if pd.isna(s) else s) for s in table["step"]] == [
            None if step is None else int(step) for _, step in pairs
        ]
        return
    with pytest.raises(RatingsError) as caught:
        validate_ratings(frame, categories=CATEGORIES, scale=(0, 7))
    told = dict(re.findall(r"- (\w+) is not a whole number from 0 to [\d,]+: ([\d,]+) of", str(caught.value)))
    assert {name: int(count) for name, count in told.items()} == {name: len(b) for name, b in bad.items() if b}


@pytest.mark.parametrize("name", ["item", "rater", "kind", "category"])
@pytest.mark.parametrize("value", [7, 1.5, b"a", ["a"], True, pd.Timestamp(0)], ids=repr)
def test_names_must_be_text(name, value):
    with pytest.raises(RatingsError, match=rf"{name} is not text: 1 of 3 rows, first rows 1; .*{name}="):
        check([SOUND, SOUND | {"item": "b", name: value}, SOUND | {"item": "c"}])


@pytest.mark.parametrize("value", ["high", "", [1], {"Awe": 1}, pd.Timestamp(0), pd.Timedelta(1)], ids=repr)
def test_a_rating_that_is_no_number_is_shown_with_its_row(value):
    for rows in ([SOUND, SOUND | {"item": "b", "rating": value}], [SOUND | {"rating": value}]):
        last = len(rows) - 1
        with pytest.raises(RatingsError, match=f"not a number: 1 of {last + 1} rows, first rows {last};") as caught:
            check(rows)
        assert f"rating={value}" in str(caught.value)


def test_complex_ratings_are_no_numbers():
    with pytest.raises(RatingsError, match="rating is not a number: 1 of 1"):
        check([SOUND | {"rating": 1j}])


@pytest.mark.parametrize("values", [[True, False], ["1", "0"], pd.array([1, 0], "Int8"), pd.array([1, 0], "Float32")])
def test_ratings_of_any_number_type_are_read(values):
    table = check({**{name: [value] * 2 for name, value in SOUND.items()}, "item": ["a", "b"], "rating": values})
    assert table["rating"].tolist() == [1.0, 0.0] and table["rating"].dtype == "float64"


@pytest.mark.parametrize("values", [[None, 1.0], [math.nan, 1.0], pd.array([None, 1], "Int8")], ids=repr)
def test_a_missing_rating_is_no_finite_number(values):
    with pytest.raises(RatingsError, match="rating is not a finite number: 1 of 2 rows, first rows 0"):
        check({**{name: [value] * 2 for name, value in SOUND.items()}, "item": ["a", "b"], "rating": values})


# ---- Columns


@pytest.mark.parametrize("name", ["item", "rater", "kind", "category", "rating"])
def test_a_required_column_is_asked_for_by_name(name):
    with pytest.raises(RatingsError, match=rf"\['{name}'\] are missing"):
        check([{key: value for key, value in SOUND.items() if key != name}])


def test_optional_columns_come_back_null_and_unknown_ones_go():
    table = check([SOUND | {"mood": "good"}])
    assert tuple(table.columns) == COLUMNS
    assert table[["sample", "step"]].isna().all(axis=None)
    assert (str(table["sample"].dtype), str(table["step"].dtype)) == ("Int32", "Int8")


def test_a_column_twice_is_named():
    frame = pd.DataFrame([[*SOUND.values(), 2.0]], columns=[*SOUND, "rating"])
    with pytest.raises(RatingsError, match=r"\['rating'\] are repeated"):
        validate_ratings(frame, categories=CATEGORIES, scale=(0, 7))


def test_samples_of_one_rater_are_no_repeat_but_one_sample_twice_is():
    samples = [SOUND | {"sample": number} for number in (0, 1, 2)]
    assert len(check(samples)) == 3
    with pytest.raises(RatingsError, match="before: 1 of 4 rows, first rows 3; .*sample=1"):
        check([*samples, SOUND | {"sample": 1}])


def test_the_same_rating_of_two_raters_items_or_categories_is_no_repeat():
    others = [SOUND | changed for changed in ({}, {"item": "b"}, {"rater": "s"}, {"category": "Pain"})]
    assert len(check(others)) == 4


def test_only_humans_are_held_to_the_scale_and_to_whole_numbers():
    for kind in ("model", "vlm", "baseline"):
        assert check([SOUND | {"kind": kind, "rating": -1.5}], whole=True)["rating"].tolist() == [-1.5]
        with pytest.raises(RatingsError, match="finite"):
            check([SOUND | {"kind": kind, "rating": math.inf}])
    with pytest.raises(RatingsError) as caught:
        check([SOUND | {"rating": -1.5}], whole=True)
    assert "rating is outside 0–7: 1 of 1" in str(caught.value) and "not a whole number: 1 of 1" in str(caught.value)


def test_the_input_is_not_changed_and_an_empty_table_is_sound():
    frame = pd.DataFrame([SOUND | {"rating": 1}])
    before = frame.copy(deep=True)
    validate_ratings(frame, categories=CATEGORIES, scale=(0, 7))
    pd.testing.assert_frame_equal(frame, before)
    assert validate_ratings(frame.iloc[:0], categories=CATEGORIES, scale=(0, 7)).empty


def test_many_rows_are_counted_and_five_shown():
    rows = pd.DataFrame({**SOUND, "item": [f"i{number % 50_000}" for number in range(200_000)]}, columns=list(SOUND))
    with pytest.raises(
        RatingsError, match=r"before: 150,000 of 200,000 rows, first rows 50000, 50001, 50002, 50003, 50004;"
    ):
        validate_ratings(rows, categories=CATEGORIES, scale=(0, 7))
