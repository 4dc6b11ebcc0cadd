"""The distribution, videos, bad files, keys and assistive technology on the page."""

import csv
import re
from pathlib import Path

import av
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import faults
from tests.spaces.odd_files import encoded, face
from tests.spaces.page.inputs import PHONE, SLOW, WIDE, bars, example_scored, scored, send

LOOKS = {
    "light": ("light", WIDE),
    "dark-phone": ("dark", PHONE),
    "dark": ("dark", WIDE),
}


def test_distribution(page: Page) -> None:
    example_scored(page, "Sadness")
    page.get_by_role("tab", name="Distribution").click()
    page.wait_for_selector(".strip:visible")
    strip = page.locator(".strip span").evaluate_all("all => all.map(one => parseFloat(one.style.width))")
    assert sum(strip) == pytest.approx(100, abs=0.01) and strip == sorted(strip, reverse=True)
    clipped = bars(page)
    page.get_by_label("Softmax").check()
    page.wait_for_function(
        """before => [...document.querySelectorAll('table.bars td.number')].filter(one => one.checkVisibility())[0]
        .textContent !== before""",
        arg=clipped[0][1],
    )
    assert float(bars(page)[0][1].rstrip(" %")) > float(clipped[0][1].rstrip(" %"))


def test_video_gives_a_timeline_the_frame_and_a_table(page: Page, example, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Video").click()
    expect(page.get_by_text(re.compile("up to 20 seconds and 50 MB"))).to_be_visible()
    page.set_input_files("input[type=file][accept*='.mp4']", example("video.mp4"))
    page.wait_for_selector("section[aria-label^='Frame at']")
    page.wait_for_selector("canvas, .vega-embed svg")
    expect(page.get_by_text("12 frames, one every 0.5 s")).to_be_visible()
    before = page.locator("section[aria-label^='Frame at'] img").get_attribute("src")
    slider = page.locator("input[type=range]:visible")
    slider.fill("4")
    expect(page.get_by_role("heading", name="At 4.00 s")).to_be_visible()
    assert page.locator("section[aria-label^='Frame at'] img").get_attribute("src") != before
    page.get_by_role("button", name="The chart as a table").click()
    page.wait_for_selector("table.times")
    table = page.locator("table.times tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    )
    lines = page.locator("ul[aria-label='Lines of the chart'] li").evaluate_all(
        "all => all.map(one => [one.textContent, one.querySelector('.dot').style.background])"
    )
    painted = page.locator("section[aria-label^='Frame at'] tbody tr").evaluate_all(
        """rows => rows.map(row =>
            [row.querySelector("th").firstChild.textContent, row.querySelector("b").style.background])"""
    )
    common = {name for name, _ in lines} & {name for name, _ in painted}
    assert common and {n: c for n, c in lines if n in common} == {n: c for n, c in painted if n in common}
    assert not {colour for name, colour in painted if name not in common} & {colour for _, colour in lines}
    with page.expect_download() as waited:
        page.get_by_role("link", name="Annotated video").click()
    with av.open(waited.value.path()) as film:
        pictures = [frame.to_image() for frame in film.decode(video=0)]
    assert len(pictures) == 12
    with page.expect_download() as waited:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(Path(waited.value.path()).open(encoding="utf-8")))
    names = page.locator("table.times thead th").all_text_contents()[1:]
    scores = {(float(row["seconds"]), row["emotion"]): float(row["above_neutral"]) for row in rows}
    assert len(rows) == 12 * 40 and len(table) == 12 and len(names) == 4
    assert [[f"{scores[float(row[0]), name]:.2f}" for name in names] for row in table] == [row[1:] for row in table]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("broken.png", b"\x89PNG\r\n", "not a picture that can be read here"),
        ("cut.jpg", encoded(face(), "JPEG")[:3000], "damaged and does not decode"),
        ("large.jpg", b"\0" * 11_000_000, "up to 10 MB are taken"),
    ],
)
def test_a_bad_picture_is_refused_on_the_page_and_the_next_one_scored(
    name: str, data: bytes, said: str, page: Page, example, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    send(page, tmp_path / name)
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    send(page, example("anger.jpg"))
    scored(page, "Your picture")
    expect(page.get_by_text("One face was found.")).to_be_visible()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"no video at all", "not a video that can be read here"), (b"\0\0\0\x20ftypisom" + b"\0" * 64, "damaged")],
)
def test_a_bad_video_is_refused_on_the_page(data: bytes, said: str, page: Page) -> None:
    page.get_by_role("tab", name="Video").click()
    file = {"name": "clip.mp4", "mimeType": "video/mp4", "buffer": data}
    page.set_input_files("input[type=file][accept*='.mp4']", file)
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()


def test_keys_alone_lead_to_scores(page: Page) -> None:
    """Tab to an example, Enter; then along the tabs of the results with the arrow keys' twin, Tab."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Anger":
            break
    page.keyboard.press("Enter")
    scored(page, "Example: Anger")
    page.get_by_role("tab", name="Distribution").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".strip:visible")


@pytest.mark.parametrize(("scheme", "size"), LOOKS.values(), ids=list(LOOKS))
def test_no_serious_fault_for_assistive_technology_and_no_sideways_scrolling(
    scheme: str, size: dict, browser: Browser, space
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport=size)
    page.set_default_timeout(SLOW)
    page.goto(space.url)

    def look() -> None:
        page.wait_for_timeout(250)  # colours fade in
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.wait_for_selector("#image")
    assert page.evaluate("document.documentElement.lang") == "en"
    example_scored(page, "Three faces")
    look()
    page.get_by_role("tab", name="Distribution").click()
    page.wait_for_selector(".strip:visible")
    look()
    send(page, {"name": "broken.png", "mimeType": "image/png", "buffer": b"broken"})
    page.get_by_role("alert").wait_for()
    look()
    page.get_by_role("tab", name="Camera").click()
    look()
    page.get_by_role("tab", name="What the scores are").click()
    look()
    page.get_by_role("tab", name="Video").click()
    page.locator("#video-example").click()
    page.wait_for_selector("section[aria-label^='Frame at']")
    page.get_by_role("button", name="The chart as a table").click()
    page.wait_for_selector("table.times")
    look()
    page.close()
