"""A results dataset of the demo's ratings, with two raters that were given."""

from pathlib import Path
from typing import NamedTuple

import pytest

from emohub.rate.run import rate_dataset
from emohub.report.item import Settings
from emohub.results.recompute import computed
from emohub.results.submit import submit
from tests.once import once

FEW = Settings(bootstrap=30)


class Results(NamedTuple):
    folder: Path
    faces: str
    videos: str
    given: tuple[Path, Path]


def make_results(release: Path, factory: pytest.TempPathFactory) -> Results:
    """See the fixture `made_results`."""
    faces, videos = str(release / "emonet-face"), str(release / "chehre")

    def make(out: Path) -> None:
        given = [out / "random", out / "constant"]
        for folder in given:
            rate_dataset(faces, folder.name, folder, config="hq", name=f"a {folder.name} rater")
        for dataset, ratings in ((faces, given), (videos, [])):
            submit(computed(dataset, ratings, FEW), out / "results")

    folder = once(factory, "results", make)
    return Results(folder / "results", faces, videos, (folder / "random", folder / "constant"))
