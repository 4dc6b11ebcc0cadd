"""The page in Chromium: sort, filter, profile, compare, phone, keyboard, dark."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from gradio_client import Client
from playwright.sync_api import Browser, Locator, Page, expect

from tests import patience
from tests.browser import chromium, faults, watch_requests
from tests.spaces.leaderboard.conftest import hosted

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def url(invented: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with hosted(tmp_path_factory.mktemp("space"), invented) as space:
        yield space.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(params=[("wide", "light")])
def page(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Page]:
    """The page; at the end nothing went elsewhere and nothing failed."""
    size, scheme = request.param
    context = browser.new_context(viewport=PHONE if size == "phone" else WIDE, color_scheme=scheme)
    context.set_default_timeout(patience.ANSWER * 1000)
    expect.set_options(timeout=patience.ANSWER * 1000)
    page = context.new_page()
    troubles = watch_requests(page, url.rstrip("/"))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.goto(url)
    yield page
    context.close()
    assert troubles == []


def first_table(page: Page) -> Locator:
    return page.locator("article").first.locator("table")


def names(table: Locator) -> list[str]:
    return [one.strip() for one in table.locator("tbody tr:not([hidden]) th").all_inner_texts()]


def test_headings_sort_and_missing_values_stay_last(page: Page) -> None:
    table = first_table(page)
    best = names(table)[0]
    table.get_by_role("button", name="κ_w").click()
    values = [
        float(one.split()[0].replace("−", "-")) for one in table.locator("tbody td:nth-child(3)").all_inner_texts()
    ]
    assert values == sorted(values, reverse=True)
    table.get_by_role("button", name="κ_w").click()
    assert names(table)[-1] == best
    table.get_by_role("button", name="Place").click()
    assert table.locator("tbody tr").last.locator("td").first.inner_text() == "–"


def test_filters_leave_what_fits_and_say_how_many(page: Page) -> None:
    table = first_table(page)
    page.get_by_label("human", exact=True).uncheck()
    page.get_by_label("baseline", exact=True).uncheck()
    assert {row.get_attribute("class") for row in table.locator("tbody tr:not([hidden])").all()} == {"model", "vlm"}
    page.get_by_label("Protocol").select_option("zero-shot")
    shown = names(table)
    assert 0 < len(shown) < 30
    expect(page.get_by_role("status")).to_contain_text(f"{len(shown)} of 30 entries")
    page.get_by_label("Rater", exact=True).fill(shown[0])
    assert shown[0] in names(table) and all(shown[0] in one for one in names(table))
    page.get_by_label("Rater", exact=True).fill("")
    page.get_by_label("human", exact=True).check()
    page.get_by_label("Protocol").select_option("*")
    page.get_by_label("Coverage").select_option("1")
    assert table.locator("tbody tr.human:not([hidden])").count() == 0


def test_a_profile_has_every_emotion_and_group(page: Page) -> None:
    page.get_by_role("button", name="rater 2", exact=True).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="rater 2").first).to_be_visible()
    expect(dialog.get_by_role("heading", name="κ_w by emotion")).to_be_visible()
    assert dialog.get_by_role("row", name="Amusement").count() == 2  # κ_w and ρ
    assert dialog.get_by_role("row", name="gender: woman").count() == 2
    expect(dialog).to_contain_text("not given: nobody can compute the numbers again")
    expect(dialog).to_contain_text("revision 0123456789abcdef012")
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_two_raters_stand_side_by_side(page: Page) -> None:
    compare = page.locator("#compare")
    expect(compare).to_be_disabled()
    for name in ("rater 2", "rater 5", "rater 10"):  # the first leaves when the third comes
        first_table(page).get_by_label(f"Compare {name}", exact=True).check()
    expect(first_table(page).locator("input.pick:checked")).to_have_count(2)
    compare.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="rater 5 and rater 10")).to_be_visible()
    expect(dialog).to_contain_text("They rated different items")  # rater 10 is a person
    cells = dialog.get_by_role("row", name="Amusement").first.locator("td").all_inner_texts()
    one, other = (float(cell.split()[0].replace("−", "-")) for cell in cells[:2])
    assert float(cells[2].replace("−", "-")) == pytest.approx(one - other, abs=0.0015)


@pytest.mark.parametrize(
    "page", [("wide", "light"), ("wide", "dark"), ("phone", "light"), ("phone", "dark")], indirect=True
)
def test_it_is_accessible_and_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(page) == []


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.get_by_label("Rater", exact=True).focus()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.className || document.activeElement.name || document.activeElement.tagName"
            )
        )
    assert {"kind", "protocol", "share", "pick", "rater", "scroll"} <= {*reached}


def test_programs_get_entries_and_tables(url: str) -> None:
    entries = Client(url, verbose=False, httpx_kwargs={"timeout": patience.ANSWER}).predict(api_name="/results")
    assert len(entries) == 30 and entries[0]["format"] == "emohub-result-1"
    with urlopen(f"{url}tables/d0-hq_rho.csv", timeout=patience.ANSWER) as answer:
        assert answer.headers["content-type"].startswith("text/csv") and len(answer.read().splitlines()) == 31
