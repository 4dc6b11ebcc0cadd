"""Places of raters: only among raters of the same items, and no closer than their intervals allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.record import Record


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rater stands.

    Attributes:
        best: First place that its interval allows.
        worst: Last place that its interval allows.
        exact: Whether every interval was known; otherwise places are by value alone.
    """

    best: int
    worst: int
    exact: bool

    def __str__(self) -> str:
        place = f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"
        return place if self.exact else f"{place}*"


def places(records: Mapping[str, Record], best: str) -> dict[str, Place]:
    """The place of every rater.

    A rater is behind another whose whole interval is better than its own whole interval. Where an interval is missing,
    places are by value alone, for all. Equal values share a place.

    Args:
        records: Rater → its number, all of the same items, all defined.
        best: "high", "low", or "one" for numbers that are best at 1.
    """
    exact = all(record.interval for record in records.values())
    worth = {name: worth_of(record, best, exact) for name, record in records.items()}
    found = {}
    for name, (low, high) in worth.items():
        ahead = sum(other[0] > high for other in worth.values())
        behind = sum(other[1] < low for other in worth.values())
        found[name] = Place(ahead + 1, len(worth) - behind if exact else ahead + 1, exact)
    return found


def worth_of(record: Record, best: str, with_interval: bool = False) -> tuple[float, float]:
    """The ends of an interval, or twice the value, turned so that higher is better."""
    ends: Sequence[float] = (record.interval if with_interval else None) or (record.value, record.value)
    if best == "low":
        ends = [-end for end in ends]
    elif best == "one":
        nearest = 0.0 if min(ends) <= 1 <= max(ends) else min(abs(end - 1) for end in ends)
        ends = [-nearest, -max(abs(end - 1) for end in ends)]
    return min(ends), max(ends)
