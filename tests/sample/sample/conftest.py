"""Fixtures of the tests of sample."""

import tarfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sample(raw_demo: Path) -> Path:
    return raw_demo


@pytest.fixture(scope="module")
def emonet(sample: Path) -> Path:
    return sample / "emonet-face"


@pytest.fixture(scope="module")
def chehre(sample: Path) -> Path:
    return sample / "chehre"


@pytest.fixture(scope="module")
def big(emonet: Path) -> dict[str, dict[str, bytes]]:
    samples: dict[str, dict[str, bytes]] = {}
    for shard in sorted((emonet / "big").iterdir()):
        with tarfile.open(shard) as tar:
            for member in tar:
                key, suffix = member.name.split(".")
                samples.setdefault(key, {})[suffix] = tar.extractfile(member).read()
    return samples
