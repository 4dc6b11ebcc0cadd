"""A baseline: the same number everywhere."""

from dataclasses import dataclass
from random import Random

from emohub.errors import EmohubError
from emohub.rate.raters._baseline import Baseline
from emohub.rate.target import Item, Target


@dataclass(kw_only=True)
class Rater(Baseline):
    """`constant:VALUE`; without a value, the lowest of the scale."""

    @property
    def label(self) -> str:
        """`constant`, with the value."""
        return f"constant-{self.what}" if self.what else "constant"

    def described(self, target: Target) -> dict[str, object]:
        """The value."""
        return super().described(target) | {"value": self.value(target)}

    def value(self, target: Target) -> float:
        """The number.

        Raises:
            EmohubError: it is not a number of the dataset's scale.
        """
        low, high = target.rated.scale.ends
        try:
            value = float(self.what or low)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise EmohubError(f"--rater is constant:{self.what}; the value must be a number from {low:g} to {high:g}.")
        return value

    def draw(self, target: Target, item: Item, category: str, rng: Random) -> float:
        """The value."""
        return self.value(target)
