"""The preference study."""

from pathlib import Path

import pandas as pd
import pytest

from emohub.errors import RatingsError
from emohub.report.items import preference
from emohub.report.studies.preference import read
from tests.report.conftest import records_of


def test_the_papers_707_of_999(tmp_path: Path) -> None:
    frame = pd.DataFrame({"item": range(999), "rater": ["a"] * 499 + ["b"] * 500})
    frame["preferred"] = ["human"] * 707 + ["Empathic Insight Face Large"] * 292
    path = tmp_path / "choices.csv"
    frame.to_csv(path, index=False)
    study = read(path, frame)
    assert study is not None
    found = records_of(preference.ITEM, study)
    assert round(found["preference.human_share"].value, 4) == 0.7077 and found["preference.human_share"].n == 999
    assert found["preference.human_share.a"].n == 499 and found["preference.human_share.b"].value == 208 / 500


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("1", "a", "human"), ("1", "a", "m")], "made twice"),
        ([("1", "a", "")], "lack a cell"),
        ([("1", "a", "m"), ("2", "a", "n")], "names 2 models"),
    ],
)
def test_bad_choices_are_refused(rows: list[tuple[str, str, str]], said: str, tmp_path: Path) -> None:
    with pytest.raises(RatingsError, match=said):
        read(tmp_path / "c.csv", pd.DataFrame(rows, columns=["item", "rater", "preferred"]))


def test_other_tables_are_no_choices(tmp_path: Path) -> None:
    assert read(tmp_path / "c.csv", pd.DataFrame({"item": ["a"], "rating": [1]})) is None
