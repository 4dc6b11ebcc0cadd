"""A seeded sample of `make test-faults`: one scenario of each kind, on both Hubs in turn."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.__main__ import open_sandboxes
from tests.faults.scenario import KINDS, Sandbox, run_scenario


@pytest.fixture(scope="module")
def choose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Sandbox]]:
    with open_sandboxes(tmp_path_factory.mktemp("hubs")) as choose:
        yield choose


# Seeds that once found a fault of the kit, each with what went wrong.
FOUND = {"access that ends after the repo was created": 5787}


@pytest.mark.parametrize("seed", [*range(len(KINDS)), *FOUND.values()], ids=[*KINDS, *FOUND])
def test_a_fault_and_a_rerun(seed: int, choose: Callable[[int], Sandbox], tmp_path: Path) -> None:
    outcome = run_scenario(choose(seed), seed, tmp_path)
    assert outcome.violations == [], f"{outcome.first}\n{outcome.second}"
