"""Who answers what next: one pure function of what was answered and what is held."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from given import Given
from studies import Step
from study import Item, Study

Key = tuple[str, int]  # item, step
Slot = tuple[str, int, int]  # item, step, sample


@dataclass(frozen=True, slots=True)
class Task:
    """A question that an annotator holds.

    Attributes:
        item: Id of the item.
        step: Which question about it.
        sample: 1, or 2 where it is asked of the same annotator again.
        attempt: How often the annotator took an answer to it back.
    """

    item: str
    step: int
    sample: int = 1
    attempt: int = 0


@dataclass
class History:
    """What has happened in a study, as far as assignment needs it.

    Attributes:
        now: Time in seconds.
        answers: Question → annotator → answer, without repetitions.
        holds: Question → annotator → when it was given out; a hold ends with its answer.
        people: Annotator → answers and what is held.
    """

    now: float = 0.0
    answers: dict[Key, dict[str, Given]] = field(default_factory=dict)
    holds: dict[Key, dict[str, float]] = field(default_factory=dict)
    people: dict[str, "Done"] = field(default_factory=dict)

    def give_out(self, annotator: str, task: Task, at: float) -> None:
        """Note that an annotator was given a question."""
        self.drop(annotator)
        self.people.setdefault(annotator, Done()).held = task
        if task.sample == 1:
            self.holds.setdefault((task.item, task.step), {})[annotator] = at

    def drop(self, annotator: str) -> None:
        """Note that an annotator no longer holds anything."""
        done = self.people.get(annotator)
        if done is not None and done.held is not None:
            self.holds.get((done.held.item, done.held.step), {}).pop(annotator, None)
            done.held = None

    def answered(self, given: Given) -> None:
        """Note an answer."""
        done = self.people.setdefault(given.annotator, Done())
        if done.held is not None and (done.held.item, done.held.step) == (given.item, given.step):
            self.drop(given.annotator)
        done.given[given.item, given.step, given.sample] = given
        if given.sample == 1:
            self.answers.setdefault((given.item, given.step), {})[given.annotator] = given

    def taken_back(self, annotator: str, item: str, step: int, sample: int) -> None:
        """Note that an annotator took an answer back."""
        done = self.people[annotator]
        done.given.pop((item, step, sample), None)
        done.attempts[item, step, sample] = done.attempts.get((item, step, sample), 0) + 1
        if sample == 1:
            self.answers.get((item, step), {}).pop(annotator, None)

    def forget(self, annotator: str) -> None:
        """Note that everything of an annotator was deleted."""
        self.drop(annotator)
        done = self.people.pop(annotator, None) or Done()
        for item, step, sample in done.given:
            if sample == 1:
                self.answers.get((item, step), {}).pop(annotator, None)


@dataclass
class Done:
    """What one annotator has done.

    Attributes:
        given: (item, step, sample) → answer, in the order of answering.
        held: What the annotator was given and has not answered.
        attempts: (item, step, sample) → answers that were taken back.
    """

    given: dict[Slot, Given] = field(default_factory=dict)
    held: Task | None = None
    attempts: dict[Slot, int] = field(default_factory=dict)

    def task(self, item: str, step: int, sample: int = 1) -> Task:
        """A question as this annotator would get it."""
        return Task(item, step, sample, self.attempts.get((item, step, sample), 0))


def next_item(history: History, annotator: str, study: Study) -> Task | None:
    """The question that an annotator gets.

    What is held comes first, so a reload changes nothing; then training, a check or a repetition that is due; then, in
    the annotator's batch, the latest step of a chain, the question with most answers, the study's order. A question is
    never given to more annotators than it needs while they hold it, and no annotator gets a question, or another step
    of its line, twice, repetitions aside.

    Returns:
        The question; None where there is none for this annotator now.
    """
    done = history.people.get(annotator) or Done()
    if done.held is not None and _is_still_there(history, done.held, annotator, study):
        return done.held
    rated = rated_by(done, study)
    for role, due in (("training", len(study.of_role["training"])), ("check", _checks_due(rated, study))):
        if asked := _special(done, study, role, due):
            return asked
    if again := _repetition(done, rated, annotator, study):
        return again
    rules = study.rules
    if rules.batches and len(rated) >= rules.batches * rules.batch:
        return None
    for number in _batches(history, rated, annotator, study):
        questions = list(_open(history, done, annotator, study, study.batches[number]))
        if questions:
            item, step, _ = max(questions, key=lambda one: one[2])
            return done.task(item.id, step)
    return None


def is_waiting(history: History, annotator: str, study: Study) -> bool:
    """Whether an annotator without a question may get one later: a step may open, or somebody may not come back."""
    done = history.people.get(annotator) or Done()
    return any(
        len(history.answers.get((item.id, number), ())) < places(study, step)
        and not _seen(done, item, step, study)
        and _may_open(history, item, step, study)
        for item in study.order
        for number, step in study.kind.STEPS.items()
    )


def places(study: Study, step: Step) -> int:
    """How many annotators answer a question."""
    return step.annotators or study.rules.annotators


def rated_by(done: Done, study: Study) -> list[Given]:
    """An annotator's ratings, in the order of answering: without training, checks and repetitions."""
    return [given for given in done.given.values() if given.sample == 1 and study.items[given.item].role == "item"]


def _checks_due(rated: Sequence[Given], study: Study) -> int:
    every = study.rules.check_every
    return len(rated) // every if every else 0


def _special(done: Done, study: Study, role: str, due: int) -> Task | None:
    """The next training item or check, where fewer than are due were answered."""
    step = next(iter(study.kind.STEPS))
    items = study.of_role[role][:due]
    return next((done.task(item.id, step) for item in items if (item.id, step, 1) not in done.given), None)


def _repetition(done: Done, rated: Sequence[Given], annotator: str, study: Study) -> Task | None:
    """An item that the annotator answered some time ago, where repetitions fall short of the study's share."""
    rules = study.rules
    repeated = sum(sample > 1 for _, _, sample in done.given)
    if not rules.repeats or repeated >= int(rules.repeats * (len(rated) - rules.repeat_gap)):
        return None
    old = [given for given in rated[: -rules.repeat_gap] if (given.item, given.step, 2) not in done.given]
    if not old:
        return None
    chosen = study.draw("repeat", annotator, repeated).choice(old)
    return done.task(chosen.item, chosen.step, 2)


def _batches(history: History, rated: Sequence[Given], annotator: str, study: Study) -> Iterator[int]:
    """Batches in the order in which they are offered: the annotator's own, those that need more people, the rest."""
    own = study.batch_of[rated[-1].item] if rated else -1
    if own >= 0:
        yield own
    working, begun = [0] * len(study.batches), [False] * len(study.batches)
    for name, done in history.people.items():
        if done.held is not None and name != annotator and done.held.item in study.batch_of:
            number = study.batch_of[done.held.item]
            since = history.holds.get((done.held.item, done.held.step), {}).get(name, history.now)
            working[number] += _holds(history, since, study)
    for item, _ in history.answers:
        if item in study.batch_of:
            begun[study.batch_of[item]] = True
    room = max(places(study, step) for step in study.kind.STEPS.values())
    others = (number for number in range(len(study.batches)) if number != own)
    yield from sorted(others, key=lambda one: (working[one] >= room, not begun[one], one))


def _open(
    history: History, done: Done, annotator: str, study: Study, items: Collection[Item]
) -> Iterator[tuple[Item, int, tuple[int, int, int, int]]]:
    """Questions that an annotator may get now, with what speaks for them."""
    steps = study.kind.STEPS
    lines = list(dict.fromkeys(step.line for step in steps.values()))
    for place, item in enumerate(items):
        for number, step in steps.items():
            taken = _taken(history, (item.id, number), annotator, study)
            if (
                taken < places(study, step)
                and not _seen(done, item, step, study)
                and _is_open(history, item, step, study)
            ):
                yield item, number, (_depth(steps, step), -lines.index(step.line), taken, -place)


def _taken(history: History, key: Key, annotator: str, study: Study) -> int:
    """Places of a question that others have, or hold."""
    answers = history.answers.get(key, {})
    holders = history.holds.get(key, {}).items()
    return len(answers) + sum(
        name not in answers and name != annotator and _holds(history, since, study) for name, since in holders
    )


def _is_still_there(history: History, task: Task, annotator: str, study: Study) -> bool:
    """Whether a held question still waits for this annotator: others got it only if the hold was too old."""
    item = study.items.get(task.item)
    if item is None or item.role != "item" or task.sample > 1:
        return item is not None
    return _taken(history, (task.item, task.step), annotator, study) < places(study, study.kind.STEPS[task.step])


def _depth(steps: Mapping[int, Step], step: Step) -> int:
    """How many steps come before."""
    return 0 if step.after is None else 1 + _depth(steps, steps[step.after])


def _holds(history: History, since: float, study: Study) -> bool:
    """Whether an item that was given out is still held; a clock that jumped, either way, holds nothing for good."""
    return abs(history.now - since) < 60 * study.rules.hold_minutes


def _seen(done: Done, item: Item, step: Step, study: Study) -> bool:
    """Whether the annotator has answered this question or another step of its line."""
    return any(
        (item.id, number, 1) in done.given for number, other in study.kind.STEPS.items() if other.line == step.line
    )


def _is_open(history: History, item: Item, step: Step, study: Study) -> bool:
    """Whether what must come before was confirmed."""
    if step.after is None:
        return True
    before = history.answers.get((item.id, step.after), {})
    return any(study.kind.confirms(given.answer) for given in before.values())


def _may_open(history: History, item: Item, step: Step, study: Study) -> bool:
    """Whether a step is open, or the answer that decides it is still to come."""
    if step.after is None or _is_open(history, item, step, study):
        return True
    before = study.kind.STEPS[step.after]
    return not history.answers.get((item.id, step.after)) and _may_open(history, item, before, study)
