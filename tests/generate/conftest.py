"""What tests of generation share: a tiny pipeline, prompts."""

from pathlib import Path

import pytest

from emohub.generate.prompts import Prompt, make_prompts
from tests.generate.tiny_diffusion import write_pipeline
from tests.once import once


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusion pipeline of half a megabyte."""
    return (
        once(tmp_path_factory, "tiny-diffusion", lambda folder: write_pipeline(folder / "made")) / "made" / "pipeline"
    )


@pytest.fixture
def prompts() -> list[Prompt]:
    return make_prompts({"Awe": 3, "Anger": 2, None: 1}, seed=1)
