"""A sample of `python -m tests.rate.kills`."""

from pathlib import Path

import pytest

from tests.rate.kills import kill_and_compare, learn_pictures


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_is_killed_equals_a_quiet_one(seed: int, hq: str, tmp_path: Path) -> None:
    learn_pictures(hq)
    found = kill_and_compare(hq, tmp_path, seed)
    assert found.repeated == [] and found.differences == []
