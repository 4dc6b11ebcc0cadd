"""A folder of the kit can be checked before it is built: its links and the namespace ORG are resolved by the build."""

import shutil
from pathlib import Path

import pytest

from emohub.check.run import check_path

ROOT = Path(__file__).parents[2]
FOLDERS = [path for kind in ("metrics", "spaces") for path in sorted((ROOT / kind).glob("[a-z]*")) if path.is_dir()]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_folder_passes_what_starts_no_process(folder: Path) -> None:
    report = check_path(folder, fast=True)
    assert report.ok, [f"{one.where}: {one.found}" for one in report.failures]


@pytest.mark.parametrize("of_the_kit", [True, False])
def test_what_python_compiled_is_left_out_of_a_folder_of_the_kit_only(
    of_the_kit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(ROOT / "metrics" / "weighted_kappa", tmp_path / "metrics" / "weighted_kappa"))
    (copy / "__pycache__").mkdir(exist_ok=True)
    (copy / "__pycache__" / "kappa.cpython-311.pyc").write_bytes(b"x")
    monkeypatch.setattr("emohub.check.base.hub_roots", lambda: (tmp_path,) if of_the_kit else ())
    assert check_path(copy, ids={"files.leftovers"}).ok == of_the_kit


def test_the_examples_of_a_metric_hold_in_its_folder() -> None:
    report = check_path(ROOT / "metrics" / "weighted_kappa", ids={"metric.examples"})
    assert report.ok and len(report.results) == 1, [failure.found for failure in report.failures]


def test_elsewhere_a_link_and_a_placeholder_are_failures(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(ROOT / "metrics" / "weighted_kappa", tmp_path / "metrics" / "weighted_kappa"))
    (copy / "notes.md").symlink_to(ROOT / "README.md")
    found = {failure.where for failure in check_path(copy, ids={"files.links", "cards.placeholders"}).failures}
    assert found == {"weighted_kappa/notes.md", "weighted_kappa/README.md"}
