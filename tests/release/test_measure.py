"""A model is measured only where people rated."""

import shutil
from pathlib import Path

import pytest

from emohub.errors import SourceError
from emohub.release.manifest import Measure
from emohub.release.measure import measure_model

MODEL = "models/empathic-insight-face-small"


@pytest.mark.parametrize(("config", "split"), [("big", "train"), ("hq", "train"), ("binary", "test")])
def test_without_ratings_it_says_what_to_name(demo_release: Path, config: str, split: str) -> None:
    on = Measure(dataset="emonet-face", config=config, split=split)
    with pytest.raises(SourceError, match=rf"emonet-face, '{config}', '{split}': it has no human ratings"):
        measure_model(demo_release / MODEL, "m", demo_release / "datasets/emonet-face", on)


def test_the_same_seed_gives_the_same_record(demo_release: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_release / MODEL, tmp_path / "m")
    before = (tmp_path / "m" / "evaluation.json").read_bytes()
    on = Measure(dataset="emonet-face")
    measure_model(tmp_path / "m", Path(MODEL).name, demo_release / "datasets/emonet-face", on)
    assert (tmp_path / "m" / "evaluation.json").read_bytes() == before
