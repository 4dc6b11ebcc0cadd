"""What metrics share stands once, in `_shared`; every way to take a folder away gives whole files instead of links."""

import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests import fresh
from tests.hub_server import Hub, running

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "metrics"
SHARED = sorted((METRICS / "_shared").glob("*.py"))
NAMES = sorted(path.parent.name for path in METRICS.glob("*/app.py"))
LINKS = sorted(path for name in NAMES for path in (METRICS / name).iterdir() if path.is_symlink())
FILES = {path.relative_to(METRICS).as_posix(): path.read_bytes() for path in LINKS}


def test_shared_code_is_linked_relatively_wherever_it_is_used() -> None:
    for name in NAMES:
        for file in SHARED:
            place = METRICS / name / file.name
            assert place.is_symlink() or not place.exists(), (
                f"{place} is a file. Replace it: ln -sf ../_shared/{file.name} {place}"
            )
    of_metrics = {Path("..", "_shared", file.name) for file in SHARED}
    of_spaces = {Path("..", "..", "spaces", "_shared", f"{name}.py") for name in ("temporary", "theme")}
    assert {link.readlink() for link in LINKS} == of_metrics | of_spaces
    assert all(link.readlink().name == link.name for link in LINKS)


def test_a_copy_holds_files(tmp_path: Path) -> None:
    shutil.copytree(METRICS, tmp_path / "copy")
    assert not [path for path in (tmp_path / "copy").rglob("*") if path.is_symlink()]
    assert {path: (tmp_path / "copy" / path).read_bytes() for path in FILES} == FILES


def test_a_wheel_made_of_the_sdist_holds_files(tmp_path: Path) -> None:
    """The sdist keeps the links, relative ones that stay inside it, so that unpacking it is safe.

    Python before 3.11.4 has no filter for that.
    """
    build = "from hatchling.build import build_{0}\nresult = build_{0}({1!r})"
    sdist = tmp_path / fresh.python(build.format("sdist", str(tmp_path)), cwd=ROOT, home=tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (tree,) = (path for path in tmp_path.iterdir() if path.is_dir() and path.name.startswith("emohub-"))
    wheel = tmp_path / fresh.python(build.format("wheel", str(tmp_path)), cwd=tree, home=tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        assert {path: archive.read(f"emohub/_hub/metrics/{path}") for path in FILES} == FILES


def test_an_uploaded_folder_holds_files_and_loads_from_the_hub(tmp_path: Path) -> None:
    """`upload_folder` from the checkout, then `evaluate.load` by the Hub's id in a process that sees no checkout."""
    (tmp_path / "objects").mkdir()
    hub = Hub(tmp_path / "objects", tokens={"token": "demo-org"})
    with running(hub) as url:
        code = f"""
from huggingface_hub import HfApi
api, of = HfApi(), {{"repo_id": "demo-org/spread_ratio", "repo_type": "space"}}
api.create_repo(**of, space_sdk="gradio")
api.upload_folder(**of, folder_path={str(METRICS / "spread_ratio")!r}, ignore_patterns="__pycache__/*")
import evaluate
metric = evaluate.load("demo-org/spread_ratio")
result = metric.compute(predictions=[[1, 2], [3, 2]], references=[[1, 2], [2, 4]], splits=0)["spread_ratio"]"""
        found = fresh.python(code, cwd=tmp_path, home=tmp_path / "home", HF_ENDPOINT=url, HF_TOKEN="token")
    assert found == pytest.approx((2 / 2.5) ** 0.5)
    files = hub.repos["spaces/demo-org/spread_ratio"].head.files
    assert {f"spread_ratio/{name}": file.data for name, file in files.items()}.items() >= {
        path: data for path, data in FILES.items() if path.startswith("spread_ratio/")
    }.items()


def test_the_release_holds_files(demo_release: Path) -> None:
    metrics = demo_release / "metrics"
    built = [path for path in FILES if (metrics / path).parent.is_dir()]
    for path in built:
        file = metrics / path
        assert not file.is_symlink() and file.read_bytes() == FILES[path]
    assert built
