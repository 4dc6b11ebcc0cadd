"""One measured number: what tables and figures show, and what `results.json` holds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ITEMS = "other items, the same raters"
"""The population that an interval speaks about where only the items are a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A number and what it rests on.

    Attributes:
        id: What it is, for example "hq.table6.human-1.mean"; names of raters and categories stand in it as they are.
        value: The number; nan where it is undefined.
        n: How many items (images, votes, videos) it rests on; None where that has no meaning.
        interval: Lower and upper bound, or None; one with undefined bounds becomes None.
        no_interval: Why there is none, or empty.
        standard_error: With an interval from the bootstrap or the jackknife.
        degrees_of_freedom: With a standard error.
        p: Of a test, after the correction that the method names.
        method: How value and interval are computed.
        population: What the interval speaks about.
        rater: Whose number it is, or empty.
    """

    id: str
    value: float
    n: int | None = None
    interval: tuple[float, float] | None = None
    no_interval: str = ""
    standard_error: float | None = None
    degrees_of_freedom: float | None = None
    p: float | None = None
    method: str = ""
    population: str = ""
    rater: str = ""

    def __post_init__(self) -> None:
        if self.interval and not all(map(math.isfinite, self.interval)):
            object.__setattr__(self, "interval", None)
            object.__setattr__(self, "no_interval", self.no_interval or "it is undefined")

    def as_json(self) -> dict[str, Any]:
        """The same with null for what JSON does not have and for what is empty."""
        numbers = ("value", "standard_error", "degrees_of_freedom", "p")
        found = {name: getattr(self, name) for name in self.__slots__}
        found |= {name: _finite(found[name]) for name in numbers}
        if self.interval:
            found["interval"] = [_finite(end) for end in self.interval]
        return {name: value if value != "" else None for name, value in found.items()}


def best_first(cell: object) -> float:
    """A key that sorts the highest value first, and what has none last.

    >>> sorted([Record(id="a", value=float("nan")), Record(id="b", value=1.0)], key=best_first)[0].id
    'b'
    """
    value = cell.value if isinstance(cell, Record) else cell
    return -value if isinstance(value, int | float) and math.isfinite(value) else math.inf


def measured(id: str, entry: Mapping[str, Any], value: str, **more: Any) -> Record:
    """The record of an entry of a metric's result.

    Args:
        id: Of the record.
        entry: With the value, and where resamples were asked for `interval` or `no_interval`.
        value: Name of the value in it.
        more: Other attributes of the record.
    """
    interval = entry.get("interval")
    return Record(
        id=id,
        value=float(entry[value]),
        interval=(interval[0], interval[1]) if interval else None,
        no_interval=entry.get("no_interval", ""),
        standard_error=entry.get("standard_error"),
        degrees_of_freedom=entry.get("degrees_of_freedom"),
        **more,
    )


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
