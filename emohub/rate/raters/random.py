"""A baseline: whole numbers, each as likely as any other of the scale."""

from dataclasses import dataclass
from random import Random

from emohub.rate.raters._baseline import Baseline
from emohub.rate.target import Item, Target


@dataclass(kw_only=True)
class Rater(Baseline):
    """Uniform over the whole numbers of the scale."""

    def draw(self, target: Target, item: Item, category: str, rng: Random) -> float:
        """Any whole number of the scale."""
        low, high = target.rated.scale.ends
        return float(rng.randint(int(low), int(high)))
