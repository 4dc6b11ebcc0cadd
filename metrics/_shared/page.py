"""The Gradio page of a metric: paste or upload a ratings table, see the value, its interval and a picture.

It stands in `metrics/_shared`; each metric's folder links to it, and what leaves the checkout is a file.
"""

import base64
import html
import io
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
import pandas as pd
from matplotlib.figure import Figure

LONG = ("item", "rater", "rating")
MOST_BYTES = 20_000_000
BLUE, GREY, INK = "#2563eb", "#9ca3af", "#4b5563"

HELP = """\
**Long:** a CSV with the columns `item, rater, rating`, optionally `category` and `sample`, one rating a row.
**Wide:** one row per item (and `category`, if there is such a column), the item in the first column, one column per
rater; empty cells are gaps. A column `name#2` holds the second sample of rater `name`.
"""


def read_table(text: str | None, file: str | None) -> pd.DataFrame:
    """A long ratings table from pasted text or an uploaded CSV file, long or wide.

    Args:
        text: CSV with a header; commas, semicolons or tabs.
        file: path of an uploaded file; it goes before the text.

    Returns:
        Columns item, rater, rating, and category and sample where the table has them.

    Raises:
        ValueError: nothing given, too large, or not such a table.
    """
    if file:
        if os.path.getsize(file) > MOST_BYTES:
            raise ValueError(f"The file has {os.path.getsize(file):,} bytes; this page takes {MOST_BYTES:,}.")
        with open(file, encoding="utf-8-sig", errors="replace") as opened:
            text = opened.read()
    if not text or not text.strip():
        raise ValueError("There is no table: paste one or upload a CSV file.")
    header = text.strip().splitlines()[0]
    separator = max(",;\t", key=header.count)
    frame = pd.read_csv(
        io.StringIO(text.strip()), sep=separator, skipinitialspace=True, dtype=str, keep_default_na=False
    )
    frame.columns = [str(name).strip() for name in frame.columns]
    table = frame.copy() if set(LONG) <= set(frame.columns) else _from_wide(frame)
    for name in ("item", "rater"):
        if empty := int(table[name].str.strip().eq("").sum()):
            raise ValueError(f"The column {name!r} is empty in {empty:,} of {len(table):,} rows.")
    table["rating"] = [_number(*cell) for cell in zip(table["rating"], table["item"], table["rater"], strict=True)]
    return table


def _number(cell: str, item: str, rater: str) -> float | None:
    cell = cell.strip()
    if not cell or cell.lower() in ("nan", "na", "none", "null"):
        return None
    try:
        return float(cell)
    except ValueError:
        raise ValueError(
            f"The rating of {item!r} by {rater!r} is {cell!r}; a rating is a number, or empty where there is none."
        ) from None


def _from_wide(frame: pd.DataFrame) -> pd.DataFrame:
    named = [frame.columns[0], *(["category"] if "category" in frame.columns[1:] else [])]
    raters = [name for name in frame.columns if name not in named]
    if not raters:
        raise ValueError(f"The table has the columns {list(frame.columns)}: neither long nor wide.\n\n{HELP}")
    table = frame.melt(id_vars=named, value_vars=raters, var_name="rater", value_name="rating")
    table = table.rename(columns={frame.columns[0]: "item"})
    parts = table["rater"].str.rpartition("#")
    sampled = parts[0].ne("") & parts[2].str.fullmatch(r"\d+")
    if sampled.any():
        table["sample"] = parts[2].where(sampled, "1")
        table["rater"] = parts[0].where(sampled, table["rater"])
    return table


def split_model(table: pd.DataFrame, model: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the model and those of everyone else, the humans."""
    mine = table["rater"] == model.strip()
    if not mine.any() or mine.all():
        raise ValueError(f"The model is called {model!r}, but the raters are {list(table['rater'].unique()[:12])}.")
    return table[mine], table[~mine].drop(columns="sample", errors="ignore")


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
    """The value with its interval, and the counts behind it; what did not happen is left out."""
    within = f"**95 % interval** {number(interval[0])} to {number(interval[1])}\n\n" if interval else ""
    counted = {what.removeprefix("n_").replace("_", " "): count for what, count in counts.items()}
    said = ", ".join(f"{what}: {number(count)}" for what, count in counted.items() if count or what == "undefined")
    return f"## {name} = {number(value)}\n\n{within}{said}"


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
    """Horizontal bars, longest names readable, undefined values and zeros written out."""
    figure = Figure(figsize=(5.5, 1.2 + 0.3 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    places = list(range(len(names)))[::-1]
    for place, value, fade in zip(places, values, grey or [False] * len(names), strict=True):
        if value == value and value:
            axes.barh(place, value, color=GREY if fade else BLUE, height=0.65)
        else:
            axes.text(0, place, " 0" if value == 0 else " undefined", va="center", color=INK)
    for place, interval in zip(places, intervals or [], strict=False):
        if interval and interval[0] == interval[0]:
            axes.errorbar(
                sum(interval) / 2, place, xerr=(interval[1] - interval[0]) / 2, color="black", capsize=3, linewidth=1.5
            )
    axes.set_yticks(places, [name if len(name) < 32 else name[:31] + "…" for name in names])
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.axvline(0, color="black", linewidth=0.8)
    if reference is not None:
        axes.axvline(reference, color="black", linestyle=":", linewidth=1)
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def image(figure: Figure, alt: str) -> str:
    """The figure as HTML, sharp at every width, with a text for those who do not see it (gr.Plot has none)."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" style="width: 100%" src="data:image/svg+xml;base64,{data}">'


Run = Callable[..., tuple[str, pd.DataFrame, Figure]]


def build(title: str, about: str, example: str, options: Sequence[gr.components.Component], run: Run) -> gr.Blocks:
    """The page.

    Args:
        title: of the page.
        about: one paragraph in Markdown.
        example: CSV that the page starts with.
        options: components whose values follow the table in the call of `run`.
        run: (table, *option values) → (headline in Markdown, details, picture); a ValueError is shown to the user.
    """

    def compute(text: str, file: str | None, *values: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
        try:
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                said, details, picture = run(read_table(text, file), *values)
        except (ValueError, TypeError) as error:
            return f"## Cannot compute\n\n{error}", gr.update(visible=False), gr.update(visible=False)
        told = {str(note.message) for note in notes if issubclass(note.category, UserWarning)}
        said += "".join(f"\n\n⚠ {note}" for note in sorted(told))
        drawn = image(
            picture, f"Chart: {said.splitlines()[0].removeprefix('## ')}; the details below have its numbers"
        )
        return said, gr.update(value=details.round(3), visible=True), gr.update(value=drawn, visible=True)

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
                said = gr.Markdown("Press Compute.")
                picture = gr.HTML(visible=False)
                details = gr.Dataframe(label="Details", interactive=False, visible=False)
        button.click(compute, [text, file, *options], [said, details, picture], api_name="compute")
    return page


def launch(page: gr.Blocks) -> None:
    """Serve the page on this machine only; a Hub Space says otherwise in GRADIO_SERVER_NAME."""
    page.launch(server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), max_file_size=MOST_BYTES)
