"""The five pages as a user has them: served on this machine, given long, wide and bad tables, one in a browser."""

import base64
import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from gradio_client import Client, handle_file

from tests.browser import chromium, watch_requests

METRICS = Path(__file__).parents[2] / "metrics"
NAMES = sorted(path.parent.name for path in METRICS.glob("*/app.py"))
VALUE = {
    "dominant_expression": "Top-1 (split) = 0.625",
    "krippendorff_alpha": "Krippendorff's α = 0.815",  # as published, see the card
    "rating_correlation": "Mean Spearman's ρ = 0.887",
    "spread_ratio": "Spread Ratio = 0.488",
    "weighted_kappa": "Weighted kappa = 0.898",
}


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return load(METRICS / "_shared" / "page.py", "page")


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
        app = load(METRICS / request.param / "app.py", f"app_of_{request.param}")
        _, url, _ = app.PAGE.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False)
        yield app, Client(url, verbose=False, analytics_enabled=False), hosts
        app.PAGE.close()


def options(app: ModuleType) -> list[Any]:
    """The values of the page's options, as it starts."""
    return [block.value for block in app.PAGE.fns[0].inputs[2:]]


def test_long_and_wide_tables_give_value_interval_and_picture(served, page: ModuleType, tmp_path: Path) -> None:
    app, client, hosts = served
    long = tmp_path / "long.csv"
    page.read_table(app.EXAMPLE, None).to_csv(long, index=False)
    wide = client.predict(app.EXAMPLE, None, *options(app), api_name="/compute")
    assert client.predict("", handle_file(long), *options(app), api_name="/compute")[:2] == wide[:2]
    said, details, picture = wide
    expected = VALUE[app.__name__.removeprefix("app_of_")]
    assert said.startswith(f"## {expected}\n\n**95 % interval** ")
    value, low, high = (float(found) for found in re.findall(r"\d\.\d{3}", said)[:3])
    assert low <= value <= high
    assert details["visible"] and len(details["value"]["data"])
    alt, data = re.fullmatch(
        r'<img alt="(.*)" style=".*" src="data:image/svg\+xml;base64,(.*)">', picture["value"]
    ).groups()  # type: ignore[union-attr]
    assert alt.startswith("Chart: ") and "<svg" in base64.b64decode(data).decode()
    assert hosts == {"127.0.0.1"}, "nothing is asked of another host"
    assert not app.PAGE.analytics_enabled


def test_bad_files_and_options_are_said_not_traced(served, tmp_path: Path) -> None:
    app, client, _ = served
    for number, (content, message) in enumerate(
        {
            b"item,rater,rating\nface 1,Ann,high": "The rating of 'face 1' by 'Ann' is 'high'",
            b"item,rater,rating\nface 1,,3": "The column 'rater' is empty in 1 of 1 rows",
            b"\x89PNG\r\n\x1a\n\x00\x00": "neither long nor wide",
            b"item,category,Ann,model\nface 1,joy,inf,2": "must be finite",
            b"item,Ann,model\nface 1,,": "",
        }.items()
    ):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(content)
        said, *rest = client.predict("", handle_file(file), *options(app), api_name="/compute")
        assert said.startswith("## Cannot compute\n\n") and message in said and "Traceback" not in said
        assert not any(one["visible"] for one in rest)


@pytest.fixture(scope="module")
def process() -> Iterator[str]:
    """The address of a page that runs by itself, as `python app.py` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {"GRADIO_SERVER_PORT": str(port)}
    env.pop("GRADIO_SERVER_NAME", None)
    with subprocess.Popen([sys.executable, "app.py"], cwd=METRICS / "weighted_kappa", env=env) as running:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except urllib.error.URLError:
                assert running.poll() is None, "app.py ended"
                time.sleep(0.2)
        yield url
        running.terminate()


def test_a_person_sees_the_result_in_a_browser(process: str) -> None:
    """Chromium at the width of a desk and of a phone: paste, compute, see; then an error in its place."""
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        strangers, errors = watch_requests(tab, process), []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(process)
        assert tab.locator("img[alt^='Chart']").count() == 0  # nothing to see before the first result
        tab.get_by_label("Ratings table (CSV)").fill("item,Ann,Bo\na,1,1\nb,2,2\nc,4,3\nd,0,0")
        tab.get_by_role("button", name="Compute").click()
        tab.get_by_role("heading", name="Weighted kappa = 0.929").wait_for(timeout=20_000)
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


def test_long_and_wide_tables_are_the_same(page: ModuleType) -> None:
    long = page.read_table("item;rater;rating\na;x;1\nb;x;2.5\na;y;\nb;y;0", None)
    wide = page.read_table("face,x,y\na,1,\nb,2.5,0", None)
    assert long.astype(str).to_dict("list") == wide.astype(str).to_dict("list")
    assert wide["rating"].isna().sum() == 1


def test_samples_and_categories_in_wide_tables(page: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "table.tsv"
    file.write_text("item\tcategory\tAnn\tmodel#1\tmodel#2\na\tawe\t1\t2\t3\n")
    table = page.read_table("ignored", str(file))
    assert table[["rater", "sample", "category"]].values.tolist() == [
        ["Ann", "1", "awe"],
        ["model", "1", "awe"],
        ["model", "2", "awe"],
    ]
    mine, others = page.split_model(table, " model ")
    assert (len(mine), len(others)) == (2, 1)
    with pytest.raises(ValueError, match="The model is called 'gpt'"):
        page.split_model(table, "gpt")


@pytest.mark.parametrize(("text", "message"), [("", "There is no table"), ("item\na", "neither long nor wide")])
def test_bad_tables_are_clear_errors(page: ModuleType, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        page.read_table(text, None)


def test_files_have_a_limit(page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.csv").write_text("item,x\na,1\n")
    monkeypatch.setattr(page, "MOST_BYTES", 10)
    with pytest.raises(ValueError, match="The file has 11 bytes; this page takes 10"):
        page.read_table(None, str(tmp_path / "large.csv"))


def test_names_cannot_leave_the_text_of_the_picture(page: ModuleType) -> None:
    drawn = page.image(page.bars(["<b>"], [float("nan")], label="x"), 'a" onload="alert(1)')
    assert drawn.startswith('<img alt="a&quot; onload=&quot;alert(1)" ')
