"""Pages in a real browser: Debian's Chromium through Playwright, and axe-core (npm) for accessibility."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser; skips the test where there is none.

    While it is open, this thread cannot run `asyncio.run`: close it at the end of a module.
    """
    command = next((found for name in NAMES if (found := shutil.which(name))), None)
    if command is None:
        pytest.skip("no Chromium: `make browser` installs it (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=command, args=[*QUIET, *arguments])
        try:
            yield browser
        finally:
            browser.close()


def watch_requests(page: Page, home: str) -> list[str]:
    """The list that will hold every request of a page to anywhere but `home`."""
    strangers: list[str] = []
    own = (home, home.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else strangers.append(request.url))
    return strangers


def faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical on the page as it is now; skips where axe-core is not installed."""
    if not AXE.is_file():
        pytest.skip(f"{AXE} is missing: `make browser` installs it (npm ci)")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run(document)).violations")
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]
