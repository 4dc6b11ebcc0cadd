"""The Space in a browser, as visitors walk through it."""

import csv
import io
import json
from pathlib import Path

import pytest
from gradio_client import handle_file
from playwright.sync_api import Browser, Page, expect

from tests.spaces.answers import figures
from tests.spaces.page.inputs import PHONE, SLOW, bars, example_scored, scored, send


def test_bars_change_with_the_face_and_are_ranked(page: Page, example) -> None:
    seen = []
    for name in ("elation.jpg", "anger.jpg"):
        send(page, example(name))
        scored(page, "Your picture")
        if seen:
            page.wait_for_function(
                "before => document.querySelector('table.bars td.number').textContent !== before", arg=seen[0][0][1]
            )
        seen.append(bars(page))
    assert seen[0] != seen[1] and all(len(shown) == 10 for shown in seen)
    for shown in seen:
        numbers = [float(number) for _, number, _ in shown]
        assert numbers == sorted(numbers, reverse=True)
        assert [length for *_, length in shown] == sorted((length for *_, length in shown), reverse=True)
    expect(page.get_by_text("One face was found.")).to_be_visible()


def test_choices_change_what_is_shown(page: Page) -> None:
    example_scored(page, "Anger")
    neutral = dict((name, float(number)) for name, number, _ in bars(page))
    page.get_by_label("Raw").check()
    expect(page.locator("table.bars caption").first).to_contain_text("raw")
    raw = dict((name, float(number)) for name, number, _ in bars(page))
    assert raw == pytest.approx({name: score + 1 for name, score in neutral.items()}, abs=0.011)
    page.get_by_label("By group").check()
    expect(page.locator("tr.group").first).to_be_visible()
    page.get_by_label("number input for Emotions").fill("3")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('table.bars td.number').length === 3")
    page.get_by_label("number input for Threshold").fill("7")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No emotion reaches the threshold")).to_be_visible()


def test_several_faces_have_a_panel_each(page: Page) -> None:
    example_scored(page, "Three faces")
    expect(page.locator("section.face")).to_have_count(3)
    expect(page.get_by_role("heading", name="Face 3 of 3")).to_be_visible()


def test_without_a_face_the_whole_picture_is_offered(page: Page, example) -> None:
    send(page, example("landscape.jpg"))
    expect(page.get_by_text("No face was found in the picture")).to_be_visible()
    page.get_by_role("button", name="Score the whole picture").click()
    expect(page.get_by_role("heading", name="Whole picture")).to_be_visible()
    assert len(bars(page)) == 10


def test_webcam(page: Page, space) -> None:
    page.locator("#image").get_by_label("Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.locator("#image video").wait_for()
    page.wait_for_function("document.querySelector('#image video').videoWidth > 0")
    page.locator("#image button[aria-label='capture photo']").click()
    expect(page.get_by_text("One face was found.")).to_be_visible()
    scored(page, "Your picture")
    assert len(bars(page)) == 10 and "image.png" not in space.uploads()


def test_downloads_have_the_same_numbers_as_the_page_and_the_api(page: Page, space, connect, example) -> None:
    send(page, example("surprise.jpg"))
    scored(page, "Your picture")
    files = {}
    for kind in ("JSON", "CSV"):
        with page.expect_download() as waited:
            page.get_by_role("link", name=kind).click()
        files[waited.value.suggested_filename] = Path(waited.value.path()).read_text(encoding="utf-8")
    record = json.loads(files["scores.json"])
    rows = list(csv.DictReader(io.StringIO(files["scores.csv"])))
    answer = connect(space.url).predict(handle_file(example("surprise.jpg")), api_name="/predict")
    assert figures(record) == pytest.approx(figures(answer), abs=1e-4)
    (only,) = record["faces"]
    assert [(row["emotion"], float(row["above_neutral"])) for row in rows] == [
        (row["emotion"], row["above_neutral"]) for row in only["scores"]
    ]
    scores = {row["emotion"]: row["above_neutral"] for row in only["scores"]}
    assert [(name, f"{scores[name]:.2f}") for name, *_ in bars(page)] == [(name, text) for name, text, _ in bars(page)]


def test_an_example_is_scored_at_the_first_look(page: Page, space, connect, example) -> None:
    expect(page.get_by_text("Example: Elation. One face was found.")).to_be_visible()
    answer = connect(space.url).predict(handle_file(example("elation.jpg")), api_name="/predict")
    (face,) = answer["faces"]
    scores = sorted((row["above_neutral"] for row in face["scores"]), reverse=True)
    assert [float(number) for _, number, _ in bars(page)] == pytest.approx(scores[:10], abs=0.006)
    page.get_by_label("By group").check()  # choices work on it too
    expect(page.locator("tr.group").first).to_be_visible()


def test_the_camera_is_scored_live(page: Page, space) -> None:
    page.get_by_role("tab", name="Camera").click()
    page.locator("#camera").get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#camera video')?.videoWidth > 0")
    page.locator("#camera button[aria-label='capture photo'], #camera button[aria-label='start recording']").click()
    face = page.get_by_role("region", name="The face that the camera sees")
    expect(face.locator("table.bars tbody tr")).to_have_count(8)
    page.locator("#camera").get_by_text("Stop").click()


NARROW = "() => [...document.querySelectorAll('table.bars th, .legend li, button, label')]"


BROKEN = (
    NARROW
    + """.filter(one => one.checkVisibility()).flatMap(one => {
    const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT), broken = [];
    while (walker.nextNode()) for (const found of walker.currentNode.data.matchAll(/[^\\s\\/-]+/g)) {
        const range = document.createRange();
        range.setStart(walker.currentNode, found.index);
        range.setEnd(walker.currentNode, found.index + found[0].length);
        const boxes = [...range.getClientRects()].filter(box => box.width > 1);
        const lines = new Set(boxes.map(box => Math.round(box.top)));
        if (lines.size > 1) broken.push(found[0]);
    }
    return broken;
})"""
)


def test_on_a_phone_the_result_comes_into_view_and_no_word_is_broken(browser: Browser, space) -> None:
    page = browser.new_page(viewport=PHONE)
    page.set_default_timeout(SLOW)
    page.goto(space.url)
    page.wait_for_selector("table.bars")
    assert page.evaluate("window.scrollY") == 0
    example_scored(page, "Three faces")
    page.wait_for_function(
        "() => { const top = document.querySelector('.overview').getBoundingClientRect().top;"
        " return top >= -5 && top < innerHeight / 2; }"
    )
    page.get_by_label("number input for Emotions").first.fill("40")  # nearly every name
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('table.bars tbody tr').length > 90")
    assert page.evaluate(BROKEN) == []
    page.close()
