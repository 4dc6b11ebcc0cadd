"""The Space in a browser, as visitors walk through it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from gradio_client import handle_file
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import chromium, faults, watch_requests
from tests.spaces.answers import figures
from tests.spaces.odd_files import encoded, face

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = {
    "light": ("light", WIDE),
    "dark-phone": ("dark", PHONE),
    "dark": ("dark", WIDE),
}
SLOW = 40_000  # ms until something must have happened


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake webcam sees: a drawn face."""
    path = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    path.write_bytes(encoded(face("anger").resize((640, 640)).crop((0, 80, 640, 560)), "JPEG") * 20)
    return path


@pytest.fixture(scope="module")
def browser(camera: Path) -> Iterator[Browser]:
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with chromium(*fake, f"--use-file-for-fake-video-capture={camera}") as opened:
        yield opened


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport=WIDE, permissions=["camera"])
    opened.set_default_timeout(SLOW)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, space) -> Iterator[Page]:
    """The Space, freshly opened; no request may go elsewhere, and nothing may fail in the page."""
    opened = context.new_page()
    strangers, errors = watch_requests(opened, space.url), []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(space.url)
    opened.wait_for_selector("table.bars")  # an example's result is there at once
    yield opened
    assert strangers == [] and errors == []


def send(page: Page, *files: str | Path) -> None:
    page.set_input_files("#image input[type=file]", files[0])


def scored(page: Page, title: str) -> None:
    """Wait until the page shows the result of this picture."""
    page.wait_for_selector(f".overview[data-title='{title}']")


def example_scored(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    scored(page, f"Example: {name}")


def bars(page: Page) -> list[tuple[str, str, float]]:
    """Name, number and length of every bar that is shown."""
    rows = page.locator("section.face table.bars tbody tr:visible")
    return rows.evaluate_all(
        """rows => rows.filter(row => row.querySelector("b")).map(row => [
            row.querySelector("th").firstChild.textContent, row.querySelector("td.number").textContent,
            row.querySelector("b").getBoundingClientRect().width])"""
    )


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
    page.set_input_files("input[type=file][accept*='.mp4']", file)  # type: ignore[arg-type]
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
    send(page, {"name": "broken.png", "mimeType": "image/png", "buffer": b"broken"})  # type: ignore[arg-type]
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
