"""What baselines share: numbers that follow from the seed and the item alone, in any order of items."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from random import Random

from emohub.errors import EmohubError
from emohub.rate.rater import DirectRater, Scored
from emohub.rate.target import Item, Target


@dataclass(kw_only=True)
class Baseline(DirectRater):
    """A rater that never looks at the media.

    Attributes:
        seed: Of what is drawn.
        samples: How many ratings of each category; None gives one without a number.
    """

    kind = "baseline"
    seed: int = 0
    samples: int | None = None

    def __post_init__(self) -> None:
        if self.samples is not None and self.samples < 1:
            raise EmohubError(f"--samples is {self.samples}; must be 1 or more.")

    def described(self, target: Target) -> dict[str, object]:
        """Seed and samples."""
        return {"seed": self.seed, "samples": self.samples}

    def rate(self, target: Target, wanted: Collection[str]) -> Iterator[Scored]:
        """One draw for each category and sample."""
        for item in target.items:
            if item.id in wanted:
                for sample in range(self.samples) if self.samples else (None,):
                    rng = {one: self._rng(item.id, one, sample) for one in item.categories}
                    yield Scored(item.id, {one: self.draw(target, item, one, rng[one]) for one in rng}, sample)

    def draw(self, target: Target, item: Item, category: str, rng: Random) -> float:
        """The rating of one category."""
        raise NotImplementedError

    def _rng(self, *parts: object) -> Random:
        return Random(hashlib.sha256(repr((self.seed, *parts)).encode()).digest())
