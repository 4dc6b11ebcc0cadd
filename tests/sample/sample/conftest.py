"""Fixtures of the tests of sample."""

import tarfile
from pathlib import Path

import pytest

from emohub.sample import write_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "raw"
    write_sample(out)
    return out


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
