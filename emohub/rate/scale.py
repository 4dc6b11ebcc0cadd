"""A rater's own scale, mapped linearly to the dataset's."""

from dataclasses import dataclass

from emohub.errors import EmohubError


@dataclass(frozen=True, slots=True)
class LinearScale:
    """Lowest and highest rating of a rater.

    Attributes:
        low: Lowest.
        high: Highest.
    """

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> "LinearScale":
        """From LOW:HIGH.

        Raises:
            EmohubError: it is something else.

        Example:
            >>> LinearScale.parse("0:1").to((0, 7), 0.5)
            3.5
        """
        try:
            low, high = map(float, text.split(":"))
        except ValueError:
            low = high = 0.0
        if not -float("inf") < low < high < float("inf"):
            raise EmohubError(f"--scale is {text!r}; must be two numbers LOW:HIGH, e.g. 0:1.")
        return cls(low, high)

    def to(self, ends: tuple[float, float], value: float) -> float:
        """A rating on another scale; what is outside of this one is outside of the other."""
        return ends[0] + (value - self.low) / (self.high - self.low) * (ends[1] - ends[0])
