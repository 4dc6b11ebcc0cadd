import json
import multiprocessing
import os
import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.problems import Problem, ProblemLog

# Everything that a file name or a cell can hold: also line ends of Unicode, terminal escapes and lone surrogates.
anything = st.text(st.characters(exclude_categories=()), max_size=12)


@given(st.lists(st.tuples(anything, anything, st.none() | anything), max_size=5))
def test_what_is_noted_is_read_back_once_and_in_order(tmp_path_factory, notes):
    log = ProblemLog(tmp_path_factory.mktemp("log"))
    for where, what, item in notes:
        log.add(where, what, item)
    found = list(log)
    assert [problem.item for problem in found] == [item for *_, item in dict.fromkeys(map(shown, notes))]
    assert [(p.where, p.what) for p in found] == [(where, what) for where, what, _ in dict.fromkeys(map(shown, notes))]


def shown(note):
    where, what, item = note
    return escaped(where), escaped(what), item


def escaped(text):
    """Independent of `str.isprintable`: separators other than the space, and all that Unicode calls "other"."""
    return "".join(
        char if char == " " or unicodedata.category(char)[0] not in "CZ" else ascii(char)[1:-1] for char in text
    )


@given(anything, anything)
def test_a_problem_is_one_line_that_every_terminal_and_file_takes(tmp_path_factory, where, what):
    log = ProblemLog(tmp_path_factory.mktemp("log"))
    log.add(where, what)
    (problem,) = log
    text = str(problem)
    assert len(text.splitlines()) <= 1 and text.isprintable()
    text.encode()


def test_ordinary_text_stays_readable(tmp_path):
    log = ProblemLog(tmp_path)
    log.add("café 😒.jpg", ValueError("20,000 × 20,000 px"), "café 😒")
    assert list(log) == [Problem("café 😒.jpg", "20,000 × 20,000 px", "café 😒")]
    assert str(next(iter(log))) == "café 😒.jpg: 20,000 × 20,000 px"


def test_a_log_without_problems_is_empty(tmp_path):
    assert list(ProblemLog(tmp_path)) == []


def note(log, number):
    log.add(f"file {number}", f"noted by {os.getpid()}", str(number))
    log.add("the table", "noted by all", None)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_note_without_a_lock_and_a_shared_problem_counts_once(tmp_path, start):
    log = ProblemLog(tmp_path)
    with multiprocessing.get_context(start).Pool(2) as pool:
        pool.starmap(note, [(pickle.loads(pickle.dumps(log)), number) for number in range(40)])
    found = list(log)
    assert sorted(int(problem.item) for problem in found if problem.item) == list(range(40))
    assert [problem.where for problem in found if problem.item is None] == ["the table"]
    for path in tmp_path.iterdir():
        assert all(set(json.loads(line)) == {"where", "what", "item"} for line in path.read_text().splitlines())
