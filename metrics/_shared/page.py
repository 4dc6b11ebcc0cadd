"""The Gradio page of a metric: paste or upload a ratings table, see the value, its interval and a picture."""

import atexit
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import page_worker
from gradio.events import api
from page_layout import Choice, Layout, Number, Text
from page_pool import AT_ONCE, SECONDS, Pool
from page_result import escaped
from page_table import HELP, MOST_BYTES

from temporary import own_folder
from theme import SCROLL, THEME

PREFIX = "metric-page-"  # of the folders of temporary files
WAITING = 40  # visitors in the queue
SWEEP, FORGET = 60, 600  # seconds between looks at uploads, and their age when they go


def card_of(folder: Path) -> str:
    """What the card beside the page says before "How to use", with the formula, and how the metric is loaded."""
    body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    about, _, use = body.partition("## How to use")
    load = re.search(r"evaluate\.load\(.*", use)
    example = f"\n```python\n{load[0]}\n```\n" if load else ""
    links = re.findall(r"https://\S+", body.partition("## Citation")[2])
    return re.sub(r"^# .*\n", "", about.strip(), count=1) + example + "".join(f"\n- <{link}>" for link in links)


def evaluate_endpoint(pool: Pool) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """The endpoint for programs."""

    def evaluate(table: str, options: dict[str, Any]) -> dict[str, Any]:
        """Compute this metric for a table of ratings.

        Args:
            table: CSV with the columns item, rater, rating, and optionally category and sample; or one row per item
                and one column per rater.
            options: The metric's options by name, as in its card, for example {"bootstrap": 1000}; "model" is the
                rater that is compared with all others, where the metric compares.

        Returns:
            The whole result, undefined values as null, with "warnings".
        """
        answer = pool(page_worker.evaluate, table, options)
        if "error" in answer:
            raise gr.Error(answer["error"])
        return answer["result"]

    return evaluate


def component(option: Choice | Number | Text) -> gr.components.Component:
    """The component of an option, which refuses other values."""
    given: dict[str, Any] = {"value": option.value, "label": option.label}
    if isinstance(option, Choice):
        return gr.Dropdown(list(option.values), **given)
    if isinstance(option, Number):
        return gr.Slider(option.low, option.high, step=option.step, **given)
    return gr.Textbox(**given)


def build(folder: Path, layout: Layout) -> gr.Blocks:
    """The page.

    Args:
        folder: Where the card and `view.py` are.
        layout: What the page says and asks.
    """
    pool = Pool(folder)
    atexit.register(pool.close)

    def result(text: str | None, file: str | None, *values: Any) -> tuple[str, Any, str]:
        answer = pool(page_worker.compute, text, file, list(values))
        if "error" in answer:
            return f"<h2>Cannot compute</h2><p>{escaped(answer['error'])}</p>", None, ""
        return answer["html"], answer["details"], answer["picture"]

    def compute(text: str | None, file: str | None, *values: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
        result_html, details, drawn = result(text, file, *values)
        shown = details is not None
        return result_html, gr.update(value=details, visible=shown), gr.update(value=drawn, visible=shown)

    first, table, chart = result(layout.example, None, *(option.value for option in layout.options))
    with gr.Blocks(title=layout.title, analytics_enabled=False, delete_cache=(SWEEP, FORGET)) as page:
        gr.Markdown(f"# {layout.title}\n\n{layout.about}")
        with gr.Row():
            with gr.Column():
                text = gr.Textbox(layout.example, lines=12, max_lines=24, label="Ratings table (CSV)")
                file = gr.File(label="… or a CSV file", file_types=[".csv", ".tsv", ".txt"], height=120)
                options = [component(option) for option in layout.options]
                button = gr.Button("Compute", variant="primary")
                with gr.Accordion("Tables that this page takes, and its limits", open=False):
                    gr.Markdown(f"{HELP}\nA computation may take {SECONDS} seconds.")
            with gr.Column():
                result_html = gr.HTML(first, label="Result", elem_classes="result")
                picture = gr.HTML(chart)
                details = gr.Dataframe(table, label="Details", interactive=False)
        with gr.Accordion("Formula, range, and how to use it in Python", open=False):
            gr.Markdown(card_of(folder))
        outputs = [result_html, details, picture]
        for_people: dict[str, Any] = {"api_name": "compute", "api_visibility": "undocumented"}  # its answer is HTML
        computed = button.click(compute, [text, file, *options], outputs, concurrency_id="pool", **for_people)
        computed.then(**SCROLL)
        api(evaluate_endpoint(pool), api_name="evaluate", concurrency_id="pool")
    return page.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE)


def launch(folder: Path, layout: Layout) -> None:
    """Serve a page on this machine only; a Hub Space says otherwise in GRADIO_SERVER_NAME."""
    own_folder(PREFIX)
    build(folder, layout).launch(
        server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        max_file_size=MOST_BYTES,
        mcp_server=True,
        ssr_mode=False,
        theme=THEME,
        footer_links=["api", "settings"],
    )
