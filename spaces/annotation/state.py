"""What the events of a study add up to: members, what each was given, what counts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from assignment import History, Task
from given import Given
from store import ANSWER, ASSIGN, DELETED, JOIN, UNDO, Event

ANNOTATOR, OWNER = "annotator", "owner"


@dataclass
class Member:
    """Somebody who may send requests: which role, and the digests of the tokens that prove it."""

    role: str = ANNOTATOR
    tokens: set[str] = field(default_factory=set)
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state at one moment, to compute with while others answer.

    Attributes:
        answers: Every answer that counts, in the order of saving.
        members: Pseudonym → role.
        deleted: How many annotators' data were deleted.
    """

    answers: list[Given]
    members: dict[str, str]
    deleted: int


@dataclass
class State:
    """The sum of the events up to `number`.

    Attributes:
        number: Of the last event.
        history: What assignment needs.
        members: Pseudonym → member.
        by_token: Digest of a token → pseudonym.
        by_identity: Digest of who it is → pseudonym.
        given_out: Pseudonym → everything that was ever given to this annotator.
        uuids: Of every answer → who sent it.
        names: Every pseudonym that was ever used; none is used twice.
        deleted: How many annotators' data were deleted.
    """

    number: int = 0
    history: History = field(default_factory=History)
    members: dict[str, Member] = field(default_factory=dict)
    by_token: dict[str, str] = field(default_factory=dict)
    by_identity: dict[str, str] = field(default_factory=dict)
    given_out: dict[str, set[Task]] = field(default_factory=dict)
    uuids: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    deleted: int = 0

    def fold(self, events: Iterable[Event]) -> None:
        """Take events in, in their order."""
        for one in events:
            _FOLD[one.event](self, one)
            self.number = max(self.number, one.number)

    def new_name(self) -> str:
        """A pseudonym that nobody has or had."""
        number = len(self.names) + 1
        while (name := f"annotator-{number:02}") in self.names:
            number += 1
        return name

    def snapshot(self) -> Snapshot:
        """A copy that stays as it is."""
        people = self.history.people
        answers = [given for done in people.values() for given in done.given.values()]
        return Snapshot(
            sorted(answers, key=lambda given: given.number),
            {name: member.role for name, member in self.members.items()},
            self.deleted,
        )

    def _join(self, one: Event) -> None:
        if one.data["role"] == ANNOTATOR:
            self.names.add(one.annotator)
        member = self.members.setdefault(one.annotator, Member(one.data["role"]))
        member.identity = one.data.get("identity", "")
        if token := one.data.get("token"):
            member.tokens.add(token)
            self.by_token[token] = one.annotator
        if member.identity:
            self.by_identity[member.identity] = one.annotator

    def _assign(self, one: Event) -> None:
        task = Task(one.item, one.step, one.sample, one.attempt)
        self.given_out.setdefault(one.annotator, set()).add(task)
        self.history.give_out(one.annotator, task, one.at)

    def _answer(self, one: Event) -> None:
        touched = one.data.get("touched")
        given = Given(
            one.annotator,
            one.item,
            one.step,
            one.sample,
            one.data["answer"],
            None if touched is None else tuple(touched),
            one.data.get("seconds"),
            one.number,
        )
        self.uuids[one.uuid] = one.annotator
        self.history.answered(given)

    def _undo(self, one: Event) -> None:
        self.history.taken_back(one.annotator, one.item, one.step, one.sample)

    def _deleted(self, one: Event) -> None:
        self.names.add(one.annotator)
        self.history.forget(one.annotator)
        self.given_out.pop(one.annotator, None)
        self.uuids = {uuid: name for uuid, name in self.uuids.items() if name != one.annotator}
        if member := self.members.pop(one.annotator, None):
            self.by_identity.pop(member.identity, None)
            for token in member.tokens:
                self.by_token.pop(token, None)
        self.deleted += 1


_FOLD = {
    JOIN: State._join,
    ASSIGN: State._assign,
    ANSWER: State._answer,
    UNDO: State._undo,
    DELETED: State._deleted,
}
