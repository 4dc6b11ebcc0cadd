"""Inputs and helpers of the tests of page."""

from pathlib import Path

from playwright.sync_api import Page

from tests import patience

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


SLOW = 1000 * patience.ANSWER  # ms until something must have happened


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
