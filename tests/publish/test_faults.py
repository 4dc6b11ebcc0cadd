"""A seeded sample of `make test-faults`: one scenario of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.__main__ import open_sandbox
from tests.faults.scenario import KINDS, Sandbox, run_scenario


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with open_sandbox(tmp_path_factory.mktemp("sandbox") / "hub") as sandbox:
        yield sandbox


@pytest.mark.parametrize("seed", range(len(KINDS)), ids=KINDS)
def test_a_fault_and_a_rerun(seed: int, sandbox: Sandbox, tmp_path: Path) -> None:
    outcome = run_scenario(sandbox, seed, tmp_path)
    assert outcome.violations == [], f"{outcome.first}\n{outcome.second}"
