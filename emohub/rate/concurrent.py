"""Many questions at once: as many as the server takes, no faster than allowed, each until its last attempt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar

from emohub.errors import EmohubError
from emohub.rate.questions import NOT_ANSWERED
from emohub.rate.retries import RATE_LIMIT, TRANSIENT, RetryPolicy

QUIET = 50  # answers without a rate limit after which one more question at once is tried
GIVE_UP = 20  # questions in a row without an answer after which the run stops
GRACE = 30.0  # seconds that questions under way get to end when the run stops
CHUNK = 16  # questions that are made ready at a time, in a thread


class Outcome(Protocol):
    """What came back when something was asked once; `emohub.rate.questions.Attempt` says what the fields are."""

    @property
    def failure(self) -> str:
        """Why there is no answer, or empty."""

    @property
    def detail(self) -> str:
        """More about the failure."""

    @property
    def retry(self) -> str:
        """What the failure asks for, or empty."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait."""


Asked = TypeVar("Asked")
Came = TypeVar("Came", bound=Outcome)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many questions at once, how fast, and how often again.

    Attributes:
        concurrency: The most at once.
        rpm: The most a minute; None is no limit.
        retries: How often a question is sent.
        may_ask: Called before a question is sent for the first time; where it says no, no further one is sent.
    """

    concurrency: int = 16
    rpm: float | None = None
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    may_ask: Callable[[], bool] = lambda: True

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise EmohubError(f"--concurrency is {self.concurrency}; must be 1 or more.")
        if self.rpm is not None and not 0 < self.rpm < float("inf"):
            raise EmohubError(f"--rpm is {self.rpm}; must be above 0.")


class AdaptiveLimit:
    """How many may be under way: halved by a rate limit, one more after every `QUIET` answers without."""

    def __init__(self, most: int) -> None:
        self.most = self.now = most
        self.under_way = self.quiet = 0
        self.lowered = 0
        self._free = asyncio.Condition()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """One of the places; waits until one is free. Gives the number of the last reduction."""
        async with self._free:
            await self._free.wait_for(lambda: self.under_way < self.now)
            self.under_way += 1
        try:
            yield self.lowered
        finally:
            async with self._free:
                self.under_way -= 1
                self._free.notify()

    async def learn(self, attempt: Outcome, since: int) -> None:
        """Adjust to what came back; several rate limits of one moment count once."""
        async with self._free:
            if attempt.retry == RATE_LIMIT:
                self.quiet = 0
                if since == self.lowered:
                    self.now, self.lowered = max(self.now // 2, 1), self.lowered + 1
            else:
                self.quiet += 1
                if self.quiet >= QUIET and self.now < self.most:
                    self.now, self.quiet = self.now + 1, 0
                    self._free.notify()


class Pace:
    """At most so many requests a minute, evenly spread."""

    def __init__(self, rpm: float | None) -> None:
        self.gap = 60 / rpm if rpm else 0.0
        self.next = 0.0

    async def wait(self) -> None:
        """Wait for this request's turn."""
        if self.gap:
            now = asyncio.get_running_loop().time()
            self.next, turn = max(self.next, now) + self.gap, max(self.next, now)
            await asyncio.sleep(turn - now)


async def ask_all(
    questions: Iterator[Asked],
    send: Callable[[Asked], Awaitable[Came]],
    record: Callable[[Asked, Came, bool], bool],
    limits: Limits,
) -> None:
    """Send every question, again where that helps, and record what comes back.

    Args:
        questions: Read in a thread, a few ahead of what is sent.
        send: Sends once; a failure is an `Attempt`, an error that must stop the run is raised.
        record: Notes an attempt and whether it is the last; says whether the question is asked again.
        limits: See `Limits`.

    Raises:
        EmohubError: no answer to many questions in a row.
    """
    limit, pace = AdaptiveLimit(limits.concurrency), Pace(limits.rpm)
    ready: asyncio.Queue[Asked | None] = asyncio.Queue(max(2 * CHUNK, limits.concurrency))
    fruitless, closing = 0, False

    async def produce() -> None:
        while not closing and (chunk := await asyncio.to_thread(lambda: list(islice(questions, CHUNK)))):
            for question in chunk:
                await ready.put(question)
        for _ in range(limits.concurrency):
            await ready.put(None)

    async def work() -> None:
        nonlocal closing
        try:
            while (question := await ready.get()) is not None:
                closing = closing or not limits.may_ask()
                if not closing:
                    await ask(question)
        except BaseException:
            closing = True  # the others end what they have begun: it may be paid
            raise

    async def ask(question: Asked) -> None:
        nonlocal fruitless
        failed = 0
        while True:
            async with limit.slot() as since:
                await pace.wait()
                attempt = await send(question)
            await limit.learn(attempt, since)
            failed += attempt.failure in NOT_ANSWERED
            again = attempt.retry in (RATE_LIMIT, TRANSIENT) and failed < limits.retries.tries
            asked_again = record(question, attempt, not again)
            if closing or not (again or asked_again):
                break
            if again:
                await asyncio.sleep(limits.retries.seconds(failed, attempt.retry_after))
        fruitless = fruitless + 1 if attempt.failure in NOT_ANSWERED else 0
        if fruitless >= GIVE_UP:
            raise EmohubError(
                f"{GIVE_UP} questions in a row got no answer, the last: {attempt.detail}. Look at the server, then "
                "run the same command again; what was answered is kept."
            )

    def dismiss() -> None:
        """Let workers that wait for a question end."""
        while not ready.empty():
            ready.get_nowait()
        for _ in range(limits.concurrency):
            ready.put_nowait(None)

    await _together(produce(), [work() for _ in range(limits.concurrency)], dismiss)


async def _together(
    produce: Coroutine[Any, Any, None], work: list[Coroutine[Any, Any, None]], dismiss: Callable[[], None]
) -> None:
    """Run until all have ended. The first error is raised as it is, once what is under way has had time to end."""
    producer, workers = asyncio.ensure_future(produce), [asyncio.ensure_future(one) for one in work]
    tasks = [producer, *workers]
    try:
        await asyncio.gather(*tasks)
    except Exception:
        producer.cancel()
        await asyncio.gather(producer, return_exceptions=True)
        dismiss()
        await asyncio.wait(workers, timeout=GRACE)
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
