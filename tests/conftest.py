"""What every test has at hand."""

import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# One thread in each process, set before NumPy, PyTorch and ONNX Runtime are imported: workers and the processes that
# they start share the cores, and more threads than cores spend most of their time in waiting for each other.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # Gradio's client reports to the Hub, which tests cannot reach

import metrics  # noqa: F401  # first: onnxruntime puts a folder on the path with a module of this name, which would hide ours
from tests.inside import inside  # noqa: F401  # a fixture of every test
from tests.once import once

# No property fails for a slow machine; files that need fewer examples, or other checks off, say so.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# A job that a shell has put into the background starts with Ctrl+C ignored, and so would every process of the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A place of its own for remote code in every process, so that parallel runs do not meet in one. It is set before
# evaluate or transformers is imported: with a place each, the one finds the other's package of modules first.
_MODULES = tempfile.TemporaryDirectory(prefix="hf-modules-")
os.environ["HF_MODULES_CACHE"] = _MODULES.name

SHARED = Path(__file__).parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that read the demo's release into the middle.

    Of workers that each begin with a part of the list, one then makes the release while the others have other work.
    """
    reading = {item.path for item in items if {"demo_release", "raw_demo"} & set(getattr(item, "fixturenames", ()))}
    others = [path for path in dict.fromkeys(item.path for item in items) if path not in reading]
    order = dict.fromkeys(others[: len(others) // 2], 0) | dict.fromkeys(reading, 1)
    items.sort(key=lambda item: order.get(item.path, 2))


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported and collected: millions of objects that all stay."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real upstream data beside the checkout; a user's checkout has none."""
    if not SHARED.is_dir():
        pytest.skip(f"real upstream data is not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def raw_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's raw inputs, as `emohub sample` writes them: do not change them."""
    from emohub.sample import write_sample

    return once(tmp_path_factory, "raw-demo", lambda folder: write_sample(folder / "raw")) / "raw"


@pytest.fixture(scope="session")
def release(demo_release: Path) -> Path:
    """The dataset repos that the demo's inputs build, `emonet-face` and `chehre`: do not change them."""
    return demo_release / "datasets"


@pytest.fixture(scope="session")
def demo_release(raw_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole demo release, every kind of repo: do not change it, copy it."""
    from emohub.release.build import build_release

    return once(tmp_path_factory, "demo-release", lambda out: build_release(raw_demo / "release.toml", out))


@pytest.fixture(scope="session")
def made_results(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A results dataset of the demo's ratings, with two raters that were given: do not change it."""
    from tests.demo_results import make_results

    return make_results(release, tmp_path_factory)


@pytest.fixture
def results(made_results: Any, tmp_path: Path) -> Any:
    """A copy of `made_results`."""
    folder = tmp_path / "results"
    shutil.copytree(made_results.folder, folder)
    return made_results._replace(folder=folder)


@pytest.fixture(scope="session")
def on_ray(demo_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the engine "ray" made of small inputs, see `tests/on_ray.py`: do not change it."""
    pytest.importorskip("ray", reason='Ray is not installed: pip install "emohub[ray]"')
    from tests.on_ray import run_on_ray

    return once(tmp_path_factory, "on-ray", lambda folder: run_on_ray(demo_release, folder))
