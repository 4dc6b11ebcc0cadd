"""Tables as programs and people write them: read as meant, or refused with what to do."""

import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def csv_table(pages: dict[str, ModuleType]) -> ModuleType:
    return pages["csv_table"]


RIGHT = {"item": ["a", "b"], "A": ["1", "2"], "B": ["3", ""], "C": ["5", "6"]}
FRAME = pd.DataFrame(RIGHT)
TABLES = {
    "commas": ("item,A,B,C\na,1,3,5\nb,2,,6\n", None),
    "Windows": ("item,A,B,C\r\na,1,3,5\r\nb,2,,6\r\n\r\n", None),
    "semicolons": ("item;A;B;C\na;1;3;5\nb;2;;6", None),
    "tabs": ("item\tA\tB\tC\na\t1\t3\t5\nb\t2\t\t6", None),
    "bars": ("item|A|B|C\na|1|3|5\nb|2||6", None),
    "spaces after commas": ("item, A, B, C\na, 1, 3, 5\nb, 2, , 6", None),
    "quotes": ('"item","A","B","C"\n"a","1","3","5"\n"b","2","","6"', None),
    "trailing delimiters": ("item,A,B,C\na,1,3,5,\nb,2,,6,", "taken as trailing delimiters"),
    "trailing delimiters in the header too": ("item,A,B,C,\na,1,3,5,\nb,2,,6,", None),
    "trailing delimiters in the header only": ("item,A,B,C,,\na,1,3,5\nb,2,,6", None),
    "one trailing delimiter": ("item,A,B,C\na,1,3,5,\nb,2,,6", None),
    "names of rows without a header": ("A\tB\tC\na\t1\t3\t5\nb\t2\t\t6", "taken as the item"),
    "first column without a name": ("\tA\tB\tC\na\t1\t3\t5\nb\t2\t\t6", "taken as the item"),
    "row numbers": (FRAME.to_csv(), "taken as row numbers and left out"),
    "row numbers saved again": ("Unnamed: 0,item,A,B,C\n0,a,1,3,5\n1,b,2,,6", "taken as row numbers and left out"),
    "empty rows": ("item,A,B,C\na,1,3,5\n,,,\nb,2,,6\n", "1 rows without a value were left out"),
    "byte order mark": ("item,A,B,C\na,1,3,5\nb,2,,6".encode("utf-8-sig"), None),
    "UTF-16": ("item,A,B,C\na,1,3,5\nb,2,,6".encode("utf-16"), None),
}


@pytest.mark.parametrize(("text", "warning"), TABLES.values(), ids=TABLES)
def test_no_column_moves(csv_table: ModuleType, text: str | bytes, warning: str | None) -> None:
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        found = csv_table.read_csv(text)
    assert found.to_dict("list") == RIGHT
    said = [str(note.message) for note in notes]
    assert len(said) == (warning is not None) and all(warning in one for one in said)


BAD = {
    "another encoding": ("item,Zoë\na,1".encode("latin-1"), "not in UTF-8: byte 0xeb in line 1. Save it as CSV UTF-8"),
    "a spreadsheet": (b"PK\x03\x04\x00\x00", "NUL characters"),
    "a short row": ("item,A,B\na,1,2\nb,1", "Line 3 has 2 fields and the header 3"),
    "a long row": ("item,A\na,1\nb,1,2", "Line 3 has 3 fields and the header 2"),
    "a name twice": ("item,A,A\na,1,2", r"columns \['A'\] appear twice"),
    "no name": ("item,,B\na,1,2", "Column 2 has no name, but values"),
    "broken quotes": ('item,A\n"a,1\nb,2', "cannot be read: .* Check its quotes"),
    "a huge cell": ("item,A\n" + "a" * 200_000 + ",1", "cannot be read: field larger"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_what_is_not_as_it_seems_is_refused(csv_table: ModuleType, text: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        csv_table.read_csv(text)


text = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="\ufeff"), min_size=1, max_size=6)


@given(st.lists(st.lists(text, min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_pandas_writes_is_read_back(csv_table: ModuleType, rows: list[list[str]]) -> None:
    frame = pd.DataFrame(rows, columns=["item", "rater", "rating"])
    np.testing.assert_array_equal(csv_table.read_csv(frame.to_csv(index=False)).to_numpy(), frame.to_numpy())
