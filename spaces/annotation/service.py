"""A study in operation, without HTTP: joining, the next question, an answer, taking one back, deletion."""

import hashlib
import hmac
import secrets
import time
import uuid as uuids
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from assignment import Done, Task, is_waiting, next_item, rated_by
from controls import Invalid, Question, Slider
from given import Given
from ledger import Ledger, Refused
from state import ANNOTATOR, OWNER
from store import ANSWER, ASSIGN, DELETED, JOIN, UNDO, Event, Store
from study import Item, Study

LONGEST = 24 * 3600.0  # seconds that an answer can have taken; more is a clock that jumped
CODE = 8  # letters of a completion code


@dataclass(frozen=True, slots=True)
class Turn:
    """What an annotator does now.

    Attributes:
        state: "task", "wait" (nothing now, perhaps later) or "done".
        answered: Items that the annotator has answered.
        of: How many there are in the annotator's batches so far.
        task: The question that is held.
        item: Its item.
        question: What is asked.
        before: An answer that was taken back, to start from.
        code: Completion code, where the state is "done" or "wait".
        can_undo: Whether the last answer can be taken back.
    """

    state: str
    answered: int
    of: int
    task: Task | None = None
    item: Item | None = None
    question: Question | None = None
    before: Given | None = None
    code: str = ""
    can_undo: bool = False


class Service(Ledger):
    """One study on one store.

    Args:
        study: The study.
        store: Its events, which other servers may write to as well.
        clock: Seconds since 1970.
    """

    def __init__(self, study: Study, store: Store, clock: Callable[[], float] = time.time):
        super().__init__(store)
        self.study, self.clock = study, clock

    # ---- who is there

    def who(self, token: str) -> str:
        """The member whose token it is.

        Raises:
            Refused: nobody's.
        """
        digest = _digest(token)
        found = self.state.by_token.get(digest)
        if found is None:
            with self.transaction():  # it may have joined on another server
                found = self.state.by_token.get(digest)
        if found is None:
            raise Refused(401, "unknown", "This link is not known here. Open your own link, or join the study.")
        return found

    def role(self, member: str) -> str:
        """What a member may do."""
        return self.state.members[member].role

    def join(self, identity: str = "", *, proven: bool = False, private: Mapping[str, Any] | None = None) -> str:
        """Let somebody take part.

        Args:
            identity: Who it is, for example "name|Ada" or "hub|ada"; empty: nobody knows.
            proven: Whether somebody else vouches for it, as the Hub does; whoever was here before then goes on.
            private: What is known about the person; it stays in the store.

        Returns:
            A token, which is shown once and kept by the annotator.

        Raises:
            Refused: the identity is taken, or the study is full.
        """
        digest = self.keyed(identity) if identity else ""
        token = secrets.token_urlsafe(24)
        with self.transaction() as connection:
            known = self.state.by_identity.get(digest) if digest else None
            if known and not proven:
                raise Refused(
                    409,
                    "taken",
                    "Somebody takes part under this name already. If it was you, open your own link, on any device; "
                    "otherwise choose another name.",
                )
            if not known and len(self.state.names) >= self.study.rules.most:
                raise Refused(403, "full", "The study has as many annotators as it needs. Thank you for coming.")
            member = known or self.state.new_name()
            self._add_member(connection, member, ANNOTATOR, token, digest)
            if not known and private:
                self.store.add_private(connection, member, private)
        return token

    def add_link(self, role: str) -> str:
        """A token for a new annotator, or for the owner."""
        if role == ANNOTATOR:
            return self.join()
        token = secrets.token_urlsafe(24)
        with self.transaction() as connection:
            self._add_member(connection, OWNER, OWNER, token, "")
        return token

    def _add_member(self, connection: Connection, member: str, role: str, token: str, identity: str) -> None:
        data = {"role": role, "token": _digest(token), "identity": identity}
        self.append(connection, Event(new_uuid(), JOIN, member, data=data))

    def keyed(self, text: str) -> str:
        """A digest that only this study can make."""
        return hmac.new(self.store.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    # ---- questions and answers

    def turn(self, annotator: str) -> Turn:
        """What the annotator does now; a question is held from now on."""
        with self.transaction() as connection:
            return self._turn(connection, annotator)

    def answer(
        self,
        annotator: str,
        uuid: str,
        task: Task,
        answer: Mapping[str, Any],
        *,
        seconds: float = 0.0,
        touched: list[str] | None = None,
    ) -> tuple[Turn, dict[str, Any] | None]:
        """Save an answer.

        Args:
            annotator: Who answers.
            uuid: The answer's own; sent twice, it is saved once.
            task: What is answered; it must have been given to this annotator.
            answer: Control → value.
            seconds: That the annotator looked at it.
            touched: Sliders that were moved.

        Returns:
            What comes next, and for training what was expected.

        Raises:
            Refused: not the annotator's, answered before, or not a valid answer; nothing is changed.
        """
        with self.transaction() as connection:
            if (sender := self.state.uuids.get(uuid)) is not None:
                if sender != annotator:
                    raise Refused(409, "used", "This answer's UUID is in use. Reload the page.")
                return self._turn(connection, annotator), None
            item, question = self._asked(annotator, task)
            try:
                clean = self.study.kind.validate(question, answer)
            except Invalid as error:
                raise Refused(422, "invalid", f"The answer is not valid: {error}.") from error
            sliders = {control.name for control in question.controls if isinstance(control, Slider)}
            data = {
                "answer": clean | dict(question.stored),
                "touched": None if touched is None else [name for name in touched if name in sliders],
                "seconds": round(min(max(seconds, 0.0), LONGEST), 3),
            }
            self.append(connection, Event(uuid, ANSWER, annotator, **asdict(task), data=data))
            feedback = {"expected": dict(item.expected)} if item.role == "training" else None
            return self._turn(connection, annotator), feedback

    def _asked(self, annotator: str, task: Task) -> tuple[Item, Question]:
        """The item and question of a task that this annotator may answer.

        Raises:
            Refused: it never was this annotator's, or is answered.
        """
        if task not in self.state.given_out.get(annotator, ()):
            raise Refused(403, "not yours", "This item was not given to you. Reload the page for your next one.")
        done = self.state.history.people[annotator]
        key = (task.item, task.step, task.sample)
        if key in done.given or task.attempt != done.attempts.get(key, 0):
            raise Refused(409, "answered", "You have answered this item, perhaps in another tab; that answer counts.")
        item = self.study.items[task.item]
        return item, self.study.question(item, task.step, annotator, task.sample)

    def undo(self, annotator: str) -> Turn:
        """Take the last answer back and ask again.

        Raises:
            Refused: there is none, or somebody else has gone on from it.
        """
        with self.transaction() as connection:
            last = self._last(annotator)
            if last is None:
                raise Refused(409, "nothing", "There is no answer that can be taken back.")
            if self._went_on(last):
                raise Refused(409, "used", "Another annotator has gone on from this answer; it can no longer change.")
            done = self.state.history.people[annotator]
            key = (last.item, last.step, last.sample)
            task = Task(*key, done.attempts.get(key, 0) + 1)
            self.append(connection, Event(new_uuid(), UNDO, annotator, *key, attempt=task.attempt - 1))
            self.append(connection, Event(new_uuid(), ASSIGN, annotator, **asdict(task), at=self.clock()))
            return self._turn(connection, annotator, last)

    def _last(self, annotator: str) -> Given | None:
        """The last answer that is a rating."""
        done = self.state.history.people.get(annotator)
        given = list(done.given.values()) if done else []
        return given[-1] if given and self.study.items[given[-1].item].role == "item" else None

    def _went_on(self, given: Given) -> bool:
        """Whether a later step of the chain was given out because of this answer."""
        history = self.state.history
        return given.sample == 1 and any(
            history.answers.get((given.item, step)) or history.holds.get((given.item, step))
            for step, about in self.study.kind.STEPS.items()
            if about.after == given.step
        )

    def _turn(self, connection: Connection, annotator: str, before: Given | None = None) -> Turn:
        history, rules = self.state.history, self.study.rules
        history.now = self.clock()
        task = next_item(history, annotator, self.study)
        done = history.people.get(annotator) or Done()
        answered = len(rated_by(done, self.study))
        lines = {step.line for step in self.study.kind.STEPS.values()}  # an annotator answers one step of each
        size = min(rules.batch, len(self.study.order) * len(lines))
        of = max(size, size * -(-(answered + bool(task)) // size))
        can_undo = self._last(annotator) is not None
        if task is None:
            state = "wait" if is_waiting(history, annotator, self.study) and not self._has_all(answered) else "done"
            return Turn(state, answered, of, code=self._code(annotator), can_undo=can_undo)
        since = history.holds.get((task.item, task.step), {}).get(annotator, history.now)
        is_old = history.now - since > 60 * rules.hold_minutes / 2  # who comes back late holds it anew
        if task != done.held or is_old:
            self.append(connection, Event(new_uuid(), ASSIGN, annotator, **asdict(task), at=history.now))
        item = self.study.items[task.item]
        question = self.study.question(item, task.step, annotator, task.sample)
        return Turn("task", answered, of, task, item, question, before, can_undo=can_undo)

    def _has_all(self, answered: int) -> bool:
        rules = self.study.rules
        return bool(rules.batches) and answered >= rules.batches * rules.batch

    def _code(self, annotator: str) -> str:
        return self.study.rules.completion_code or self.keyed(f"code|{annotator}")[:CODE].upper()

    # ---- media

    def media_key(self, annotator: str, item: str) -> str:
        """What a page needs to load the media of an item that its annotator holds."""
        return self.keyed(f"media|{annotator}|{item}")

    # ---- the owner

    def delete(self, annotator: str) -> int:
        """Delete everything of an annotator; only the pseudonym and the day stay, as a record.

        Returns:
            How many answers there were.

        Raises:
            Refused: there is no such annotator.
        """
        with self.transaction() as connection:
            if annotator not in self.state.members:
                raise Refused(404, "unknown", f"There is no annotator {annotator[:64]!r}.")
            record = Event(new_uuid(), DELETED, annotator, data={"day": time.strftime("%Y-%m-%d", time.gmtime())})
            answers = self.store.delete(connection, annotator)
            self.append(connection, record)
        return answers

    def add(self, given: list[Given]) -> int:
        """Save answers from elsewhere that are not here yet; returns how many were new."""
        with self.transaction() as connection:
            new = [one for one in given if not self._has(one)]
            names = dict.fromkeys(one.annotator for one in new if one.annotator not in self.state.members)
            members = [Event(new_uuid(), JOIN, name, data={"role": ANNOTATOR}) for name in names]
            self.append(connection, *members, *map(_imported, new))
        return len(new)

    def _has(self, one: Given) -> bool:
        done = self.state.history.people.get(one.annotator)
        return done is not None and (one.item, one.step, one.sample) in done.given


def _imported(one: Given) -> Event:
    data = {"answer": dict(one.answer), "touched": one.touched, "seconds": one.seconds}
    return Event(new_uuid(), ANSWER, one.annotator, one.item, one.step, one.sample, data=data)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_uuid() -> str:
    """A UUID by chance."""
    return str(uuids.uuid4())
