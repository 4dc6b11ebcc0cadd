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
FILES = {f"{name}/{file.name}": file.read_bytes() for name in NAMES for file in SHARED}


@pytest.mark.parametrize("name", NAMES)
def test_shared_code_is_a_relative_link(name: str) -> None:
    for file in SHARED:
        link = METRICS / name / file.name
        assert link.is_symlink(), f"{link} is a file. Replace it: ln -sf ../_shared/{file.name} {link}"
        assert link.readlink() == Path("..", "_shared", file.name)
    links = {path.name for path in (METRICS / name).iterdir() if path.is_symlink()}
    assert links == {file.name for file in SHARED}, "each leads to a file that is there"


def test_a_copy_holds_files(tmp_path: Path) -> None:
    shutil.copytree(METRICS, tmp_path / "copy")
    assert not [path for path in (tmp_path / "copy").rglob("*") if path.is_symlink()]
    assert {path: (tmp_path / "copy" / path).read_bytes() for path in FILES} == FILES


def test_a_wheel_made_of_the_sdist_holds_files(tmp_path: Path) -> None:
    """The sdist keeps the links, relative ones that stay inside it, so that unpacking it is safe."""
    build = "from hatchling.build import build_{0}\nresult = build_{0}({1!r})"
    sdist = tmp_path / fresh.python(build.format("sdist", str(tmp_path)), cwd=ROOT, home=tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
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
    assert {name: files[name].data for name in (file.name for file in SHARED)} == {
        file.name: file.read_bytes() for file in SHARED
    }


def test_the_release_holds_files(demo_release: Path) -> None:
    for folder in (demo_release / "metrics").iterdir():
        for file in SHARED:
            built = folder / file.name
            assert not built.is_symlink() and built.read_bytes() == file.read_bytes()
