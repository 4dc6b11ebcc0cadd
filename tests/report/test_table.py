"""One table, four forms."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.report.record import Record
from emohub.report.table import Table, tex

HOSTILE = '<script>alert("x")</script> & 50 % of _it_ | $x$ #1 {a} ~ ^ \\end{table}'
CELL = Record(id="a", value=-0.12345, interval=(-0.2, 0.0), n=7)
TABLE = Table(
    "t", "Title", ("Name", "Value", "p (Holm)"), [(HOSTILE, CELL, 0.00001), ("b", None, float("nan"))], "Note."
)


def test_csv_has_value_interval_and_n_in_columns_of_their_own() -> None:
    head, first, second = csv.reader(io.StringIO(TABLE.csv()))
    assert head == ["Name", "Value", "Value: low", "Value: high", "Value: n", "Value: no interval", "p (Holm)"]
    assert first == [HOSTILE, "-0.12345", "-0.2", "0.0", "7", "", "1e-05"]
    assert second == ["b", "", "", "", "", "", ""]


def test_people_read_a_minus_an_interval_and_no_zero_below_the_last_digit() -> None:
    assert TABLE.text(CELL) == "−0.123 [−0.200, 0.000]"
    assert TABLE.text(-0.0001) == "0.000"  # not −0.000
    assert TABLE.shows(2, 0.00001) == "< 0.001" and TABLE.shows(2, 0.5) == "0.500"
    assert TABLE.text(None) == TABLE.text(float("nan")) == "–"
    assert TABLE.text(12345) == "12,345"


def test_names_from_data_are_escaped_in_every_form() -> None:
    assert "<script>" not in TABLE.html() and "<script>" not in TABLE.markdown()
    body = TABLE.latex()
    assert body.count(r"\end{table}") == 1
    assert r"\textbackslash{}end\{table\}" in body and r"50 \%" in body


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
def test_no_letter_of_latex_survives_unescaped(text: str) -> None:
    shown = tex(text)
    bare = re.sub(r"\\(?:[&%$#_{}]|text\w+\{\}|[a-zA-Z]+)|\$[^$]*\$", "", shown)
    assert not set(bare) & set("&%#_~^$\\")


def test_html_sorts_by_the_number_and_marks_the_first_column_as_heads() -> None:
    html = TABLE.html()
    assert 'data-key="-0.12345"' in html and html.count('<th scope="row">') == 2
    assert html.count("<button") == 3


def test_more_rows_than_are_shown_are_marked_and_told() -> None:
    table = Table("t", "T", ("a",), [(str(row),) for row in range(9)], shown=4)
    assert table.html().count('<tr class="more">') == 5
    assert "5 further rows are in t.csv" in table.latex()
    assert len(table.csv().splitlines()) == 10


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells under 1 headings"):
        Table("t", "T", ("a",), [("x", "y")])
    with pytest.raises(ValueError, match="heading is empty"):
        Table("t", "T", ("",), [("x",)])


def test_why_there_is_no_interval_stands_by_number() -> None:
    few, none = (
        Record(id="i", value=0.5, no_interval='too few "items"'),
        Record(id="j", value=0.1, no_interval="<none>"),
    )
    table = Table("t", "T", ("a", "b"), [("x", few), ("y", none), ("z", few)])
    assert table.reasons() == ['too few "items"', "<none>"]
    assert [mark in table.html() for mark in ("0.500<sup>1</sup>", "0.100<sup>2</sup>")] == [True, True]
    assert 'too few ""items""' in table.csv()
