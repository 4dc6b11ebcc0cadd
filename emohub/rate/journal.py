"""The journal of a run: every raw answer, in SQLite. An answer counts when it is committed, and is never deleted."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from emohub.data.runs import digest
from emohub.errors import BuildError
from emohub.hub.json_files import parse_json
from emohub.rate.questions import Attempt, Question
from emohub.rate.retries import RATE_LIMIT, TRANSIENT

JOURNAL = "journal.sqlite"
Part = tuple[str, int | None]  # which of several questions about an item, and which sample
Slot = tuple[str, str, int | None]  # item, part, sample

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY,         -- in the order of asking
    key TEXT NOT NULL,              -- digest of dataset, item, part, sample, protocol and payload
    attempt INTEGER NOT NULL,       -- 1, 2, … under the same key
    dataset TEXT NOT NULL,          -- revision of the dataset
    protocol TEXT NOT NULL,         -- digest of the protocol
    item TEXT NOT NULL,
    part TEXT NOT NULL,             -- which of several questions about the item; empty where there is one
    sample INTEGER,
    payload TEXT NOT NULL,          -- digest of what was sent, media by their own digests
    asked_at TEXT NOT NULL,         -- UTC
    final INTEGER NOT NULL,         -- whether the question is closed
    failure TEXT NOT NULL,          -- empty where the answer gives a rating
    input_tokens INTEGER,
    output_tokens INTEGER,
    answer TEXT NOT NULL,           -- what came back, as JSON
    UNIQUE (key, attempt)
)
"""
_NOTES = "CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL)"  # values as JSON
_INSERT = "INSERT INTO answers VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FIELDS = tuple(name for name in Attempt.__slots__ if name not in ("input_tokens", "output_tokens", "failure"))


@dataclass(frozen=True, slots=True)
class Entry:
    """The last attempt at a question.

    Attributes:
        slot: Item, part and sample.
        attempts: How often it was asked.
        final: Whether it is closed.
        attempt: What came back last.
    """

    slot: Slot
    attempts: int
    final: bool
    attempt: Attempt


class Journal:
    """The answers of one run, open for writing; used from one thread.

    Args:
        path: File; made where it does not exist.
        dataset: Revision of the dataset.
        protocol: Digest of the protocol.

    Raises:
        BuildError: the file is not a journal.
    """

    def __init__(self, path: Path, dataset: str, protocol: str) -> None:
        self.dataset, self.protocol, self._path = dataset, protocol, path
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(_TABLE)
            self._db.execute(_NOTES)
        except sqlite3.DatabaseError as error:
            raise BuildError(
                f"{path} cannot be opened as a journal: {error}. Keep it, and choose another --out."
            ) from error

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *error: object) -> None:
        (empty,) = self._db.execute("SELECT NOT EXISTS (SELECT 1 FROM answers) AND NOT EXISTS (SELECT 1 FROM notes)")
        self._db.close()
        if empty[0]:  # a run that failed before its first answer leaves nothing
            self._path.unlink()

    def add(self, question: Question, attempt: Attempt, *, final: bool) -> None:
        """Write an attempt; it counts when this returns, also if the process is then killed.

        A power cut may lose the last ones, which are then asked again.

        Args:
            question: What was asked.
            attempt: What came back.
            final: Whether the question is closed.
        """
        payload = question.payload_sha256()
        key = digest([self.dataset, *question.slot, self.protocol, payload])
        (before,) = self._db.execute("SELECT COUNT(*) FROM answers WHERE key = ?", (key,)).fetchone()
        answer = json.dumps({name: getattr(attempt, name) for name in _FIELDS}, ensure_ascii=False)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        numbers = (attempt.input_tokens, attempt.output_tokens)
        row = (key, before + 1, self.dataset, self.protocol, *question.slot, payload, now, final, attempt.failure)
        self._db.execute(_INSERT, (*row, *numbers, answer))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is added inside counts as a whole, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def note(self, name: str, value: Any) -> None:
        """Keep a fact about the run."""
        self._db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, json.dumps(value)))

    def noted(self, name: str) -> Any:
        """A fact about the run, or None."""
        found = self._db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return parse_json(found[0]) if found else None

    def closed(self, *, again: bool = False) -> Iterator[tuple[str, set[Part]]]:
        """Items with the questions about each that need not be asked, by part and sample.

        Args:
            again: Whether those that got no answer, though another try might get one, are asked again.
        """
        for item, entries in groupby(self.last(), key=lambda entry: entry.slot[0]):
            final = (entry for entry in entries if entry.final)
            yield item, {one.slot[1:] for one in final if not (again and one.attempt.retry in (RATE_LIMIT, TRANSIENT))}

    def last(self) -> Iterator[Entry]:
        """The last attempt at each question, by item, part and sample."""
        rows = self._db.execute(
            "SELECT item, part, sample, COUNT(*), final, failure, input_tokens, output_tokens, answer, MAX(id) "
            "FROM answers GROUP BY item, part, sample ORDER BY item, part, sample"  # the row of the largest id
        )
        for item, part, sample, count, final, failure, tokens_in, tokens_out, answer, _ in rows:
            found = Attempt(**parse_json(answer), failure=failure, input_tokens=tokens_in, output_tokens=tokens_out)
            yield Entry((item, part, sample), count, bool(final), found)

    def totals(self) -> dict[str, Any]:
        """Attempts, tokens and failures over all attempts, also those that were repeated."""
        attempts, tokens_in, tokens_out = self._db.execute(
            "SELECT COUNT(*), SUM(input_tokens), SUM(output_tokens) FROM answers"
        ).fetchone()
        failed = self._db.execute(
            "SELECT failure, COUNT(*) FROM answers WHERE failure != '' GROUP BY failure ORDER BY failure"
        )
        first, last = self._db.execute("SELECT MIN(asked_at), MAX(asked_at) FROM answers").fetchone()
        return {
            "attempts": attempts,
            "seconds": (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() if first else 0,
            "failed_attempts": dict(failed.fetchall()),
            "input_tokens": tokens_in or 0,
            "output_tokens": tokens_out or 0,
        }


def read_journal(path: Path) -> Iterable[dict[str, Any]]:
    """Every attempt in a journal, in the order of asking.

    Args:
        path: File of a finished or unfinished run.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        for row in db.execute("SELECT * FROM answers ORDER BY id"):
            yield {**dict(row), "answer": parse_json(row["answer"])}
