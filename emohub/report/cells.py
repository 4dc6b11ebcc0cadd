"""Cells that show more than a number: a text with a place in the order, and an interval drawn on an axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .record import Record  # relative: the leaderboard Space ships both files


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that is sorted by a number.

    Attributes:
        text: What is shown.
        key: By what it is sorted.
    """

    text: str
    key: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A record as a point with its interval on an axis, in HTML; nothing in other forms, which have the number.

    Attributes:
        record: The record.
        axis: Ends of the axis.
        lines: Values that are marked on it, each with the class of its line.
    """

    record: Record
    axis: tuple[float, float]
    lines: Sequence[tuple[str, float]] = ()

    def svg(self, text: str) -> str:
        """The drawing.

        Args:
            text: What it shows, for those who cannot see it.
        """
        marks = [f'<line class="{escape(name)}" x1="{x}" x2="{x}" y1="0" y2="16"/>' for name, x in self._lines()]
        if self.record.interval:
            low, high = map(self._place, self.record.interval)
            marks.append(f'<line class="interval" x1="{low}" x2="{high}" y1="8" y2="8"/>')
        marks.append(f'<circle cx="{self._place(self.record.value)}" cy="8" r="3.5"/>')
        return f'<svg viewBox="0 0 160 16" role="img" aria-label="{escape(text)}">{"".join(marks)}</svg>'

    def _lines(self) -> list[tuple[str, float]]:
        return [(name, self._place(value)) for name, value in self.lines]

    def _place(self, value: float) -> float:
        """Where a value stands: 5 to 155 between the ends of the axis."""
        low, high = self.axis
        share = (value - low) / (high - low) if high > low else 0.5
        return round(5 + 150 * min(max(share, 0.0), 1.0), 1)
