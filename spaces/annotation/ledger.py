"""What the events add up to, kept up to date: transactions in which nobody else writes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from state import Snapshot, State
from store import Event, Store


class Refused(Exception):
    """A request that is not carried out.

    Attributes:
        status: HTTP status.
        reason: A word for programs.
    """

    def __init__(self, status: int, reason: str, message: str):
        super().__init__(message)
        self.status, self.reason = status, reason


class Ledger:
    """The state of a store, which other servers may write to as well.

    Attributes:
        state: The sum of the events that were read.
        watchers: Called with the events that a transaction saved or found, once they are saved for good.
    """

    def __init__(self, store: Store):
        self.store, self.state = store, State()
        self.watchers: list[Callable[[list[Event]], None]] = []
        self._lock = threading.Lock()
        self._unsaved = False
        self._seen: list[Event] = []  # in the transaction at hand

    def snapshot(self) -> Snapshot:
        """What there is now, other servers' answers included."""
        with self.transaction():
            return self.state.snapshot()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction in which `state` is up to date.

        Raises:
            Refused: the store cannot be written to.
        """
        with self._lock:
            self._unsaved, self._seen = False, []
            try:
                with self.store.writing() as connection:
                    self.catch_up(connection)
                    yield connection
                self._unsaved = False
                for watch in self.watchers if self._seen else ():
                    watch(self._seen)
            except IntegrityError as error:
                raise Refused(409, "used", "This answer is here already. Reload the page.") from error
            except DBAPIError as error:
                raise Refused(
                    503, "store", "The answer could not be saved now. It stays in your browser and is sent again."
                ) from error
            finally:
                if self._unsaved:
                    self.state = State()  # it holds what was rolled back: read everything anew

    def append(self, connection: Connection, *events: Event) -> None:
        """Add events inside a transaction, and take them into the state."""
        self._unsaved = True
        self.store.append(connection, events)
        self.catch_up(connection)

    def catch_up(self, connection: Connection) -> None:
        """Take the events into the state that are new, whoever added them."""
        events = self.store.read(self.state.number, connection)
        self.state.fold(events)
        self._seen += events
