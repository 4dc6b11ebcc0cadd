"""The journal keeps every attempt, and survives a process that is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from emohub.errors import BuildError
from emohub.rate.journal import Journal, read_journal
from emohub.rate.questions import HTTP_ERROR, Ask, Attempt, Media, Question
from emohub.rate.retries import NO, TRANSIENT

QUESTION = Question("a", Ask("Rate it."), (Media(b"png", "image/png"),))


def test_attempts_are_numbered_under_one_key(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "rev", "hash") as journal:
        journal.add(QUESTION, Attempt(failure=HTTP_ERROR, retry=TRANSIENT, detail="status 500"), final=False)
        assert dict(journal.closed()) == {"a": set()}
        journal.add(QUESTION, Attempt(text="4", input_tokens=3, output_tokens=1, logprobs={"4": -0.1}), final=True)
        assert dict(journal.closed()) == {"a": {("", None)}}
        (entry,) = journal.last()
    assert entry.attempts == 2 and entry.final and entry.attempt.text == "4" and entry.attempt.logprobs == {"4": -0.1}
    rows = list(read_journal(tmp_path / "j"))
    assert [row["attempt"] for row in rows] == [1, 2] and len({row["key"] for row in rows}) == 1
    assert rows[0]["answer"]["detail"] == "status 500" and rows[0]["failure"] == HTTP_ERROR


def test_the_key_follows_from_what_is_asked(tmp_path: Path) -> None:
    others = [
        QUESTION,
        Question("b", QUESTION.ask, QUESTION.media),
        Question("a", Ask("Rate it!"), QUESTION.media),
        Question("a", Ask("Rate it.", sample=1), QUESTION.media),
        Question("a", Ask("Rate it.", part="Awe"), QUESTION.media),
        Question("a", QUESTION.ask, (Media(b"jpg", "image/png"),)),
        Question("a", QUESTION.ask, (Media(b"png", "image/jpeg"),)),
    ]
    for number, (dataset, protocol) in enumerate([("rev", "hash"), ("other", "hash"), ("rev", "other")]):
        with Journal(tmp_path / f"{number}", dataset, protocol) as journal:
            for question in others:
                journal.add(question, Attempt(text="1"), final=True)
    keys = [row["key"] for number in range(3) for row in read_journal(tmp_path / f"{number}")]
    assert len(set(keys)) == len(keys) == 21


def test_only_what_another_try_may_change_is_open_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "rev", "hash") as journal:
        for item, retry in (("a", TRANSIENT), ("b", NO)):
            journal.add(Question(item, QUESTION.ask), Attempt(failure=HTTP_ERROR, retry=retry), final=True)
        assert {item for item, closed in journal.closed() if closed} == {"a", "b"}
        assert {item for item, closed in journal.closed(again=True) if closed} == {"b"}


def test_what_is_added_together_counts_together(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "rev", "hash") as journal:
        with pytest.raises(ZeroDivisionError), journal.together():
            journal.add(QUESTION, Attempt(text="1"), final=True)
            raise ZeroDivisionError
        assert list(journal.last()) == []


def test_an_answer_counts_once_it_is_added_whatever_happens_then(tmp_path: Path) -> None:
    script = f"""
import os, signal
from emohub.rate.journal import Journal
from emohub.rate.questions import Ask, Attempt, Question
journal = Journal({str(tmp_path / "j")!r}, "rev", "hash")
for number in range(200):
    journal.add(Question(str(number), Ask("?")), Attempt(text=str(number)), final=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script.replace("Path", "str")], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    with Journal(tmp_path / "j", "rev", "hash") as journal:
        assert {entry.attempt.text for entry in journal.last()} == {str(number) for number in range(200)}


def test_another_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("my notes, long enough to be no empty database" * 50)
    with pytest.raises(BuildError, match="cannot be opened as a journal.*Keep it"):
        Journal(tmp_path / "j", "rev", "hash")
    assert (tmp_path / "j").read_text().startswith("my notes")


def test_anybody_can_read_it(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "rev", "hash") as journal:
        journal.add(QUESTION, Attempt(text="4", raw="{}"), final=True)
    with sqlite3.connect(tmp_path / "j") as db:
        found = db.execute("SELECT item, json_extract(answer, '$.text') FROM answers").fetchall()
    assert found == [("a", "4")]
