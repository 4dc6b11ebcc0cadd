"""What every test has at hand."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real upstream data beside the checkout; a user's checkout has none."""
    if not SHARED.is_dir():
        pytest.skip(f"real upstream data is not at {SHARED}")
    return SHARED
