"""A seeded sample of `make test-faults`: one story of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.__main__ import world
from tests.faults.scenario import KINDS, World, play


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("stage") / "hub") as stage:
        yield stage


@pytest.mark.parametrize("seed", range(len(KINDS)), ids=KINDS)
def test_a_fault_and_a_rerun(seed: int, stage: World, tmp_path: Path) -> None:
    outcome = play(stage, seed, tmp_path)
    assert outcome.broken == [], f"{outcome.first}\n{outcome.second}"
