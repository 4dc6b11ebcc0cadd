"""BINARY's votes in small invented files."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_scripts.emonet_face.votes import image_votes, read_votes, votes_by_image
from emohub.data.problems import Problem, ProblemLog
from emohub.errors import SourceError
from tests.dataset_scripts.emonet_votes.inputs import HEADER, Truth, Vote, check_columns, derive, images
from tests.raw_inputs import write_csv


def read(rows: Sequence[Sequence[str]]) -> tuple[pd.DataFrame, list[Problem]]:
    with tempfile.TemporaryDirectory() as folder:
        write_csv(Path(folder, "binary.csv"), HEADER, rows)
        log = ProblemLog(Path(folder))
        return read_votes(Path(folder, "binary.csv"), log), list(log)


@settings(max_examples=60)
@given(st.lists(images(), min_size=1, max_size=6, unique_by=lambda image: image[0]))
def test_any_valid_file_is_read_back(made: list[tuple[str, list[Vote], Truth]]) -> None:
    rows = [(item, who, str(yes), emotion) for item, votes, _ in made for who, yes, emotion in votes]
    table, problems = read(rows)
    assert problems == []
    by_image = votes_by_image(table)
    assert list(by_image) == sorted(item for item, _, _ in made)
    for item, votes, truth in made:
        check_columns(image_votes(by_image[item]), truth, votes)
        assert {(who, emotion): step for who, emotion, _, step in by_image[item]} == truth.steps


CELLS = (
    st.sampled_from(["00000", "00001", "02000", "10007", "16001", "19999", "20000", "0000", "../00", "", "٠٠٠٠٠"]),
    st.sampled_from(["human-1", "human-4", "human-6", "human-2", "human-13", "model", "human-x", "human-1x"]),
    st.sampled_from(["True", "False", "true", "1", "", "nan"]),
    st.sampled_from(["Awe", "Contempt", "Hopelessness", "Helplessness", "Hapiness", "Arousal", ""]),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(*CELLS), min_size=1, max_size=12))
def test_whatever_the_rows_an_image_is_whole_and_sound_or_named_as_bad(rows: list[tuple[str, ...]]) -> None:
    table, problems = read(rows)
    kept, bad = set(table["item"]), {problem.item for problem in problems}
    assert kept | bad == {item for item, *_ in rows}
    assert not kept & bad
    by_image = votes_by_image(table)
    for item in kept:
        mine = [
            (who, value == "True", emotion.replace("Hopel", "Helpl")) for i, who, value, emotion in rows if i == item
        ]
        check_columns(image_votes(by_image[item]), derive(item, mine), mine)


GOOD = [("00001", "human-1", "True", "Relief"), ("00001", "human-3", "False", "Pain")]


def of(item: str, *votes: str) -> list[tuple[str, ...]]:
    """Rows from texts such as "human-1 True Awe"."""
    return [(item, *vote.split()) for vote in votes]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (of("00000", "human-1 True Hapiness"), "line 2: category is not in.*emotion=Hapiness"),
        (of("00000", "human-1 maybe Awe"), "line 2: rating is not a finite.*value=maybe"),
        ([("00000", "", "True", "Awe")], "line 2: rater is empty"),
        (of("0", "human-1 True Awe"), "image id '0' is not five digits"),
        (of("../00", "human-1 True Awe"), "unsafe file name '../00'"),
        (of("٠٠٠٠٠", "human-1 True Awe", "human-3 False Pain"), "is not five digits"),
        (of("00000", "human-1 True Awe", "human-1 True Awe", "human-3 False Pain"), "line 3: the rater rated this"),
        (of("00000", "human-1 True Awe"), "exactly two emotions: human-1 Awe 1"),
        (of("00000", "human-1 True Awe", "human-1 True Pain", "human-1 True Fear"), "exactly two emotions"),
        (
            of("02000", "human-1 True Awe", "human-4 True Awe", "human-1 True Pain", "human-4 True Pain"),
            "exactly one contrastive vote",
        ),
        (of("02000", "human-3 True Awe", "human-3 True Pain"), "exactly one contrastive vote"),
        (
            of("02000", "human-4 True Awe", "human-6 True Awe", "human-3 True Pain"),
            "annotators fit no chain of its part",
        ),
        (of("02000", "human-x True Awe", "model True Awe", "human-3 True Pain"), "fit no chain of its part"),
        (of("02000", f"human-1{'0' * 30} True Awe", "human-1 True Awe", "human-3 True Pain"), "fit no chain"),
        (
            of("00000", "human-1 True Awe", "human-4 True Awe", "human-3 True Pain"),
            "annotators fit no chain of its part",
        ),
        (of("02000", "human-1 False Awe", "human-4 True Awe", "human-3 True Pain"), "in no known order"),
        (of("02000", "human-1 True Awe", "human-4 True Awe", "human-3 True Pain"), "in no known order"),
        (of("20000", "human-1 True Awe", "human-3 False Pain"), "image 20000"),
    ],
    ids=[
        *("emotion", "value", "rater", "id", "path", "digits", "repeated", "alone", "three emotions", "two targets"),
        *("not of batch 1", "not from the start", "no human", "huge", "no chain in part 0", "on after no"),
        *("no third", "no such part"),
    ],
)
def test_a_bad_image_is_named_and_the_others_stay(rows: list[tuple[str, ...]], said: str) -> None:
    table, problems = read([*rows, *GOOD])
    assert set(table["item"]) == {"00001"}
    assert len(table) == 2
    assert {problem.item for problem in problems} == {rows[0][0]}
    text = "\n".join(map(str, problems))
    assert pd.Series([text]).str.contains(said, regex=True).all(), text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"path,annotator,value,emotion\n", "header and no rows"),
        (b"path,annotator,value\n00000,human-1,True\n", r"lacks the columns \['emotion'\]"),
        ("path,annotator,value,emotion\n00000,human-1,True,Ém\n".encode("latin-1"), "not UTF-8"),
        (b'path,annotator,value,emotion\n00000,"human-1,True,Awe\n', "not a CSV table"),
    ],
    ids=["empty", "header", "column", "encoding", "quote"],
)
def test_a_file_that_is_no_table(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read_votes(tmp_path / "binary.csv", ProblemLog(tmp_path))


def test_only_bad_rows_leave_an_empty_table() -> None:
    table, problems = read([("00000", "human-1", "True", "Hapiness")])
    assert table.empty and len(problems) == 1


def test_both_rows_by_the_first_annotator_the_first_in_the_file_is_the_target() -> None:
    rows = [("06000", "human-4", "True", "Pain"), ("06000", "human-4", "False", "Relief")]
    for order in (rows, rows[::-1]):
        table, problems = read(order)
        assert problems == []
        assert image_votes(votes_by_image(table)["06000"])["target"] == order[0][3]
