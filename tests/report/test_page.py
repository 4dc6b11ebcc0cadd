"""The page in a browser: no request, no serious fault, sorts, opens, fits a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from emohub.report.item import Settings
from emohub.report.run import report
from tests.browser import chromium, faults, watch_requests
from tests.once import once

FEW = Settings(bootstrap=30)


@pytest.fixture(scope="module")
def address(release: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the demo's EmoNet-Face."""
    made = once(tmp_path_factory, "demo-report", lambda out: report(str(release / "emonet-face"), out, settings=FEW))
    return (made / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(params=[(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")], ids=str)
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    strangers = watch_requests(opened, address)
    opened.goto(address)
    yield opened
    assert strangers == []
    context.close()


def test_it_is_accessible_and_fits(page: Page) -> None:
    assert faults(page) == []
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("img").count() >= 8
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0 && one.alt)")


def test_a_heading_sorts_its_table_and_gaps_stay_last(page: Page) -> None:
    table = page.locator("section", has_text="Table 6 ·").locator("table")
    head = table.get_by_role("columnheader", name="Mean κ_w")

    rows = "table => [...table.tBodies[0].rows].map(row => row.cells[1].dataset.key ?? null)"

    def keys() -> list[float | None]:
        return [None if key is None else float(key) for key in table.evaluate(rows)]

    for direction in ("descending", "ascending"):
        head.get_by_role("button").press("Enter")
        assert head.get_attribute("aria-sort") == direction
        numbers = [key for key in keys() if key is not None]
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert keys()[: len(numbers)] == numbers


def test_hidden_rows_open(page: Page) -> None:
    section = page.locator("section", has=page.get_by_role("heading", name="Figure 10"))
    rows = section.locator("tbody tr:visible")
    before = rows.count()
    section.get_by_role("button", name="Show all").click()
    assert before == 20 < rows.count() and section.get_by_role("button", name="Show all").count() == 0
