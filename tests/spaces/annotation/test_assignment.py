"""Who gets what next, for any order of events: quotas, never twice, chains, nobody starves, held items come back."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assignment import History, Task, is_waiting, next_item, places
from given import Given
from studies import find
from study import Item, Rules, Study
from tests.spaces.annotation.conftest import FIELDS, LABELS

KINDS = st.sampled_from(["intensities", "yes-no-chain", "preference", "video-labels", "screening"])
MOVES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=80)


def study_of(kind: str, items: int, lines: list[tuple[str, dict]] | None = None, **rules: Any) -> Study:
    about = {"name": "s", "title": "s", "kind": kind, "items": "x", "annotators": 2, "labels": LABELS, **rules}
    named = lines or [("item", {}) for _ in range(items)]
    found = {
        f"i{number}": Item(f"i{number}", "m.jpg", role, FIELDS[kind](number), expected)
        for number, (role, expected) in enumerate(named)
    }
    return Study(Rules.model_validate(about), found, Path())


def act(history: History, study: Study, annotator: str, rng: random.Random) -> Task | None:
    """An annotator takes a question and answers it."""
    task = next_item(history, annotator, study)
    if task is None:
        return None
    history.give_out(annotator, task, history.now)
    question = study.question(study.items[task.item], task.step, annotator, task.sample)
    answer = study.kind.validate(question, study.kind.simulate(question, rng)) | dict(question.stored)
    history.answered(Given(annotator, task.item, task.step, task.sample, answer))
    return task


@settings(max_examples=60)
@given(KINDS, st.integers(1, 12), st.integers(1, 4), st.integers(1, 5), st.integers(0, 9))
def test_enough_annotators_fill_every_place_exactly(kind: str, items: int, quota: int, batch: int, seed: int) -> None:
    study, history, rng = (
        study_of(kind, items, annotators=quota, batch=batch, seed=seed),
        History(),
        random.Random(seed),
    )
    people = [f"a{number}" for number in range(2 * quota + 4)]
    active = list(people)
    while active:
        who = rng.choice(active)
        if act(history, study, who, rng) is None and not is_waiting(history, who, study):
            active.remove(who)
        elif not any(next_item(history, one, study) for one in active):
            break
    for item in study.order:
        for number, step in study.kind.STEPS.items():
            n = len(history.answers.get((item.id, number), {}))
            before = history.answers.get((item.id, step.after), {}) if step.after is not None else None
            is_open = before is None or any(study.kind.confirms(one.answer) for one in before.values())
            assert n == (places(study, step) if is_open else 0)


@settings(max_examples=60)
@given(
    KINDS,
    st.integers(1, 10),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=80),
    st.integers(0, 9),
)
def test_nobody_gets_a_line_twice_and_quotas_hold(
    kind: str, items: int, moves: list[tuple[int, int]], seed: int
) -> None:
    study, history, rng = study_of(kind, items, batch=4, seed=seed), History(), random.Random(seed)
    seen: dict[tuple[str, str, str], int] = {}
    for who, minutes in moves:  # time passes, but never as much as a hold lasts
        history.now += minutes
        annotator = f"a{who}"
        task = next_item(history, annotator, study)
        if task is None:
            continue
        held = history.people.get(annotator)
        if held is not None and held.held == task:
            act(history, study, annotator, rng)
            continue
        line = study.kind.STEPS[task.step].line
        seen[annotator, task.item, line] = seen.get((annotator, task.item, line), 0) + 1
        history.give_out(annotator, task, history.now)
        others = {name for name in history.answers.get((task.item, task.step), {})}
        holders = set(history.holds.get((task.item, task.step), {})) | others
        assert len(holders) <= places(study, study.kind.STEPS[task.step])
    assert all(n == 1 for n in seen.values())


@given(KINDS, st.integers(1, 8), st.integers(0, 5))
def test_it_is_a_function_of_its_arguments(kind: str, items: int, seed: int) -> None:
    study, history, rng = study_of(kind, items, seed=seed), History(), random.Random(seed)
    for who in "abab":
        before = repr(history)
        first = next_item(history, who, study)
        assert next_item(history, who, study) == first and repr(history) == before
        act(history, study, who, rng)


def test_a_chain_opens_for_others_and_only_after_a_yes() -> None:
    study, history = study_of("yes-no-chain", 1), History()

    def vote(annotator: str, answer: str) -> int | None:
        task = next_item(history, annotator, study)
        if task is None:
            return None
        history.give_out(annotator, task, 0.0)
        history.answered(Given(annotator, task.item, task.step, 1, {"vote": answer}))
        return task.step

    assert vote("a", "yes") == 1 and vote("a", "no") == 0  # the contrastive question is no step of the chain
    assert vote("a", "yes") is None and is_waiting(history, "a", study) is False
    assert vote("b", "yes") == 2 and vote("b", "yes") is None
    assert vote("c", "no") == 3 and vote("d", "yes") is None


def test_a_no_ends_the_chain() -> None:
    study, history = study_of("yes-no-chain", 1), History()
    history.answered(Given("a", "i0", 1, 1, {"vote": "no"}))
    assert next_item(history, "b", study) == Task("i0", 0)
    history.answered(Given("b", "i0", 0, 1, {"vote": "no"}))
    assert next_item(history, "c", study) is None and not is_waiting(history, "c", study)


def test_what_somebody_left_goes_to_others_after_a_while_and_may_come_back() -> None:
    study, history = study_of("intensities", 1, annotators=1, hold_minutes=10), History()
    task = next_item(history, "a", study)
    assert task is not None
    history.give_out("a", task, history.now)
    history.now = 599
    assert next_item(history, "b", study) is None and is_waiting(history, "b", study)
    history.now = 601
    assert next_item(history, "b", study) == task and next_item(history, "a", study) == task
    history.give_out("b", task, history.now)
    assert next_item(history, "a", study) is None


def test_a_clock_that_jumps_back_holds_nothing_for_good() -> None:
    study, history = study_of("intensities", 1, annotators=1, hold_minutes=10), History(now=1e9)
    history.give_out("a", Task("i0", 1), history.now)
    history.now = 1e9 - 60
    assert next_item(history, "b", study) is None
    history.now = 1e9 - 3600
    assert next_item(history, "b", study) == Task("i0", 1)


def test_training_first_then_checks_when_they_are_due() -> None:
    roles = [("training", {"Awe": 1}), ("item", {}), ("item", {}), ("item", {}), ("item", {}), ("check", {"Awe": 3})]
    study, history, rng = study_of("intensities", 0, roles, check_every=2), History(), random.Random(0)
    order = [task.item for task in iter(lambda: act(history, study, "a", rng), None)]
    assert order[0] == "i0" and order[3] == "i5" and len(order) == 6


@given(st.integers(0, 9), st.sampled_from([0.1, 0.25, 0.5]))
@settings(max_examples=20)
def test_repetitions_have_their_share_and_their_distance(seed: int, share: float) -> None:
    study = study_of("preference", 40, repeats=share, repeat_gap=5, seed=seed)
    history, rng, order = History(), random.Random(seed), []
    while (task := act(history, study, "a", rng)) is not None:
        order.append(task)
    repeated = [task for task in order if task.sample == 2]
    assert len(repeated) == int(share * (40 - 5)) and len({task.item for task in repeated}) == len(repeated)
    for task in repeated:
        first = order.index(Task(task.item, task.step))
        between = [one for one in order[first + 1 : order.index(task)] if one.sample == 1]
        assert len(between) >= 5


def test_batches_one_after_another_and_no_more_than_allowed() -> None:
    study, history, rng = study_of("intensities", 12, batch=4, batches=2), History(), random.Random(0)
    order = [task.item for task in iter(lambda: act(history, study, "a", rng), None)]
    assert len(order) == 8
    numbers = [study.batch_of[item] for item in order]
    assert numbers == sorted(numbers, key=numbers.index) and len(set(numbers)) == 2


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="valid are intensities, preference, screening, video-labels, yes-no-chain"):
        find("sliders")


def test_people_fill_a_batch_before_they_begin_another() -> None:
    study, history = study_of("intensities", 8, batch=4), History()
    batches = []
    for annotator in "abcd":
        task = next_item(history, annotator, study)
        assert task is not None
        history.give_out(annotator, task, 0.0)
        batches.append(study.batch_of[task.item])
    assert batches == [0, 0, 1, 1]


def test_the_draw_is_the_same_on_every_server() -> None:
    study = study_of("preference", 3)
    item = study.items["i0"]
    sides = {study.question(item, 1, f"a{n}").stored["left"] for n in range(20)}
    assert sides == {"human", "a model"}
    assert study.question(item, 1, "a").stored == study.question(item, 1, "a").stored
