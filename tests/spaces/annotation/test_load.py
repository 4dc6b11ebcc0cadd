"""A small run of `load.py`; `make test-study` plays twenty annotators for two minutes."""

from pathlib import Path

from tests.spaces.annotation.load import play


def test_a_jumping_clock_a_full_disk_a_killed_server_and_no_answer_lost(tmp_path: Path) -> None:
    found = play(tmp_path, 6, lambda answers: answers < 120, lambda answers: answers >= 30, items=60)
    assert found["wrong"] == [] and found["answers"] >= 100 and found["before the kill"] >= 30
    assert found["refused on a full disk"] > 0
