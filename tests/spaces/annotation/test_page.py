"""The page in Chromium, as annotators and owners use it."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from emohub.study.space import admin
from export import tables
from state import OWNER
from tests import patience
from tests.browser import chromium, faults, watch_requests
from tests.spaces.annotation.conftest import hosted, served, write_study

SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A page in a context of its own, or in a given one; at the end nothing went to other hosts or to the console."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def open_(url: str, context: BrowserContext | None = None, size: str = "wide", scheme: str = "light") -> Page:
        context = context or browser.new_context(viewport=SIZES[size], color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(patience.ANSWER * 1000)
        page = context.new_page()
        strangers = watch_requests(page, "/".join(url.split("/")[:3]))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
        page.on("close", lambda _: troubles.extend(strangers))
        page.goto(url)
        return page

    expect.set_options(timeout=patience.ANSWER * 1000)
    yield open_
    for context in dict.fromkeys(contexts):
        context.close()
    assert troubles == []


def begin(page: Page, name: str = "") -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#task, #done").locator("visible=true")).to_have_count(1)


def rows(file: Path, folder: Path) -> pd.DataFrame:
    admin("export", file, folder)
    return pd.read_parquet(folder / "ratings.parquet")


def test_ten_answers_a_reload_another_device_and_the_export(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = write_study(tmp_path / "study", "intensities", items=10, annotators=1)
    with served(file, tmp_path / "space", "emohub") as (space, _):
        page = open_page(space.url)
        begin(page, "Ada")
        for number in range(1, 6):
            expect(page.locator("#progress")).to_have_text(f"{number} of 10")
            slider = page.get_by_role("slider", name="Awe", exact=True)
            slider.focus()
            page.keyboard.press(str(number))
            page.keyboard.press("Enter")
        expect(page.locator("#progress")).to_have_text("6 of 10")
        page.get_by_role("slider", name="Fear", exact=True).focus()
        page.keyboard.press("4")
        page.reload()  # what was set and not sent is there again
        expect(page.get_by_role("slider", name="Fear", exact=True)).to_have_value("4")
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("slider", name="Awe", exact=True)).to_have_value("5")
        page.get_by_role("button", name="Save and go on").click()
        expect(page.get_by_role("slider", name="Fear", exact=True)).to_have_value("4")
        page.get_by_role("button", name="Pause").click()
        link = page.locator("#link").input_value()
        assert "#token=" in link
        other = open_page(link, size="phone", scheme="dark")
        for number in range(6, 11):
            expect(other.locator("#progress")).to_have_text(f"{number} of 10")
            other.get_by_role("button", name="Save and go on").click()
        expect(other.locator("#done-title")).to_be_visible()
        assert len(other.locator("#code").inner_text()) == 8
        assert "All 10 answers are saved" in other.locator("#done-text").inner_text()
        assert other.url.endswith("/")  # the token is in no address that is shown or logged
        assert space.log.count("token") == 0
    made = rows(file, tmp_path / "out")
    awe = made[made["category"] == "Awe"]["rating"]
    assert len(made) == 400 and sorted(awe) == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]
    assert list(made["rater"].unique()) == ["annotator-01"]
    answers = pd.read_parquet(tmp_path / "out" / "answers.parquet")
    assert [list(touched) for touched in answers["touched"]].count(["Awe"]) == 5 and (answers["seconds"] > 0).all()


def test_a_chain_of_three_annotators(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = write_study(tmp_path / "study", "yes-no-chain", items=1)
    with hosted(file) as space:
        for number, key in enumerate(("y", "y", "n"), 1):
            page = open_page(space.url)
            begin(page, f"annotator {number}")
            expect(page.get_by_role("heading", name="Does this person seem to feel")).to_be_visible()
            page.keyboard.press(key)
            if number == 1:  # the contrastive question, which is none of the chain
                expect(page.get_by_role("heading", name="Jealousy & Envy")).to_be_visible()
                page.keyboard.press("n")
            expect(page.locator("#done-title")).to_be_visible()
    made = tables(space.study, space.snapshot().answers)["ratings"]
    assert dict(zip(made["step"], made["rating"], strict=True)) == {1: 1.0, 0: 0.0, 2: 1.0, 3: 0.0}
    assert made[made["step"] > 0]["rater"].nunique() == 3


def test_a_preference_batch_by_keys(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = write_study(tmp_path / "study", "preference", items=6, annotators=1)
    with hosted(file) as space:
        page = open_page(space.url, size="phone")
        begin(page)
        for number in range(6):
            expect(page.locator("#progress")).to_have_text(f"{number + 1} of 6")
            page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
        expect(page.locator("#done-title")).to_be_visible()
        assert faults(page) == []
    made = tables(space.study, space.snapshot().answers)["preferences"]
    assert sorted(made["side"]) == ["left"] * 3 + ["right"] * 3
    assert set(made["preferred"]) <= {"human", "a model"}


def test_a_video(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = write_study(tmp_path / "study", "video-labels", items=1, annotators=1)
    with hosted(file) as space:
        page = open_page(space.url)
        begin(page)
        assert page.locator("video").evaluate("async v => { await v.play(); return v.videoWidth }") > 0
        expect(page.locator(".shown")).to_have_count(0)
        page.get_by_role("slider", name="Annoyed").focus()
        page.keyboard.press("3")
        page.get_by_role("button", name="Save and go on").click()
        expect(page.locator("#state")).to_have_text("Please answer: Which fits best?")
        page.get_by_role("group", name="Which fits best?").get_by_label("Annoyed").check()
        page.get_by_role("group", name="Which fits second best?").get_by_label("Annoyed").check()
        page.get_by_label("The video jitters").check()
        page.get_by_role("button", name="Save and go on").click()
        expect(page.locator("#state")).to_contain_text("second must be another label than first")
        page.get_by_role("group", name="Which fits second best?").get_by_label("None").check()
        page.get_by_label("The video jitters").check()
        page.get_by_role("group", name="Which fits best?").get_by_label("Annoyed").check()
        page.get_by_role("button", name="Save and go on").click()
        expect(page.locator("#done-title")).to_be_visible()
        second = open_page(space.url)
        begin(second)
        expect(second.locator(".shown")).to_have_text("😒")
        second.get_by_role("slider").press("2")
        second.keyboard.press("Enter")
        expect(second.locator("#done-title")).to_be_visible()
    ranks = tables(space.study, space.snapshot().answers)["rankings"].iloc[0]
    assert (ranks["rank1"], ranks["rank2"], ranks["jitter"]) == ("Annoyed", "None", True)
    match = tables(space.study, space.snapshot().answers)["emoji_ratings"].iloc[0]
    assert (match["category"], match["rating"]) == ("unamused face", 2.0)


def test_a_server_that_dies_loses_no_answer(open_page: Callable[..., Page], tmp_path: Path) -> None:
    """The answer stays in the browser, is sent when the server is back, and the page says so meanwhile."""
    file = write_study(tmp_path / "study", "intensities", items=3, annotators=1)
    with served(file, tmp_path / "first") as (space, process):
        page = open_page(space.url)
        begin(page)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        page.get_by_role("slider", name="Awe", exact=True).press("6")
        page.keyboard.press("Enter")
        expect(page.locator("#state")).to_contain_text("Not saved yet")
        port = space.url.rsplit(":", 1)[1].strip("/")
    with served(file, tmp_path / "second", port=int(port)):
        expect(page.locator("#progress")).to_have_text("2 of 3")
    made = rows(file, tmp_path / "out")
    assert made[made["category"] == "Awe"]["rating"].to_list() == [6.0]


def test_what_an_earlier_annotator_did_not_get_through_is_sent(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = write_study(tmp_path / "study", "yes-no-chain", items=3)
    with hosted(file) as space:
        page = open_page(space.url)
        begin(page, "first")
        page.route("**/api/answer", lambda route: route.abort())
        page.keyboard.press("y")
        expect(page.locator("#state")).to_contain_text("Not saved yet")
        other = open_page(f"{space.url}#token={space.join('name|second')}", context=page.context)
        expect(other.locator("#progress")).to_have_text("1 of 6")
        (given,) = space.snapshot().answers
        assert given.annotator == "annotator-01" and given.answer == {"vote": "yes"}


def test_two_tabs_are_harmless(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = write_study(tmp_path / "study", "yes-no-chain", items=3)
    with hosted(file) as space:
        page = open_page(space.url)
        begin(page)
        tab = open_page(space.url, context=page.context)
        expect(tab.locator("#task")).to_be_visible()
        page.get_by_role("button", name="Yes").dblclick()
        expect(page.locator("#progress")).not_to_have_text("1 of 6")
        tab.keyboard.press("n")
        expect(tab.locator("#state")).to_contain_text("that answer counts")
    made = tables(space.study, space.snapshot().answers)["ratings"]
    assert not made.duplicated(["item", "step"]).any() and made["rating"].iloc[0] == 1.0


def test_consent_demographics_training_and_the_code(open_page: Callable[..., Page], tmp_path: Path) -> None:
    lines = [{"item": "t", "role": "training", "expected": {"vote": "no"}, "target": "Awe", "contrastive": "Fear"}]
    lines += [{"item": "i", "target": "Awe", "contrastive": "Fear"}]
    about = {"consent": "First.\n\nSecond.", "demographics": {"Age": ["18–29", "30 or more"]}}
    code = {"completion_code": "C0DE", "completion_url": "https://app.prolific.com/submissions/complete?cc={code}"}
    file = write_study(tmp_path / "study", "yes-no-chain", lines=lines, **about, **code)
    with hosted(file) as space:
        page = open_page(f"{space.url}?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=x", size="phone")
        expect(page.get_by_label("Your name")).to_have_count(0)
        assert faults(page) == []
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("#welcome")).to_be_visible()  # the browser asks for the tick
        page.get_by_label("I have read this").check()
        page.get_by_label("Age").select_option("18–29")
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("#task")).to_be_visible()
        page.get_by_role("button", name="Instructions").click()
        expect(page.get_by_role("dialog")).to_contain_text("y is yes, n is no")
        page.keyboard.press("y")  # behind the dialog nothing is answered
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("y")
        expect(page.locator("#training")).to_contain_text("no")
        assert faults(page) == []
        page.get_by_role("button", name="Go on").click()
        page.keyboard.press("y")
        expect(page.locator("#progress")).to_have_text("2 of 2")
        expect(page.locator("#code")).to_have_text("")
        page.keyboard.press("n")
        expect(page.locator("#code")).to_have_text("C0DE")
        link = page.get_by_role("link", name="Back to where you came from")
        assert link.get_attribute("href").endswith("complete?cc=C0DE")
    answers = tables(space.study, space.snapshot().answers)["answers"]
    assert answers["role"].to_list() == ["training", "item", "item"]
    assert "p1" not in json.dumps(answers.to_dict("list"), default=str)


def test_the_owners_page(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = write_study(tmp_path / "study", "yes-no-chain", items=12)
    bad = "<b onmouseover=alert(1)>'); DROP TABLE events;--"
    with hosted(file) as space:
        token = space.add_link(OWNER)
        page = open_page(space.url)
        begin(page, bad)
        for number in range(12):
            expect(page.locator("#progress")).to_have_text(f"{number + 1} of 24")
            page.keyboard.press("y")
        for size in SIZES:
            for scheme in ("light", "dark"):
                owner = open_page(f"{space.url}owner#token={token}", size=size, scheme=scheme)
                expect(owner.get_by_role("row", name="annotator-01")).to_contain_text("12")
                assert faults(owner) == [] and owner.url.endswith("/owner")
        owner.get_by_text("Every item, fewest answers first").click()
        expect(owner.get_by_role("row", name="item 3 1 0 0 0")).to_be_visible()
        assert faults(owner) == []
        row = owner.get_by_role("row", name="annotator-01")
        expect(row).to_contain_text(bad)
        expect(row).to_contain_text("constant")
        owner.once("dialog", lambda dialog: dialog.accept())
        row.get_by_role("button", name="Delete the data of annotator-01").click()
        expect(owner.locator("#state")).to_have_text("annotator-01: 12 answers are deleted.")
        expect(owner.locator("#deleted")).to_contain_text("1 annotators")
        stranger = open_page(f"{space.url}owner")
        expect(stranger.locator("#state")).to_contain_text("open the owner's link")
    assert tables(space.study, space.snapshot().answers) == {}


@pytest.mark.parametrize("kind", ["intensities", "yes-no-chain", "preference", "video-labels", "screening"])
def test_every_screen_is_accessible(open_page: Callable[..., Page], tmp_path: Path, kind: str) -> None:
    file = write_study(tmp_path / "study", kind, items=4)
    shots = Path(os.environ.get("SHOTS") or tmp_path)
    with hosted(file) as space:
        for size in SIZES:
            for scheme in ("light", "dark"):
                page: Any = open_page(space.url, size=size, scheme=scheme)
                expect(page.locator("#welcome")).to_be_visible()
                assert faults(page) == []
                begin(page)
                assert faults(page) == []
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                page.screenshot(path=shots / f"{kind}-{size}-{scheme}.png")
