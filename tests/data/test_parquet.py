"""Rows of a config with media, here or on the Hub."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data import parquet
from emohub.data.parquet import VIDEO, Piece, between, find_rows, read_columns, read_rows
from emohub.errors import SourceError

VALUE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """40 videos in groups of 7, the bytes of each its number."""
    folder = tmp_path / "clips"
    (folder / "videos").mkdir(parents=True)
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: videos\n  data_files:\n  - split: train\n    path: videos/train-*\n---\n"
    )
    table = pa.table(
        {
            "video": pa.array([{"bytes": str(n).encode(), "path": f"{n}.mp4"} for n in range(40)], VALUE),
            "item": [f"v{n}" for n in range(40)],
            "emoji": [n % 3 for n in range(40)],
        }
    )
    pq.write_table(table, folder / "videos/train-00000-of-00001.parquet", row_group_size=7)
    return folder


def test_videos_are_found_where_they_are_wanted(repo: Path) -> None:
    rows = find_rows(repo, "videos", media=("image", VIDEO))
    assert rows.media == VIDEO and rows.counts() == {"train": 40} and len(rows.splits["train"]) == 6
    with pytest.raises(SourceError, match="needed are 'item', the id, and 'image', the bytes.*emohub predict"):
        find_rows(repo, "videos")


def test_only_wanted_rows_are_read(repo: Path) -> None:
    pieces = find_rows(repo, "videos", media=(VIDEO,)).splits["train"]
    assert list(read_rows(pieces, VIDEO)) == [(f"v{n}", str(n).encode()) for n in range(40)]
    assert list(read_rows(pieces, VIDEO, {"v3", "v39", "other"})) == [("v3", b"3"), ("v39", b"39")]
    assert list(read_rows(pieces, VIDEO, set())) == []


def test_columns_without_media(repo: Path) -> None:
    pieces = find_rows(repo, "videos", media=(VIDEO,)).splits["train"]
    assert list(read_columns(pieces, ["item", "emoji"]))[4] == {"item": "v4", "emoji": 1}


def test_a_file_is_opened_once_for_all_its_row_groups(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = find_rows(repo, "videos", media=(VIDEO,)).splits["train"]
    opened: list[str] = []
    monkeypatch.setattr(parquet, "open_file", lambda path: opened.append(path) or open(path, "rb"))
    readers = (read_columns(pieces, ["item"]), read_rows(pieces, VIDEO), read_rows(pieces, VIDEO, {"v3", "v39"}))
    assert [len(list(reader)) for reader in readers] == [40, 40, 2]
    assert len(opened) == 3, "a footer is as long as it has row groups: read for each, time grows with their square"


@given(st.integers(0, 40), st.integers(0, 40))
def test_any_range_is_what_a_list_gives(start: int, stop: int) -> None:
    pieces = [Piece("f", number, 0, 7 if number < 5 else 5) for number in range(6)]
    found = [piece.group * 7 + row for piece in between(pieces, start, stop) for row in range(piece.start, piece.stop)]
    assert found == list(range(40))[start:stop]


def test_a_broken_file_and_a_row_without_an_id_are_errors(repo: Path) -> None:
    file = repo / "videos/train-00000-of-00001.parquet"
    pieces = find_rows(repo, "videos", media=(VIDEO,)).splits["train"]
    table = pq.read_table(file)
    ids = pa.array([None, *table.column("item").to_pylist()[1:]])
    pq.write_table(table.set_column(1, "item", ids), file, row_group_size=7)
    with pytest.raises(SourceError, match="a row of row group 0 has no item"):
        list(read_rows(pieces, VIDEO))
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(SourceError, match="cannot be read"):
        list(read_columns(pieces, ["item"]))
