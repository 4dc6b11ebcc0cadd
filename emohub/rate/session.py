"""The questions of a run, one after the other, and what is noted about each answer."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from tqdm import tqdm

from emohub.errors import EmohubError, MediaError
from emohub.rate.cost import BudgetUsedUp, Price
from emohub.rate.journal import Journal, Part
from emohub.rate.media import MediaSettings, encoded
from emohub.rate.probe import WITHOUT_LOGPROBS, lacks_logprobs, refuses_logprobs
from emohub.rate.protocol import BaseProtocol, Means
from emohub.rate.questions import BAD_MEDIA, NO_LOGPROBS, Ask, Attempt, Question, Unreadable
from emohub.rate.target import Item, Target

ENOUGH = 100  # answers after which a protocol may refuse a model before all is paid


class Session:
    """Asks what the journal lacks.

    Args:
        target: What is rated.
        protocol: What is asked.
        journal: Where answers go.
        media: How media are sent.
        attempts: How often a question is asked whose answers cannot be read; more than once only above temperature 0.
        price: For `budget`.
        budget: The most that the run may cost, in the currency of the price.
    """

    def __init__(
        self,
        target: Target,
        protocol: BaseProtocol,
        journal: Journal,
        media: MediaSettings,
        *,
        attempts: int = 1,
        price: Price | None = None,
        budget: float | None = None,
    ) -> None:
        self.target, self.protocol, self.journal, self.media = target, protocol, journal, media
        self.attempts, self.price, self.budget = attempts, price, budget
        self.items: Mapping[str, Item] = {item.id: item for item in target.items}
        # Of an item whose questions are all closed nothing is kept: a dataset has millions of questions.
        self.closed: dict[str, set[Part]] = {}
        self.open: set[str] = set()
        self.total = self.todo = self.output_tokens = 0
        self._count(set(self._finished()))
        self.under_way = 0
        self.stopped = False
        self.unreadable: list[tuple[Question, str]] = []
        self.unread: Counter[tuple[str, str, int | None]] = Counter()
        self.ended = Counter[str]()  # failure, or "parsed" → questions closed in this session
        self.with_logprobs = self.probed_tokens = 0
        self.probe_spent: Sequence[int] = (0, 0)
        self.means = Means()
        self.answers = 0
        totals = journal.totals()
        self.tokens = [totals["input_tokens"], totals["output_tokens"]]

    def __enter__(self) -> "Session":
        done = self.total - self.todo
        self.progress = tqdm(total=self.total, initial=done, desc="rate", unit="question", smoothing=0.1)
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.close()

    def may_ask(self) -> bool:
        """Whether the budget has room for one more question beside those that are under way."""
        self.stopped = self.budget is not None and self.cost() + self._each() * (self.under_way + 1) > self.budget
        self.under_way += not self.stopped
        return not self.stopped

    def first(self) -> Question | None:
        """The first question, for the probe; None where nothing is left to ask."""
        found = next(self.questions(), None)
        self.unreadable.clear()
        return found

    def questions(self) -> Iterator[Question]:
        """What is not answered yet, media read and encoded."""
        for item, data in self.target.media(self.open):
            asks = self.asks(item)
            try:
                media = encoded(data, video=self.target.is_video, settings=self.media)
            except MediaError as error:
                self.unreadable += [(Question(item.id, ask), str(error)) for ask in asks]
                continue
            for ask in asks:
                yield Question(item.id, ask, media)

    def asks(self, item: Item) -> list[Ask]:
        """The questions about an item that were not closed when the session began."""
        closed = self.closed.get(item.id, set())
        return [ask for ask in self.protocol.asks(item) if (ask.part, ask.sample) not in closed]

    def _finished(self) -> Iterator[str]:
        """Items that need no question; who runs again wants answers where another try might give one."""
        for name, closed in self.journal.closed(again=True):
            if item := self.items.get(name):
                if all((ask.part, ask.sample) in closed for ask in self.protocol.asks(item)):
                    yield name
                else:
                    self.closed[name] = closed

    def _count(self, finished: Collection[str]) -> None:
        for name, item in self.items.items():
            self.total += sum(1 for _ in self.protocol.asks(item))
            if name not in finished and (asks := self.asks(item)):
                self.open.add(name)
                self.todo += len(asks)
                self.output_tokens += sum(ask.max_tokens for ask in asks)

    def record(self, question: Question, attempt: Attempt, last: bool) -> bool:
        """Note an attempt; see `emohub.rate.rater.Record`.

        Raises:
            EmohubError: the protocol can read no answer of this rater.
        """
        attempt, asked_again = self._judged(question, attempt)
        final = last and not asked_again
        self.journal.add(question, attempt, final=final)
        for place, count in enumerate((attempt.input_tokens, attempt.output_tokens)):
            self.tokens[place] += count or 0
        without = attempt.failure == NO_LOGPROBS and lacks_logprobs(attempt)
        if not self.with_logprobs and (without or refuses_logprobs(question, attempt)):
            raise EmohubError(WITHOUT_LOGPROBS)
        self.with_logprobs += attempt.logprobs is not None
        if final:
            self.under_way -= 1
            self.unread.pop(question.slot, None)
            self.ended[attempt.failure or "parsed"] += 1
            self.progress.update()
            self._show()
        return asked_again

    def finish(self) -> None:
        """Note the items whose media do not decode, and say where the budget stopped the run.

        Raises:
            BudgetUsedUp: the budget stopped it.
        """
        for question, why in self.unreadable:
            self.journal.add(question, Attempt(failure=BAD_MEDIA, detail=why), final=True)
        if self.stopped:
            raise BudgetUsedUp(
                f"The budget of {self.budget:g} is used up: {self.cost():,.2f} so far, {self.progress.n:,} of "
                f"{self.total:,} questions closed. Raise --budget and run the same command again to go on."
            )

    def cost(self) -> float:
        """What was spent so far; 0 without a price."""
        tokens = [count + spent for count, spent in zip(self.tokens, self.probe_spent, strict=True)]
        return self.price.of(*tokens) if self.price else 0.0

    def _judged(self, question: Question, attempt: Attempt) -> tuple[Attempt, bool]:
        """The attempt with the failure to read it, if there is one, and whether the question is asked again."""
        if attempt.failure:
            return attempt, False
        item, part = self.items[question.item], question.ask.part
        self.means.add(self.protocol.extras(part, attempt))
        self.answers += 1
        if self.answers == ENOUGH:
            if why := self.protocol.refuse(self.means.as_dict(), self.answers):
                raise EmohubError(f"The ratings are refused: {why}.")
        try:
            self.protocol.read(item, part, attempt)
        except Unreadable as error:
            self.unread[question.slot] += 1
            again = question.ask.temperature > 0 and self.unread[question.slot] < self.attempts
            return replace(attempt, failure=error.failure, detail=str(error)), again
        return attempt, False

    def _each(self) -> float:
        """The price of a question: the mean so far, or before the first answer the most after the probe."""
        assert self.price, "a budget has a price"
        closed = self.total - self.todo + sum(self.ended.values())
        if closed and any(self.tokens):
            return self.price.of(*self.tokens) / closed
        return self.price.of(
            self.probed_tokens, max(ask.max_tokens for ask in self.protocol.asks(self.target.items[0]))
        )

    def _show(self) -> None:
        failed = {name: count for name, count in self.ended.items() if name != "parsed"}
        shown = {"cost": f"{self.cost():.2f}"} if self.price else {}
        if failed:
            shown["failed"] = ", ".join(f"{count} {name}" for name, count in sorted(failed.items()))
        self.progress.set_postfix(shown, refresh=False)
