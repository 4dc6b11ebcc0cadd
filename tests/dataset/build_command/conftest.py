"""Fixtures of the tests of build."""

from pathlib import Path

import pytest

from tests import raw_inputs as raw


@pytest.fixture
def emonet(tmp_path) -> Path:
    return raw.write_emonet(tmp_path / "source")


@pytest.fixture
def chehre(tmp_path) -> Path:
    (tmp_path / "source").mkdir()
    return raw.write_chehre(tmp_path / "source")


@pytest.fixture(scope="module")
def repos(tmp_path_factory) -> dict[str, Path]:
    """Both datasets, every config, as a first build makes them: do not change."""
    folder = tmp_path_factory.mktemp("repos")
    (folder / "chehre-source").mkdir()
    sources = {
        "emonet-face": raw.write_emonet(folder / "emonet-face-source"),
        "chehre": raw.write_chehre(folder / "chehre-source"),
    }
    for name, source in sources.items():
        raw.build(name, source, folder / name)
    return {name: folder / name for name in sources}
