"""The Gradio page of a metric: paste or upload a ratings table, see the value, its interval and a picture.

Names are data: what a table says is escaped in the text, the picture and the details, and never rendered or fetched.
"""

import base64
import html
import io
import os
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import matplotlib
import pandas as pd
from gradio.events import api
from matplotlib.figure import Figure
from page_table import HELP, MOST_BYTES, read_table, split_model

matplotlib.rcParams["text.parse_math"] = False  # a name with dollars is a name
BLUE, GREY, INK = "#2563eb", "#9ca3af", "#4b5563"
MOST_BARS = 150
MOST_RESAMPLES = 2_000
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


def headline(name: str, value: float, interval: Sequence[float] | None, counts: dict[str, Any]) -> str:
    """The value with its interval, and the counts behind it, as HTML; what did not happen is left out."""
    within = f"<p><b>95 % interval</b> {number(interval[0])} to {number(interval[1])}</p>" if interval else ""
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


Run = Callable[..., tuple[str, pd.DataFrame, Figure]]


def card_of(folder: Path) -> str:
    """What the card beside the page says before "How to use", with the formula, and how the metric is loaded."""
    body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    about, _, use = body.partition("## How to use")
    load = re.search(r"evaluate\.load\(.*", use)
    example = f"\n```python\n{load[0]}\n```\n" if load else ""
    links = re.findall(r"https://\S+", body.partition("## Citation")[2])
    return re.sub(r"^# .*\n", "", about.strip(), count=1) + example + "".join(f"\n- <{link}>" for link in links)


def evaluate_endpoint(metric: Any) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """A function for programs: a CSV table and the metric's options by name to the whole result as JSON."""

    def evaluate(table: str, options: dict[str, Any]) -> dict[str, Any]:
        chosen = dict(options or {})
        for name in ("bootstrap", "splits"):
            if isinstance(value := chosen.get(name, 0), int | float) and value > MOST_RESAMPLES:
                raise gr.Error(f"{name}={value:g} is too many for this page; it takes {MOST_RESAMPLES:,}.")
        try:
            ratings, model = read_table(table, None), chosen.pop("model", None)
            if chosen.get("engine", "own") != "own":
                raise ValueError("This page has engine='own' only.")
            inputs = (
                dict(zip(("predictions", "references"), split_model(ratings, model), strict=True)) if model else {}
            )
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                result = metric.compute(**(inputs or {"ratings": ratings}), **chosen)
            return finite(result) | {"warnings": warnings_of(notes)}
        except (ValueError, TypeError) as error:
            raise gr.Error(visible(error)) from error

    return evaluate


def warnings_of(notes: list[warnings.WarningMessage]) -> list[str]:
    """The warnings that are for the user, each once; that a font lacks a letter is none of them."""
    messages = {str(note.message) for note in notes if issubclass(note.category, UserWarning)}
    return sorted(note for note in messages if "Glyph" not in note)


def finite(result: Any) -> Any:
    """A result for JSON, in which what is undefined is null."""
    if isinstance(result, dict):
        return {name: finite(value) for name, value in result.items()}
    if isinstance(result, list):
        return [finite(value) for value in result]
    return None if isinstance(result, float) and result != result else result


def build(
    folder: Path,
    metric: Any,
    title: str,
    about: str,
    example: str,
    options: Sequence[gr.components.Component],
    run: Run,
) -> gr.Blocks:
    """The page.

    Args:
        folder: where the card is.
        metric: the metric, for the endpoint of programs.
        title: of the page.
        about: one paragraph in Markdown.
        example: CSV that the page starts with, with its result.
        options: components whose values follow the table in the call of `run`; Gradio refuses values outside them.
        run: (table, *option values) → (headline as HTML, details, picture); a ValueError is shown to the user.
    """

    def result(text: str | None, file: str | None, *values: Any) -> tuple[str, pd.DataFrame | None, str]:
        try:
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                result_html, details, figure = run(read_table(text, file), *values)
                heading = html.unescape(re.findall("<h2>(.*?)</h2>", result_html)[0])
                drawn = image(figure, f"Chart: {heading}; the details below have its numbers")
        except (ValueError, TypeError) as error:
            return f"<h2>Cannot compute</h2><p>{escaped(error)}</p>", None, ""
        result_html += "".join(f"<p>⚠ {escaped(note)}</p>" for note in warnings_of(notes))
        return result_html, details.round(3).map(cell), drawn

    def compute(text: str | None, file: str | None, *values: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
        result_html, details, drawn = result(text, file, *values)
        shown = details is not None
        return result_html, gr.update(value=details, visible=shown), gr.update(value=drawn, visible=shown)

    first, table, chart = result(example, None, *(option.value for option in options))
    with gr.Blocks(title=title, analytics_enabled=False) as page:
        gr.Markdown(f"# {title}\n\n{about}")
        with gr.Row():
            with gr.Column():
                text = gr.Textbox(example, lines=12, max_lines=24, label="Ratings table (CSV)")
                file = gr.File(label="… or a CSV file", file_types=[".csv", ".tsv", ".txt"], height=120)
                for option in options:
                    option.render()
                button = gr.Button("Compute", variant="primary")
                gr.Markdown(HELP)
            with gr.Column():
                result_html = gr.HTML(first, label="Result")
                picture = gr.HTML(chart)
                details = gr.Dataframe(table, label="Details", interactive=False)
        with gr.Accordion("Formula, range, and how to use it in Python", open=False):
            gr.Markdown(card_of(folder))
        button.click(compute, [text, file, *options], [result_html, details, picture], api_name="compute")
        api(evaluate_endpoint(metric), api_name="evaluate")
    return page


def launch(page: gr.Blocks) -> None:
    """Serve the page on this machine only; a Hub Space says otherwise in GRADIO_SERVER_NAME."""
    page.launch(server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), max_file_size=MOST_BYTES)
