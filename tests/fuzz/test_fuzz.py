"""A sample of the damaged files, and that the harness notices what goes wrong; `make test-fuzz` reads thousands."""

import random

import pytest

from tests.fuzz.mutate import MUTATIONS, mutated
from tests.fuzz.run import run


@pytest.mark.parametrize("name", ["jpeg", "mp4", "pth", "tar"])
def test_a_sample(name: str) -> None:
    assert run(name, seed=1, count=8) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("raising", "not a clear error"),
        ("ending", "the process ended with status 3"),
        ("growing", "MemoryError"),
        ("hanging", "Timeout"),
        ("turning", "in act"),
    ],
)
def test_the_harness_notices(name: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUZZ_CPU_SECONDS", "1")
    monkeypatch.setenv("FUZZ_SECONDS", "5" if name == "hanging" else "300")
    found = run(name, seed=0, count=2)
    assert [case.number for case in found] == [0, 1] and all(says in case.text for case in found)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mutation_is_seeded_and_changes_something(mutation) -> None:
    data = bytes(range(256)) * 8
    found = [mutation(random.Random(seed), data) for seed in range(50)]
    assert found == [mutation(random.Random(seed), data) for seed in range(50)]
    assert sum(one != data for one in found) > 40
    assert mutated(random.Random(3), b"") == b""
