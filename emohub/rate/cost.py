"""What a run will cost, before it starts and while it goes on."""

from dataclasses import dataclass

from emohub.errors import EmohubError

MILLION = 1_000_000


class BudgetUsedUp(EmohubError):
    """A run stopped since another question would cost more than it may; what was answered is kept."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price of a million tokens, in any currency.

    Attributes:
        input: Of questions, media included.
        output: Of answers.
    """

    input: float
    output: float

    @classmethod
    def parse(cls, text: str) -> "Price":
        """From IN:OUT.

        Raises:
            EmohubError: it is something else.

        Example:
            >>> Price.parse("0.5:2").of(1_000_000, 500_000)
            1.5
        """
        try:
            given, made = map(float, text.split(":"))
        except ValueError:
            given = made = -1.0
        if not (0 <= given < float("inf") and 0 <= made < float("inf")):
            raise EmohubError(f"--price is {text!r}; must be IN:OUT, prices of a million tokens, e.g. 0.15:0.60.")
        return cls(given, made)

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """The price of so many tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / MILLION


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is left to do, from what the probe measured.

    Attributes:
        items: Items.
        questions: Questions about them that are not answered yet.
        of: Questions in all.
        input_tokens: Of these questions; None where the server does not count.
        output_tokens: The most that their answers may have.
        cost: The most that they cost; None without a price or a count.
        seconds: About how long they take at full concurrency; None without a measurement.
    """

    items: int
    questions: int
    of: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None

    def lines(self) -> list[tuple[str, str]]:
        """What is shown before the run."""
        counted = "the server does not count" if self.input_tokens is None else f"about {self.input_tokens:,}"
        return [
            ("items", f"{self.items:,}"),
            ("questions", f"{self.questions:,}" + (f" of {self.of:,}" if self.questions != self.of else "")),
            ("input tokens", counted),
            ("output tokens", "no limit known" if self.output_tokens is None else f"at most {self.output_tokens:,}"),
            ("cost", "no --price given" if self.cost is None else f"at most {self.cost:,.2f}"),
            ("time", "not measured" if self.seconds is None else f"about {_duration(self.seconds)}"),
        ]


def _duration(seconds: float) -> str:
    """Seconds for people.

    >>> _duration(45), _duration(600), _duration(9000)
    ('45 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
