"""Concurrency that adapts, a pace, and retries that end."""

import asyncio
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.errors import EmohubError
from emohub.rate.concurrent import QUIET, AdaptiveLimit, Limits, Pace, ask_all
from emohub.rate.questions import HTTP_ERROR, Ask, Attempt, Question
from emohub.rate.retries import ADVICE, RATE_LIMIT, TRANSIENT, RetryPolicy, requested_wait, retry_class

QUESTIONS = [Question(str(number), Ask("?")) for number in range(200)]
SLOW_DOWN = Attempt(failure=HTTP_ERROR, retry=RATE_LIMIT)


def test_a_rate_limit_halves_and_quiet_adds_one() -> None:
    async def story() -> list[int]:
        limit, seen = AdaptiveLimit(16), []
        for _ in range(3):  # three answers of one moment count once
            await limit.learn(SLOW_DOWN, 0)
        seen.append(limit.now)
        await limit.learn(SLOW_DOWN, 1)
        seen.append(limit.now)
        for _ in range(2 * QUIET):
            await limit.learn(Attempt(text="4"), 2)
        seen.append(limit.now)
        for number in range(2, 9):
            await limit.learn(SLOW_DOWN, number)
        return [*seen, limit.now]

    assert asyncio.run(story()) == [8, 4, 6, 1]


@given(st.integers(1, 12), st.integers(0, 60))
def test_never_more_at_once_and_every_question_once(concurrency: int, count: int) -> None:
    under_way = most = 0
    recorded: list[str] = []

    async def send(question: Question) -> Attempt:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return Attempt(text="4")

    def record(question: Question, _: Attempt, last: bool) -> bool:
        assert last
        recorded.append(question.item)
        return False

    asyncio.run(ask_all(iter(QUESTIONS[:count]), send, record, Limits(concurrency)))
    assert most <= concurrency and sorted(recorded) == sorted(question.item for question in QUESTIONS[:count])


def test_a_pace_spreads_requests() -> None:
    async def story() -> float:
        pace, start = Pace(6000), time.monotonic()  # one in 10 ms
        await asyncio.gather(*(pace.wait() for _ in range(21)))
        return time.monotonic() - start

    assert asyncio.run(story()) >= 0.2


def test_where_nothing_may_be_asked_nothing_is() -> None:
    left = iter([True] * 5 + [False] * 1000)
    recorded: list[str] = []

    async def send(_: Question) -> Attempt:
        return Attempt(text="4")

    def record(question: Question, *_: object) -> bool:
        recorded.append(question.item)
        return False

    asyncio.run(ask_all(iter(QUESTIONS), send, record, Limits(3, may_ask=lambda: next(left))))
    assert len(recorded) == 5


def test_an_error_lets_what_is_under_way_end_and_is_raised_as_it_is() -> None:
    async def send(question: Question) -> Attempt:
        if question.item == "7":
            raise EmohubError("stop here")
        await asyncio.sleep(0.2 if question.item == "6" else 0)
        return Attempt(text="4")

    def record(question: Question, *_: object) -> bool:
        recorded.append(question.item)
        return False

    recorded: list[str] = []
    with pytest.raises(EmohubError, match="stop here"):
        asyncio.run(ask_all(iter(QUESTIONS), send, record, Limits(4)))
    assert {"6"} <= set(recorded) <= {str(number) for number in range(12)}


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_an_error_of_the_questions_is_raised(error: BaseException) -> None:
    def questions() -> object:
        yield QUESTIONS[0]
        raise error

    async def send(_: Question) -> Attempt:
        return Attempt(text="4")

    with pytest.raises(type(error)):
        asyncio.run(ask_all(questions(), send, lambda *_: False, Limits(4)))


def test_tries_are_bounded_and_the_last_is_named() -> None:
    seen: list[bool] = []

    async def send(_: Question) -> Attempt:
        return Attempt(failure=HTTP_ERROR, retry=TRANSIENT)

    def record(_: Question, __: Attempt, last: bool) -> bool:
        seen.append(last)
        return False

    limits = Limits(1, retries=RetryPolicy(tries=3, wait=0.001))
    asyncio.run(ask_all(iter(QUESTIONS[:1]), send, record, limits))
    assert seen == [False, False, True]


@given(st.integers(1, 10), st.none() | st.floats(0, 1e9))
def test_waits_grow_and_are_bounded(failed: int, after: float | None) -> None:
    policy = RetryPolicy()
    seconds = policy.seconds(failed, after)
    if after is None:
        assert min(2 ** (failed - 1), 60) <= seconds <= 1.5 * min(2 ** (failed - 1), 60)
    else:
        assert seconds == min(after, policy.patience)


def test_statuses_have_classes() -> None:
    assert {status: retry_class(status) for status in (400, 408, 413, 422, 429, 500, 502, 503, 504, 529)} == {
        **{400: "no", 408: "transient", 413: "no", 422: "no", 429: "rate limit", 500: "transient"},
        **dict.fromkeys((502, 503, 504, 529), "transient"),
    }
    assert {retry_class(status) for status in ADVICE} == {"stop"}


def test_retry_after_in_every_form() -> None:
    assert requested_wait({"retry-after": "3"}) == 3 and requested_wait({"retry-after": "-1"}) == 0
    soon = requested_wait({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert soon is not None and 20 < soon <= 30
    assert [requested_wait({"retry-after": text}) for text in ("", "soon", "nan")] == [None, None, None]


@pytest.mark.parametrize("bad", [{"concurrency": 0}, {"rpm": 0}, {"rpm": float("nan")}, {"rpm": -1}])
def test_bad_limits_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(EmohubError, match=r"--(concurrency|rpm) is"):
        Limits(**bad)
