"""Real ratings in long form, and what every metric's tests need."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "metrics",
    settings.get_profile("tests"),
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("metrics")

SHARED_CODE = Path(__file__).parents[2] / "metrics" / "_shared"
SPACES_CODE = Path(__file__).parents[2] / "spaces" / "_shared"
PAGE_PARTS = ("csv_table", "page_table", "page_result", "page_layout", "page_worker", "page_pool", "page")
PAGE_MODULES = [(SPACES_CODE, name) for name in ("temporary", "theme")] + [(SHARED_CODE, name) for name in PAGE_PARTS]


def load(path: Path, name: str) -> ModuleType:
    """A module by the bare name by which the files of a Space import it."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModuleType]:
    """What the pages of all metrics share, each module after those that it imports."""
    folder = tmp_path_factory.mktemp("page-modules")
    for source, name in PAGE_MODULES:
        (folder / f"{name}.py").symlink_to(source / f"{name}.py")
    sys.path.append(str(folder))  # where the processes that compute find them
    return {name: load(folder / f"{name}.py", name) for _, name in PAGE_MODULES}


@pytest.fixture(scope="session")
def binary_votes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """All votes of EmoNet-Face BINARY with their step, 0 for the contrastive one."""
    from dataset_scripts.emonet_face.votes import read_votes
    from emohub.data.problems import ProblemLog

    return read_votes(shared / "data" / "emonet_face" / "binary.csv", ProblemLog(tmp_path_factory.mktemp("log")))


@pytest.fixture(scope="session")
def chehre_labels(shared: Path) -> pd.DataFrame:
    """Label ratings (0–3) of the half dump of Chehre; of a repeated answer the first counts."""
    return pd.DataFrame(
        [
            {"item": item, "emoji": emoji, "rater": rater, "category": label, "rating": float(rating)}
            for item, emoji, rater, ratings in _answers(shared / "data" / "chehre" / "labels.csv")
            for label, rating in ratings.items()
        ]
    ).drop_duplicates(["item", "rater", "category"])


def _answers(path: Path) -> Iterator[tuple[str, str, str, dict[str, int]]]:
    rows = pd.read_csv(path, keep_default_na=False, dtype=str).to_dict("records")
    for row in rows:
        for k in range(1, 5):
            if row[f"pid_{k}"]:
                text = row[f"pid_{k}_ratings"].removeprefix('"').removesuffix('"').replace('""', '"')
                yield row["video_name"], row["emoji_code"], row[f"pid_{k}"], json.loads(text)
