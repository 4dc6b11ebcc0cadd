"""Fixtures of the tests of emonet images."""

import pytest

from emohub.data.problems import ProblemLog


@pytest.fixture
def log(tmp_path_factory: pytest.TempPathFactory) -> ProblemLog:
    return ProblemLog(tmp_path_factory.mktemp("log"))
