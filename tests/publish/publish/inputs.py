"""Inputs and helpers of the tests of publish."""

from collections.abc import Callable

from tests.faults.tiny import ORG

FACES, NET, AGREE, PAGE = (f"{kind}/{ORG}/{name}" for kind, name in (
    ("datasets", "faces"), ("models", "net"), ("spaces", "agree"), ("spaces", "page"),
))  # fmt: skip


Sent = Callable[[], list[tuple[str, str, str | None]]]
