"""An answer as the store keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that counts: sent, validated, saved and not undone.

    Attributes:
        annotator: Pseudonym.
        item: Id of the item.
        step: Which question about it.
        sample: 1, or 2 where the annotator answered the same question again.
        answer: Control → value.
        touched: Sliders that were moved; None where that is not known, as in imported answers.
        seconds: That the annotator looked at it; None where that is not known.
        number: Place in the order in which answers were saved.
    """

    annotator: str
    item: str
    step: int
    sample: int
    answer: Mapping[str, Any]
    touched: tuple[str, ...] | None = None
    seconds: float | None = None
    number: int = 0

    def rating(self, category: str, rating: float, *, sample: int | None, step: int | None = None) -> dict[str, Any]:
        """A row of the kit's ratings table."""
        return {
            "item": self.item,
            "rater": self.annotator,
            "kind": "human",
            "category": category,
            "rating": float(rating),
            "sample": sample,
            "step": step,
        }
