"""Fixtures of the tests of page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium, watch_requests
from tests.spaces.odd_files import encoded, face
from tests.spaces.page.inputs import SLOW, WIDE


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
