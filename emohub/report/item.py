"""What an item of a report is, and what it is given."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emohub.report.figure import Figure
from emohub.report.table import Table

Output = Table | Figure


class Gap(Exception):
    """An item that cannot be made of a study; its text is the reason, which the report shows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How everything in a report is computed.

    Attributes:
        bootstrap: Resamples of every interval.
        seed: Of resamples and of what is drawn.
        confidence: How often an interval shall hold the value of the population.
        margin: Within which two values count as equivalent.
        upstream: Whether to repeat the papers' own computations, faults included.
    """

    bootstrap: int = 1000
    seed: int = 42
    confidence: float = 0.95
    margin: float = 0.05
    upstream: bool = False

    @property
    def resamples(self) -> dict[str, Any]:
        """The options of every metric's intervals."""
        return {"bootstrap": self.bootstrap, "seed": self.seed, "confidence": self.confidence}


@dataclass(frozen=True, slots=True)
class Item:
    """One table, figure or group of them.

    Attributes:
        id: Begins the ids of its records, for example "binary.table2".
        title: Its heading.
        needs: The kinds of study that it can be made of.
        make: (study, settings) → its tables and figures; raises `Gap` where there is nothing to make.
        place: Where it stands in a report: lower first.
        upstream: Whether it has a computation of the paper to repeat with `--upstream`.
    """

    id: str
    title: str
    needs: Sequence[type]
    make: Callable[[Any, Settings], Iterator[Output]]
    place: int = 50
    upstream: bool = False
