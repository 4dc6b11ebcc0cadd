"""What a page shows of a result: headline, details, picture.

Names are data: what a table says is escaped in the text, the picture and the details, and never rendered or fetched.
"""

import base64
import html
import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

matplotlib.rcParams["text.parse_math"] = False  # a name with dollars is a name
BLUE, GREY, INK = "#2563eb", "#9ca3af", "#4b5563"
MOST_BARS = 150
# Characters that are not seen, or that change the direction of what follows.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def visible(text: Any) -> str:
    r"""Text in which hidden and direction-changing characters are written out.

    >>> visible("a\u202eb")
    'a\\u202eb'
    """
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))


def escaped(text: Any) -> str:
    """Text as HTML that shows it letter by letter, line by line."""
    return html.escape(visible(text)).replace("\n", "<br>")


def cell(value: Any) -> Any:
    """A value of the details that a spreadsheet takes as text: no name starts a formula."""
    if not isinstance(value, str):
        return value
    return ("'" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else "") + visible(value)


def number(value: Any) -> str:
    """A result for people: three decimals, or undefined."""
    return (
        "undefined"
        if value is None or value != value
        else f"{value:.3f}"
        if isinstance(value, float)
        else f"{value:,}"
    )


def headline(name: str, value: float, result: dict[str, Any], counts: dict[str, Any]) -> str:
    """The value with its interval, or why there is none, and the counts, as HTML; what did not happen is left out."""
    interval, within = result.get("interval"), ""
    if interval:
        of = f" ({escaped(result['population'])})" if "population" in result else ""
        within = f"<p><b>95 % interval</b>{of}: {number(interval[0])} to {number(interval[1])}</p>"
    elif "no_interval" in result:
        within = f"<p><b>No 95 % interval</b>: {escaped(result['no_interval'])}</p>"
    counted = {what.removeprefix("n_").replace("_", " "): count for what, count in counts.items()}
    parts = ", ".join(f"{what}: {number(count)}" for what, count in counted.items() if count or what == "undefined")
    return f"<h2>{escaped(name)} = {number(value)}</h2>{within}<p>{escaped(parts)}</p>"


def counts_of(result: dict[str, Any]) -> dict[str, Any]:
    """The counts of a result."""
    return {name: value for name, value in result.items() if name.startswith("n_")}


def bars(
    names: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[Sequence[float] | None] | None = None,
    *,
    label: str,
    reference: float | None = None,
    grey: Sequence[bool] | None = None,
) -> Figure:
    """Horizontal bars, longest names readable, undefined values and zeros written out; the first MOST_BARS of them."""
    left_out = len(names) - MOST_BARS
    names, values, intervals = names[:MOST_BARS], values[:MOST_BARS], (intervals or [])[:MOST_BARS]
    figure = Figure(figsize=(5.5, 1.2 + 0.3 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    places = list(range(len(names)))[::-1]
    for place, value, fade in zip(places, values, (grey or [False] * len(names))[:MOST_BARS], strict=True):
        if value == value and value:
            axes.barh(place, value, color=GREY if fade else BLUE, height=0.65)
        else:
            axes.text(0, place, " 0" if value == 0 else " undefined", va="center", color=INK)
    for place, interval in zip(places, intervals, strict=False):
        if interval and interval[0] == interval[0]:
            axes.errorbar(
                sum(interval) / 2, place, xerr=(interval[1] - interval[0]) / 2, color="black", capsize=3, linewidth=1.5
            )
    axes.set_yticks(places, [visible(name) if len(name) < 32 else visible(name[:31]) + "…" for name in names])
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.axvline(0, color="black", linewidth=0.8)
    if reference is not None:
        axes.axvline(reference, color="black", linestyle=":", linewidth=1)
    axes.set_xlabel(label + (f"\n{left_out:,} more are in the details" if left_out > 0 else ""))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def image(figure: Figure, alt: str) -> str:
    """The figure as HTML, sharp at every width, with a text for those who do not see it (gr.Plot has none)."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" style="width: 100%" src="data:image/svg+xml;base64,{data}">'
