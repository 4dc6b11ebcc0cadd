"""Fixtures of the tests of embed."""

from pathlib import Path

import pytest

from tests.inference_inputs import build_faces
from tests.model.infer.embed.inputs import ROWS


@pytest.fixture(scope="session")
def repo(tmp_path_factory) -> Path:
    return build_faces(tmp_path_factory.mktemp("faces"), ROWS)


@pytest.fixture(scope="session")
def model(converted) -> Path:
    return converted[0]
