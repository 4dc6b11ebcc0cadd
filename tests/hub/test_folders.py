"""The folders that go to the Hub are found in a checkout and inside an installed wheel, and nowhere else."""

import csv
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from emohub.dataset.registry import find
from emohub.hub.folders import hub_folder
from tests import fresh
from tests.raw_inputs import write_chehre, write_emonet

ROOT = Path(__file__).parents[2]
BUILDERS = {"emonet_face": "EmoNetFace", "chehre": "Chehre"}
HUB_KINDS = ("dataset_scripts", "model_cards", "metrics", "hub_models", "spaces")


# ---- In the checkout


@pytest.mark.parametrize(("folder", "builder"), BUILDERS.items())
def test_a_builder_is_loaded_from_the_checkout(folder: str, builder: str) -> None:
    assert hub_folder("dataset_scripts", folder) == ROOT / "dataset_scripts" / folder
    found = find(folder.replace("_", "-")).builder
    assert found.__name__ == builder
    assert Path(sys.modules[found.__module__].__file__) == ROOT / "dataset_scripts" / folder / f"{folder}.py"
    assert find(folder.replace("_", "-")).builder is found
    assert found.BUILDER_CONFIGS[0].name == found.DEFAULT_CONFIG_NAME


def test_a_kind_is_a_folder_too() -> None:
    assert hub_folder("model_cards") == ROOT / "model_cards"


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        hub_folder("dataset_scripts", "absent")
    assert caught.value.filename == "dataset_scripts/absent"


# ---- In a wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    done = fresh.run(sys.executable, "-m", "pip", "wheel", *options, "-w", out, ROOT, cwd=out, home=out)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("emohub-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install --target` makes of the wheel, away from the checkout."""
    target = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--target")
    done = fresh.run(sys.executable, "-m", "pip", "install", *options, target, wheel, cwd=target, home=target)
    assert done.returncode == 0, done.stderr
    return target


def files_below(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_a_wheel_holds_the_package_and_the_hub_folders_inside_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    assert {name.split("/")[0] for name in names} == {"emohub", wheel.name.split("-py3")[0] + ".dist-info"}
    for kind in HUB_KINDS:
        if (ROOT / kind).is_dir():
            below = f"emohub/_hub/{kind}/"
            inside = {name.removeprefix(below) for name in names if name.startswith(below)}
            assert inside == files_below(ROOT / kind)
    assert {f"emohub/{name}" for name in files_below(ROOT / "emohub")} <= names
    assert not [name for name in names if "test" in Path(name).name or "__pycache__" in name]


def test_no_generic_name_lands_in_site_packages(installed: Path) -> None:
    top = {path.name for path in installed.iterdir()}
    assert {name for name in top if not name.endswith(".dist-info")} <= {"emohub", "bin"}
    (record,) = installed.glob("*.dist-info/RECORD")
    placed = {row[0].split("/")[0] for row in csv.reader(record.read_text().splitlines())}
    assert not placed & {*HUB_KINDS, "tests", "benchmarks", "data", "release"}
    (entry,) = installed.glob("*.dist-info/entry_points.txt")
    assert "emohub = emohub.cli:main" in entry.read_text()


def outside(installed: Path, code: str, folder: Path) -> Any:
    """Run code that sees the wheel and not the checkout."""
    return fresh.python(code, cwd=folder, home=folder / "home", PYTHONPATH=str(installed), **fresh.OFFLINE)


def test_builders_load_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = f"""
import sys
import emohub
from emohub.dataset.registry import find, names
from emohub.hub.folders import hub_folder
result = {{"version": emohub.__version__, "files": [emohub.__file__, str(hub_folder("model_cards"))]}}
for name in names():
    builder = find(name).builder
    result["files"] += [sys.modules[builder.__module__].__file__, find(name).card.__file__]
    result[name] = [config.name for config in builder.BUILDER_CONFIGS]
result["modules"] = [name for name in sys.modules if name.split(".")[0] in {HUB_KINDS!r}]
places = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
result["strays"] = [
    place for place in places if place.startswith({str(ROOT)!r}) and not place.startswith(sys.prefix)
]"""
    result = outside(installed, code, tmp_path)
    assert all(Path(file).is_relative_to(installed) for file in result["files"])
    configs = ["hq", "binary", "big", "hq_ratings", "binary_ratings", "binary_questions", "emotions"]
    assert result["emonet-face"] == configs
    assert result["chehre"] == ["videos", "label_ratings", "emoji_ratings", "rankings"]
    assert result["modules"] == [] and result["strays"] == []


def test_an_installed_kit_builds_without_a_checkout(installed: Path, tmp_path: Path) -> None:
    """Builders, card templates and the command: everything that a build needs is in the wheel."""
    write_emonet(tmp_path / "raw" / "emonet-face")
    (tmp_path / "raw" / "chehre").mkdir()
    write_chehre(tmp_path / "raw" / "chehre")
    code = """
import sys
from emohub.cli import main
for name, config in (("emonet-face", "hq"), ("chehre", "label_ratings")):
    arguments = ["--source", f"raw/{name}", "--out", name, "--config", config, "--allow-partial", "--num-proc", "1"]
    sys.argv = ["emohub", "build", "dataset", name, *arguments]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, stop.code
from datasets import load_dataset
hq, clips = load_dataset("emonet-face", "hq", split="test"), load_dataset("chehre", "label_ratings")
result = [hq.num_rows, sum(rows.num_rows for rows in clips.values())]"""
    assert outside(installed, code, tmp_path) == [3, 39]
    for name, config in {"emonet-face": "hq", "chehre": "label_ratings"}.items():
        record = json.loads((tmp_path / name / "build.json").read_text(encoding="utf-8"))
        assert list(record["configs"]) == [config]
        assert (tmp_path / name / "README.md").read_text(encoding="utf-8").startswith("---\n")
