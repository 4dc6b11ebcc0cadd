"""Fixtures of the tests of card."""

from pathlib import Path

import pytest

from tests.dataset.card.inputs import REPOS


@pytest.fixture(params=REPOS)
def repo(request: pytest.FixtureRequest, release: Path) -> Path:
    return release / request.param


@pytest.fixture
def emonet(release: Path) -> Path:
    return release / "emonet-face"


@pytest.fixture
def chehre(release: Path) -> Path:
    return release / "chehre"
