"""A baseline: drawn from how often people gave each rating of a category, without the item's own group."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from datasets import load_dataset

from emohub.errors import EmohubError
from emohub.rate.rater import Scored
from emohub.rate.raters._baseline import Baseline
from emohub.rate.target import Item, Target

TRAIN = "train"


@dataclass(kw_only=True)
class Rater(Baseline):
    """The margins of the training split; where there is none, of all splits.

    Ratings of an item's own group (the performer in Chehre, the image in EmoNet-Face) never count for it.
    """

    def described(self, target: Target) -> dict[str, Any]:
        """Where the margins come from."""
        return super().described(target) | {"ratings": target.rated.ratings}

    def rate(self, target: Target, wanted: Collection[str]) -> Iterator[Scored]:
        """Draws from the margins."""
        self.margins = _Margins(target)
        yield from super().rate(target, wanted)

    def draw(self, target: Target, item: Item, category: str, rng: Random) -> float:
        """One rating of the category by somebody, of another group's item."""
        return self.margins.draw(target.builder.split_key(item.id), category, rng)

    def notes(self) -> dict[str, Any]:
        """The splits that the margins come from, their number of ratings, and where the categories were pooled."""
        return {
            "margins_from": self.margins.splits,
            "margin_ratings": self.margins.total,
            "drawn_from_all_categories": self.margins.pooled,
        }


class _Margins:
    """How often each rating was given, by category, in all and in each group.

    Raises:
        EmohubError: the dataset has no ratings for the config.
    """

    def __init__(self, target: Target) -> None:
        if not target.rated.ratings:
            raise EmohubError(f"{target.source}, config {target.rows.config!r}, has no ratings to take margins from.")
        local = Path(target.source).is_dir()
        path = str(Path(target.source).resolve()) if local else target.source
        found = load_dataset(path, target.rated.ratings, revision=None if local else target.rows.revision)
        self.splits = [TRAIN] if TRAIN in found else sorted(found)
        self.all: dict[str, Counter[float]] = {}
        self.own: dict[tuple[str, str], Counter[float]] = {}
        for split in self.splits:
            for batch in found[split].select_columns(["item", "kind", "category", "rating"]).iter(10_000):
                for item, kind, category, rating in zip(*batch.values(), strict=True):
                    if kind == "human":
                        group = target.builder.split_key(item)
                        self.all.setdefault(category, Counter())[rating] += 1
                        self.own.setdefault((group, category), Counter())[rating] += 1
        self.total = sum(sum(counts.values()) for counts in self.all.values())
        self.pooled = 0

    def draw(self, group: str, category: str, rng: Random) -> float:
        """One rating of a category by somebody, outside of a group."""
        counts = self.all.get(category, Counter()) - self.own.get((group, category), Counter())
        if not counts:  # a category that only this group has
            self.pooled += 1
            counts = self._pooled(group)
        if not counts:
            raise EmohubError(
                f"Nobody rated anything outside of {group!r} in {' and '.join(self.splits)}: there are no margins to "
                "draw from. Rate a larger dataset, or use --rater random."
            )
        values = sorted(counts)
        return float(rng.choices(values, [counts[value] for value in values])[0])

    def _pooled(self, group: str) -> Counter[float]:
        """The ratings of all categories, outside of a group."""
        found: Counter[float] = Counter()
        for category, counts in self.all.items():
            found += counts - self.own.get((group, category), Counter())
        return found
