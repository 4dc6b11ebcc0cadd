"""Which pictures are left out for good."""

from pathlib import Path

import pandas as pd
import pytest

from emohub.errors import EmohubError, SourceError
from emohub.generate.review import rejected_in


def votes(**items: list[float]) -> pd.DataFrame:
    rows = [(f"big-{item}", f"r{n}", "Keep", vote) for item, given in items.items() for n, vote in enumerate(given)]
    return pd.DataFrame(rows, columns=["item", "rater", "category", "rating"])


def test_the_majority_of_the_reviewers_decides(tmp_path: Path) -> None:
    votes(a=[0], b=[1], c=[0, 0, 1], d=[0, 1]).to_parquet(tmp_path / "ratings.parquet")
    assert rejected_in(tmp_path) == rejected_in(tmp_path / "ratings.parquet") == {"a", "c"}


def test_a_list_of_ids(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("big-a\nb\n\n")
    assert rejected_in(tmp_path / "ids.txt") == {"a", "b"}


def test_other_tables_are_refused(tmp_path: Path) -> None:
    votes(a=[0]).assign(category="Awe").to_parquet(tmp_path / "awe.parquet")
    with pytest.raises(EmohubError, match="no answers of a screening study.*'Awe'"):
        rejected_in(tmp_path / "awe.parquet")
    votes(a=[0]).drop(columns="rating").to_parquet(tmp_path / "lacks.parquet")
    with pytest.raises(EmohubError, match="no column rating"):
        rejected_in(tmp_path / "lacks.parquet")
    with pytest.raises(SourceError, match="is not there"):
        rejected_in(tmp_path)
