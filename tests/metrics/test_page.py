"""The five pages as a user has them: served on this machine, given long, wide and bad tables, one in a browser."""

import base64
import csv
import html
import io
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pandas as pd
import psutil
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from emohub.hub.process import free_port
from tests import patience
from tests.browser import chromium, watch_requests
from tests.metrics.conftest import load

METRICS = Path(__file__).parents[2] / "metrics"
NAMES = sorted(path.parent.name for path in METRICS.glob("*/app.py"))
VALUE = {
    "dominant_expression": "Top-1 (split) = 0.625",
    "krippendorff_alpha": "Krippendorff's α = 0.815",  # as published, see the card
    "rating_correlation": "Mean Spearman's ρ = 0.887",
    "spread_ratio": "Spread Ratio = 0.488",
    "weighted_kappa": "Weighted kappa = 0.898",
}


@pytest.fixture(scope="module")
def page(pages: dict[str, ModuleType]) -> ModuleType:
    return pages["page"]


@pytest.fixture(scope="module")
def table_of(pages: dict[str, ModuleType]) -> Callable[..., Any]:
    return pages["page_table"].read_table


@pytest.fixture(scope="module", params=NAMES)
def served(page: ModuleType, request) -> Iterator[tuple[ModuleType, Client, set[str]]]:
    """A page with a client, and the hosts that this process connected to meanwhile."""
    hosts: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        connect = socket.socket.connect

        def watched(self: socket.socket, address: Any) -> None:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                hosts.add(address[0])
            connect(self, address)

        patch.setattr(socket.socket, "connect", watched)
        patch.setattr("page_pool.AT_ONCE", 1)  # a process less to start
        app = load(METRICS / request.param / "app.py", f"app_of_{request.param}")
        app.PAGE = page.build(METRICS / request.param, app.LAYOUT)
        _, url, _ = app.PAGE.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False)
        yield app, Client(url, verbose=False, analytics_enabled=False), hosts
        app.PAGE.close()


def options(app: ModuleType) -> list[Any]:
    """The values of the page's options, as it starts."""
    return [block.value for block in app.PAGE.fns[0].inputs[2:]]


def test_long_and_wide_tables_give_value_interval_and_picture(served, table_of, tmp_path: Path) -> None:
    app, client, hosts = served
    long = tmp_path / "long.csv"
    table_of(app.LAYOUT.example, None).to_csv(long, index=False)
    wide = client.predict(app.LAYOUT.example, None, *options(app), api_name="/compute")
    assert client.predict("", handle_file(long), *options(app), api_name="/compute")[:2] == wide[:2]
    said, details, picture = wide
    expected = VALUE[app.__name__.removeprefix("app_of_")]
    assert html.unescape(said).startswith(f"<h2>{expected}</h2><p><b>No 95 % interval</b>: it rests on ")
    rows = table_of(app.LAYOUT.example, None)
    large = pd.concat(rows.assign(item=rows["item"].astype(str) + f"/{copy}") for copy in range(12))
    large.to_csv(long, index=False)
    many = client.predict("", handle_file(long), *options(app), api_name="/compute")[0]
    assert "<b>95 % interval</b> (other items, the same raters): " in many
    value, low, high = (float(found) for found in re.findall(r"\d\.\d{3}", many)[:3])
    assert low < value < high
    assert details["visible"] and len(details["value"]["data"])
    alt, data = re.fullmatch(
        r'<img alt="(.*)" style=".*" src="data:image/svg\+xml;base64,(.*)">', picture["value"]
    ).groups()
    assert alt.startswith("Chart: ") and "<svg" in base64.b64decode(data).decode()
    assert first_result(app) == wide[0], "the page starts with the example's result"
    assert hosts == {"127.0.0.1"}, "nothing is asked of another host"
    assert not app.PAGE.analytics_enabled


def test_bad_files_and_options_are_said_not_traced(served, tmp_path: Path) -> None:
    app, client, _ = served
    for number, (content, message) in enumerate(
        {
            b"item,rater,rating\nface 1,Ann,high": "The rating of 'face 1' by 'Ann' is 'high'",
            b"item,rater,rating\nface 1,,3": "The column 'rater' is empty in 1 of 1 rows",
            b"\x89PNG\r\n\x1a\n\x00\x00": "The file is not in UTF-8: byte 0x89 in line 1",
            b"item,<b>x</b>\na,![](http://evil.example/x.png)": "is '![](http://evil.example/x.png)'; a rating is",
            b"item,category,Ann,model\nface 1,joy,inf,2": "must be finite",
            b"item,Ann,model\nface 1,,": "",
        }.items()
    ):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(content)
        said, *rest = client.predict("", handle_file(file), *options(app), api_name="/compute")
        assert said.startswith("<h2>Cannot compute</h2>") and "Traceback" not in said and "<b>" not in said
        assert message in html.unescape(said)
        assert not any(one["visible"] for one in rest)


def first_result(app: ModuleType) -> str:
    return next(block.value for block in app.PAGE.blocks.values() if getattr(block, "label", None) == "Result")


def test_a_program_names_its_options_and_gets_the_whole_result(served) -> None:
    app, client, _ = served
    name = app.__name__.removeprefix("app_of_")
    model = {"model": "model"} if "model" in app.LAYOUT.example.splitlines()[0] else {}
    result = client.predict(app.LAYOUT.example, model | {"bootstrap": 10}, api_name="/evaluate")
    assert isinstance(result[name], float) and result["no_interval"] and isinstance(result["warnings"], list)
    for options, message in (
        ({"boostrap": 10}, "did you mean bootstrap"),
        ({"bootstrap": 10**9}, "too many for this page; it takes 2,000"),
        ({"bootstrap": "many"}, "bootstrap='many' is not valid"),
    ):
        with pytest.raises(AppError, match=message):
            client.predict(app.LAYOUT.example, model | options, api_name="/evaluate")


def test_options_have_their_limits_on_the_server(served) -> None:
    app, client, _ = served
    with pytest.raises(AppError, match="greater than maximum value 2000"):
        client.predict(app.LAYOUT.example, None, *options(app)[:-1], 10**9, api_name="/compute")


def test_names_are_data(served) -> None:
    """HTML, Markdown, mathtext, formulas and marks of direction are shown letter by letter."""
    app, client, hosts = served
    names = [
        "<img src=http://evil.example/x>",
        "![x](http://evil.example)",
        "$\\frac{1}{0$",
        "=HYPERLINK(1)",
        "a\u202eb",
    ]
    rows = [row for row in csv.reader(io.StringIO(app.LAYOUT.example))]
    column = 1 if rows[0][1] == "category" else 0
    for number, (row, name) in enumerate(zip(rows[1:], names * 9, strict=False)):
        row[column] = f"{name}{number // 5 if column == 0 else ''}"
    if column == 0:
        rows[0][1:3] = names[0], names[4]
    else:
        rows = [rows[0], *({(row[0], row[1]): row for row in rows[1:]}.values())]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    said, details, picture = client.predict(text.getvalue(), None, *options(app)[:-1], 0, api_name="/compute")
    assert said.startswith("<h2>") and "Cannot" not in said
    assert "<img" not in said and "\u202e" not in said
    cells = [str(one) for row in details["value"]["data"] for one in row]
    assert not [one for one in cells if one.startswith("=") or "\u202e" in one]
    drawn = base64.b64decode(picture["value"].partition("base64,")[2].partition('"')[0]).decode()
    assert "evil.example" not in re.sub(r"<!--.*?-->", "", drawn) or "<image" not in drawn
    assert hosts == {"127.0.0.1"}


@dataclass
class Running:
    """A page that runs by itself."""

    url: str
    process: subprocess.Popen[bytes]
    uploads: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A page as `python app.py` starts it."""
    env = os.environ | {"GRADIO_SERVER_PORT": str(port := free_port())}
    env.pop("GRADIO_SERVER_NAME", None)
    env["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("uploads"))
    with subprocess.Popen([sys.executable, "app.py"], cwd=METRICS / "weighted_kappa", env=env) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(patience.ANSWER * 5):
            try:
                urllib.request.urlopen(url, timeout=patience.ANSWER).close()
                break
            except OSError:
                assert process.poll() is None, "app.py ended"
                time.sleep(0.2)
        else:
            process.terminate()
            pytest.fail(f"app.py did not answer within {patience.ANSWER} s")
        yield Running(url, process, Path(env["GRADIO_TEMP_DIR"]))
        process.terminate()


def test_a_person_sees_the_result_in_a_browser(running: Running) -> None:
    """Chromium at the width of a desk and of a phone: paste, compute, see; then an error in its place."""
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        strangers, errors = watch_requests(tab, running.url), []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.set_default_timeout(patience.ANSWER * 1000)
        tab.goto(running.url)
        tab.get_by_role("heading", name="Weighted kappa = 0.898").wait_for()  # the example's, before any click
        tab.get_by_label("Ratings table (CSV)").fill("item,Ann,Bo\na,1,1\nb,2,2\nc,4,3\nd,0,0")
        tab.get_by_role("button", name="Compute").click()
        tab.get_by_role("heading", name="Weighted kappa = 0.929").wait_for()
        picture = tab.get_by_role("img", name="Chart: Weighted kappa = 0.929")
        picture.wait_for()
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
        assert tab.get_by_text("95 % interval").is_visible()
        tab.set_viewport_size({"width": 390, "height": 844})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390  # nothing sticks out on a phone
        tab.get_by_label("Ratings table (CSV)").fill("item,Ann\na,3")
        tab.get_by_role("button", name="Compute").click()
        tab.get_by_role("heading", name="Cannot compute").wait_for()
        assert "at least two raters" in tab.inner_text("body")
        picture.wait_for(state="hidden")
        assert strangers == [] and errors == []


def test_a_program_finds_the_endpoint_over_mcp(running: Running) -> None:
    (tool,) = httpx.get(f"{running.url}/gradio_api/mcp/schema", timeout=patience.ANSWER).json()
    assert tool["name"].endswith("evaluate") and tool["description"].startswith("Compute this metric")
    assert set(tool["inputSchema"]["properties"]) == {"table", "options"}
    assert all(one["description"] for one in tool["inputSchema"]["properties"].values())


def test_nothing_is_left_of_a_page_that_is_killed(running: Running, pages: dict[str, ModuleType]) -> None:
    """Neither the processes that compute nor what visitors sent, also what they never used."""
    sent = {"files": ("t.csv", b"item,rater,rating", "text/csv")}
    (path,) = httpx.post(f"{running.url}/gradio_api/upload", files=sent, timeout=patience.ANSWER).json()
    assert Path(path).is_relative_to(running.uploads) and Path(path).is_file()
    processes = psutil.Process(running.process.pid).children(recursive=True)
    assert len(processes) >= 2
    running.process.kill()
    running.process.wait()
    assert psutil.wait_procs(processes, timeout=patience.ANSWER)[1] == []
    pages["temporary"].remove_abandoned(running.uploads, pages["page"].PREFIX)  # as the next page does
    assert [path for path in running.uploads.rglob("*") if path.is_file()] == []


def test_names_cannot_leave_the_text_of_the_picture(pages: dict[str, ModuleType]) -> None:
    page = pages["page_result"]
    drawn = page.image(page.bars(["<b>"], [float("nan")], label="x"), 'a" onload="alert(1)')
    assert drawn.startswith('<img alt="a&quot; onload=&quot;alert(1)" ')
