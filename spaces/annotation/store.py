"""What was answered, kept for good: an append-only table of events in SQLite (WAL), or in Postgres by its URL.

Several servers may share a store. Whoever writes holds the one write lock, has read every event before, and appends;
so two servers never give out one place twice. An answer is acknowledged after its transaction is on the disk.
"""

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    select,
    text,
)

ANSWER, ASSIGN, JOIN, UNDO, DELETED = "answer", "assign", "join", "undo", "deleted"
BUSY = 30  # seconds that a write waits for another server's
LOCK = 7_254_093  # of Postgres' advisory locks: any number that only this store uses

_META = MetaData()
_EVENTS = Table(
    "events",
    _META,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("at", Float(53), nullable=False),
    Column("event", String(10), nullable=False),
    Column("annotator", String(64), nullable=False),
    Column("item", String(500), nullable=False, default=""),
    Column("step", Integer, nullable=False, default=0),
    Column("sample", Integer, nullable=False, default=1),
    Column("attempt", Integer, nullable=False, default=0),
    Column("data", Text, nullable=False, default="{}"),
    sqlite_autoincrement=True,  # a number is never used again
)
_IS_ANSWER = text("event = 'answer'")
Index(
    "one_answer",
    *(_EVENTS.c[name] for name in ("annotator", "item", "step", "sample", "attempt")),
    unique=True,
    sqlite_where=_IS_ANSWER,
    postgresql_where=_IS_ANSWER,
)
# What is known about people and never leaves the store.
_PEOPLE = Table(
    "people", _META, Column("annotator", String(64), primary_key=True), Column("private", Text, nullable=False)
)
_FACTS = Table("facts", _META, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        uuid: Given by whoever reports it; the same one twice is the same event.
        event: ANSWER, ASSIGN, JOIN, UNDO or DELETED.
        annotator: Pseudonym.
        item: Id of the item, where it is about one.
        step: Which question.
        sample: Which repetition.
        attempt: Answers to it that were taken back before.
        data: The rest.
        at: Time by the server's clock, seconds since 1970.
        number: Place in the order of events.
    """

    uuid: str
    event: str
    annotator: str
    item: str = ""
    step: int = 0
    sample: int = 1
    attempt: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0.0
    number: int = 0


class Store:
    """The events of one study.

    Args:
        url: SQLAlchemy's, such as `sqlite:////data/study.sqlite` or `postgresql+psycopg://…`.
        study: Name of the study; a store of another one is refused.
    """

    def __init__(self, url: str, study: str):
        self.engine = _engine(url)
        self._reading = self.engine.execution_options(reads=True)
        with self.writing() as connection:
            _META.create_all(connection)
            for name, value in (("study", study), ("secret", secrets.token_urlsafe(32))):
                if connection.execute(select(_FACTS.c.value).where(_FACTS.c.name == name)).first() is None:
                    connection.execute(insert(_FACTS).values(name=name, value=value))
        with self._reading.connect() as connection:
            facts = {row.name: row.value for row in connection.execute(select(_FACTS))}
        if facts["study"] != study:
            raise ValueError(
                f"the store holds the study {facts['study']!r}, not {study!r}; give each a store of its own"
            )
        self.secret: str = facts["secret"]

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other server writes beside."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            yield connection

    def read(self, after: int = 0, connection: Connection | None = None) -> list[Event]:
        """The events after a number, in order."""
        if connection is None:
            with self._reading.connect() as own:
                return self.read(after, own)
        rows = connection.execute(select(_EVENTS).where(_EVENTS.c.number > after).order_by(_EVENTS.c.number))
        return [Event(**{**row._mapping, "data": json.loads(row.data)}) for row in rows]

    def append(self, connection: Connection, events: Sequence[Event]) -> None:
        """Add events inside a transaction."""
        for one in events:
            values = {name: getattr(one, name) for name in _EVENTS.c.keys() if name not in ("number", "at", "data")}
            data = json.dumps(one.data, ensure_ascii=False)
            connection.execute(insert(_EVENTS).values(**values, data=data, at=one.at or time.time()))

    def everybody(self) -> dict[str, dict[str, Any]]:
        """Annotator → what is known about the person and never exported."""
        with self._reading.connect() as connection:
            return {row.annotator: json.loads(row.private) for row in connection.execute(select(_PEOPLE))}

    def add_private(self, connection: Connection, annotator: str, private: Mapping[str, Any]) -> None:
        """Keep what is known about a person, inside a transaction."""
        connection.execute(insert(_PEOPLE).values(annotator=annotator, private=json.dumps(private)))

    def delete(self, connection: Connection, annotator: str) -> int:
        """Delete everything of an annotator; returns how many answers there were."""
        mine = _EVENTS.c.annotator == annotator
        answers = connection.execute(select(_EVENTS.c.number).where(mine, _EVENTS.c.event == ANSWER)).all()
        connection.execute(delete(_EVENTS).where(mine))
        connection.execute(delete(_PEOPLE).where(_PEOPLE.c.annotator == annotator))
        return len(answers)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def sqlite_url(path: Path) -> str:
    """The URL of a file."""
    return f"sqlite:///{path}"


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not by the driver
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # an acknowledged answer survives a power cut

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")

    return engine
