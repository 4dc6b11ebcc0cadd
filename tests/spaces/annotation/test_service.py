"""A study in operation: nothing twice, nothing lost, nothing of others; two servers, any clock, a full disk."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from assignment import Task
from ledger import Refused
from service import new_uuid
from state import ANNOTATOR, OWNER
from tests.spaces.annotation.conftest import Clock, answer_one

RNG = random.Random(0)


def joined(service: Any, name: str = "") -> str:
    return service.who(service.join(f"name|{name}" if name else ""))


def test_the_same_answer_sent_again_is_saved_once(service: Callable[..., Any]) -> None:
    one = service()
    who, uuid = joined(one), new_uuid()
    turn = one.turn(who)
    first, _ = one.answer(who, uuid, turn.task, {"Awe": 3}, seconds=2.5, touched=["Awe", "Fear"])
    again, _ = one.answer(who, uuid, turn.task, {"Awe": 3}, seconds=2.5, touched=["Awe", "Fear"])
    assert again == first and first.answered == 1
    (given,) = one.snapshot().answers
    assert given.answer["Awe"] == 3 and given.answer["Fear"] == 0 and len(given.answer) == 40
    assert given.touched == ("Awe", "Fear") and given.seconds == 2.5


def test_a_second_tab_changes_nothing(service: Callable[..., Any]) -> None:
    one = service()
    who = joined(one)
    task = one.turn(who).task
    one.answer(who, new_uuid(), task, {"Awe": 3})
    with pytest.raises(Refused, match="that answer counts") as refused:
        one.answer(who, new_uuid(), task, {"Awe": 5})
    assert refused.value.status == 409 and one.snapshot().answers[0].answer["Awe"] == 3


def test_others_items_and_uuids_are_refused(service: Callable[..., Any]) -> None:
    one = service(annotators=1)
    first, second = joined(one), joined(one)
    task, uuid = one.turn(first).task, new_uuid()
    one.turn(second)
    for wrong in (task, Task("no such item", 1), Task(task.item, 9), Task(task.item, 1, 2), Task(task.item, 1, 1, 1)):
        with pytest.raises(Refused, match="not given to you"):
            one.answer(second, new_uuid(), wrong, {})
    one.answer(first, uuid, task, {})
    with pytest.raises(Refused, match="UUID is in use"):
        one.answer(second, uuid, one.turn(second).task, {})
    assert len(one.snapshot().answers) == 1


@pytest.mark.parametrize(
    "answer",
    [{"Awe": 8}, {"Awe": -1}, {"Awe": 2.5}, {"Awe": True}, {"Awe": "3"}, {"awe": 1}, {"'; DROP TABLE events": 1}],
)
def test_values_out_of_range_change_nothing(service: Callable[..., Any], answer: dict[str, Any]) -> None:
    one = service()
    who = joined(one)
    task = one.turn(who).task
    with pytest.raises(Refused, match="not valid") as refused:
        one.answer(who, new_uuid(), task, answer)
    assert refused.value.status == 422 and "DROP" not in str(refused.value)
    assert one.snapshot().answers == [] and one.turn(who).task == task


def test_a_reload_and_another_server_give_the_same_question(service: Callable[..., Any]) -> None:
    one, two = service(), service()
    token = one.join("name|ada")
    who = one.who(token)
    assert two.who(token) == who and one.turn(who).task == two.turn(who).task == one.turn(who).task


def test_two_servers_never_give_out_one_place_twice(service: Callable[..., Any]) -> None:
    servers = [service(items=6, annotators=1), service()]
    people = [joined(servers[number % 2]) for number in range(6)]
    tasks = [servers[number % 2].turn(who).task for number, who in enumerate(people)]
    assert len(set(tasks)) == 6
    for number, who in enumerate(people):  # answered on the other server
        servers[1 - number % 2].answer(who, new_uuid(), tasks[number], {})
    assert len(servers[0].snapshot().answers) == len(servers[1].snapshot().answers) == 6
    assert servers[0].turn(joined(servers[0])).state == "done"


def test_undo_asks_again_and_keeps_the_order(service: Callable[..., Any]) -> None:
    one = service()
    who = joined(one)
    task = one.turn(who).task
    one.answer(who, new_uuid(), task, {"Awe": 3})
    turn = one.undo(who)
    assert turn.task == Task(task.item, 1, 1, 1) and turn.before.answer["Awe"] == 3 and not turn.can_undo
    assert one.snapshot().answers == []
    with pytest.raises(Refused, match="in another tab"):
        one.answer(who, new_uuid(), task, {"Awe": 4})
    one.answer(who, new_uuid(), turn.task, {"Awe": 5})
    assert [given.answer["Awe"] for given in service().snapshot().answers] == [5]


def test_undo_of_what_others_went_on_from_is_refused(service: Callable[..., Any]) -> None:
    one = service("yes-no-chain", items=1)
    first, second = joined(one), joined(one)
    one.answer(first, new_uuid(), one.turn(first).task, {"vote": "yes"})
    assert one.turn(second).task.step == 2
    with pytest.raises(Refused, match="gone on from this answer"):
        one.undo(first)
    with pytest.raises(Refused, match="no answer that can"):
        one.undo(second)


def test_somebody_who_left_loses_the_item_but_no_answer(service: Callable[..., Any], clock: Clock) -> None:
    one = service(items=1, annotators=1, hold_minutes=10)
    first, second = joined(one), joined(one)
    task = one.turn(first).task
    assert one.turn(second).state == "wait"
    clock.now += 601
    assert one.turn(second).task == task
    one.answer(first, new_uuid(), task, {})  # given in good faith, so it counts, too
    one.answer(second, new_uuid(), task, {})
    assert len(one.snapshot().answers) == 2


@pytest.mark.parametrize("jump", [-(10**9), -3600, 3600, 10**9])
def test_a_clock_that_jumps_loses_nothing(service: Callable[..., Any], clock: Clock, jump: float) -> None:
    one = service(items=3)
    who = joined(one)
    for _ in range(3):
        answer_one(one, who, RNG, seconds=abs(jump))
        clock.now += jump
    answers = service().snapshot().answers
    assert len(answers) == 3 and [one.number for one in answers] == sorted(one.number for one in answers)
    assert all(given.seconds <= 24 * 3600 for given in answers) and one.turn(who).state == "done"


def test_a_full_disk_refuses_and_recovers(service: Callable[..., Any], tmp_path: Path) -> None:
    one = service()
    who = joined(one)
    answer_one(one, who, RNG)
    with sqlite3.connect(tmp_path / "one" / "answers.sqlite") as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    full = [True]

    @event.listens_for(one.store.engine, "begin")
    def limit(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages if full[0] else 1_000_000}")

    task, saved = one.turn(who).task, 1
    for _ in range(40):
        try:
            turn, _ = one.answer(who, new_uuid(), task, {})
        except Refused as refused:
            assert refused.status == 503 and "stays in your browser" in str(refused)
            break
        task, saved = turn.task, saved + 1
    else:
        pytest.fail("the disk was never full")
    assert len(service().snapshot().answers) == saved
    full[0] = False
    one.answer(who, new_uuid(), task, {})
    assert len(service().snapshot().answers) == saved + 1


def test_names_are_taken_once_and_the_hub_vouches(service: Callable[..., Any]) -> None:
    one = service(most=3)
    first = joined(one, "ada")
    with pytest.raises(Refused, match="under this name already"):
        one.join("name|ada")
    signed = one.who(one.join("hub|ada", proven=True))
    assert signed != first and one.who(one.join("hub|ada", proven=True)) == signed
    joined(one)
    with pytest.raises(Refused, match="as many annotators"):
        one.join()
    with pytest.raises(Refused, match="not known here"):
        one.who("forged")


def test_deleting_leaves_a_record_and_frees_the_places(service: Callable[..., Any]) -> None:
    one = service(items=2, annotators=1)
    token = one.join("name|ada", private={"name": "Ada"})
    who = one.who(token)
    answer_one(one, who, RNG)
    answer_one(one, who, RNG)
    assert one.delete(who) == 2
    for server in (one, service()):
        now = server.snapshot()
        assert now.answers == [] and now.deleted == 1 and who not in now.members
        with pytest.raises(Refused, match="not known here"):
            server.who(token)
    kept = [found for found in one.store.read() if found.annotator == who]
    assert [(found.event, set(found.data)) for found in kept] == [("deleted", {"day"})]
    assert one.store.everybody() == {} and joined(one) != who
    with pytest.raises(Refused, match="no annotator"):
        one.delete("nobody")


def test_links_and_roles(service: Callable[..., Any]) -> None:
    one = service()
    assert one.role(one.who(one.add_link(OWNER))) == OWNER
    assert one.role(one.who(one.add_link(ANNOTATOR))) == ANNOTATOR


def test_a_store_belongs_to_one_study(service: Callable[..., Any], tmp_path: Path) -> None:
    from store import Store, sqlite_url

    service()
    with pytest.raises(ValueError, match="holds the study 'try', not 'other'"):
        Store(sqlite_url(tmp_path / "one" / "answers.sqlite"), "other")


def test_training_shows_what_others_said(service: Callable[..., Any]) -> None:
    lines = [{"item": "t", "role": "training", "expected": {"Awe": 4}}, {"item": "i"}]
    one = service(lines=lines)
    who = joined(one)
    turn, feedback = one.answer(who, new_uuid(), one.turn(who).task, {"Awe": 1})
    assert feedback == {"expected": {"Awe": 4}} and turn.task.item == "i" and turn.answered == 0
    with pytest.raises(Refused, match="no answer that can"):
        one.undo(who)


def test_the_code_comes_after_the_last_answer(service: Callable[..., Any]) -> None:
    one = service(items=2)
    who = joined(one)
    assert one.turn(who).code == ""
    answer_one(one, who, RNG)
    answer_one(one, who, RNG)
    done = one.turn(who)
    assert done.state == "done" and len(done.code) == 8 and done.code == service().turn(who).code
