"""A dataset is one folder: a third one is found, built, checked, loaded and released with no edit elsewhere."""

import ast
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from huggingface_hub import DatasetCard

from emohub.check.run import check_path
from emohub.dataset.registry import CARD_FILES, find, names
from emohub.errors import EmohubError
from emohub.release.build import build_release
from emohub.release.digests import code_of_card, code_of_dataset, contents
from emohub.release.makers.registry import MAKERS
from emohub.release.manifest import read_manifest
from tests import raw_inputs as raw
from tests.dataset.third_dataset import write_script, write_source

ROOT = Path(__file__).parents[2]
KIT = ["chehre", "emonet-face"]


@pytest.fixture
def third(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`EMOHUB_PATH` names a folder with a third dataset; its modules are forgotten afterwards."""
    root = write_script(tmp_path / "mine")
    monkeypatch.setenv("EMOHUB_PATH", str(root))
    for name in [name for name in sys.modules if name.startswith("emohub_dataset_scripts_moods")]:
        del sys.modules[name]
    return root


@pytest.fixture
def repo(third: Path, tmp_path: Path) -> Path:
    raw.build("moods", write_source(tmp_path / "source"), tmp_path / "moods")
    return tmp_path / "moods"


# ---- What is found


def test_the_folders_are_the_list() -> None:
    folders = {path.parent.name for path in (ROOT / "dataset_scripts").glob("*/*.py") if path.stem == path.parent.name}
    assert names() == KIT == sorted(folder.replace("_", "-") for folder in folders)
    assert [find(name).metadata["pretty_name"] for name in KIT] == ["Chehre", "EmoNet-Face"]


def test_nothing_is_imported_before_it_is_asked_for(tmp_path: Path) -> None:
    root = write_script(tmp_path)
    (root / "dataset_scripts" / "moods" / "moods.py").write_text("raise SystemExit('imported')")
    code = "import sys; from emohub.dataset.registry import find, names; print(names(), find('moods').name); "
    code += "print(sorted({'datasets', 'pandas', 'matplotlib'} & {*sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={"EMOHUB_PATH": str(root)}
    )
    assert done.stdout.split("\n")[:2] == ["['chehre', 'emonet-face', 'moods'] moods", "[]"], done.stderr


@pytest.mark.parametrize("name", ["faces", "", "../chehre", "emonet_face", "Chehre", "chehre/", "_shared"])
def test_an_unknown_dataset_is_refused_with_the_valid_names(name: str) -> None:
    with pytest.raises(EmohubError, match="valid are chehre, emonet-face"):
        find(name)


def test_folders_that_declare_nothing_are_none(third: Path) -> None:
    for folder in ("notes", "_shared", "With-Capitals"):
        (third / "dataset_scripts" / folder).mkdir()
        (third / "dataset_scripts" / folder / "README.md").write_text("")
    (third / "dataset_scripts" / "_shared" / "_shared.py").write_text("")
    assert names() == [*KIT, "moods"]


def test_a_name_that_two_folders_declare_is_refused(third: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = write_script(third.parent / "other")
    monkeypatch.setenv("EMOHUB_PATH", f"{third}:{other}")
    with pytest.raises(EmohubError, match="'moods' is declared twice, in .*mine.*other.*Rename"):
        find("moods")


@pytest.mark.parametrize(
    ("text", "found"), [("", "none"), ("\nclass Second(RawBuilder):\n    '''.'''\n", "Moods, Second")]
)
def test_a_folder_declares_one_builder(third: Path, text: str, found: str) -> None:
    path = third / "dataset_scripts" / "moods" / "moods.py"
    path.write_text(path.read_text() + text if text else "")
    with pytest.raises(EmohubError, match=f"must define one subclass of RawBuilder; it defines {found}"):
        _ = find("moods").builder


def test_a_folder_that_fails_to_import_is_not_half_there(third: Path) -> None:
    init = third / "dataset_scripts" / "moods" / "__init__.py"
    before = init.read_text()
    init.write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        _ = find("moods").builder
    init.write_text(before)
    assert find("moods").builder.__name__ == "Moods"


# ---- What is made of it


def test_a_third_dataset_is_built_and_loaded(repo: Path) -> None:
    rows = load_dataset(str(repo), "drawings", split="test")
    assert rows["item"][:] == ["sun", "cloud"] and rows.features["mood"].int2str(rows["mood"]) == [
        "cheerful",
        "gloomy",
    ]
    long = load_dataset(str(repo), "drawing_ratings", split="test").to_pandas()
    assert list(zip(long["item"], long["rater"], long["category"], long["rating"], strict=True)) == [
        ("sun", "ada", "cheerful", 5.0), ("sun", "bo", "cheerful", 4.0), ("cloud", "ada", "gloomy", 3.0),
    ]  # fmt: skip
    card = DatasetCard.load(repo / "README.md")
    assert (card.data.pretty_name, card.data.license) == ("Moods", "cc0-1.0")
    assert "| cheerful | 1 |" in card.text and "title = {Moods}" in card.text
    assert load_dataset(str(repo), split="test").column_names == ["item", "mood", "length"]  # the default config


def _replace(path: Path, column: str, value: object) -> None:
    rows = pq.read_table(path).to_pylist()
    rows[0][column] = value
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


@pytest.mark.parametrize(
    ("config", "column", "value", "check", "says"),
    [
        ("drawing_ratings", "rating", 0.0, "dataset.ratings", "rating is outside 1–5"),
        ("drawing_ratings", "rating", 2.5, "dataset.ratings", "not a whole number"),
        ("drawing_ratings", "category", "Awe", "dataset.ratings", "not in the label set"),
        ("drawings", "length", 9, "dataset.labels", "sun is not 9 letters long"),
        ("drawings", "mood", 3, "dataset.labels", "drawings.mood holds 1…3, there are 3 labels"),
    ],
)
def test_a_third_dataset_is_checked_by_its_own_rules(
    repo: Path, config: str, column: str, value: object, check: str, says: str
) -> None:
    _replace(next((repo / config).glob("*.parquet")), column, value)
    report = check_path(repo, ids={check})
    (failure,) = [failure for result in report.results for failure in result.failures]
    assert says in failure.found


def test_a_third_dataset_is_released_and_passes_every_check(third: Path, tmp_path: Path) -> None:
    write_source(tmp_path / "source")
    manifest = tmp_path / "release.toml"
    manifest.write_text(
        '[release]\ntitle = "T"\nversion = "1.0.0"\nnamespace = "org"\n'
        '[datasets.drawings]\nscript = "moods"\nsource = "source"\n'
    )
    assert build_release(manifest, tmp_path / "out") == {"datasets/drawings": "built"}
    assert not [failure for result in check_path(tmp_path / "out").results for failure in result.failures]
    card = tmp_path / "out" / "datasets" / "drawings" / "README.md"
    assert 'load_dataset("org/drawings"' in card.read_text()

    def changed(name: str, text: str) -> str:
        path = third / "dataset_scripts" / "moods" / name
        path.write_text(path.read_text() + text)
        return build_release(manifest, tmp_path / "out")["datasets/drawings"]

    assert changed("names.py", "# more\n") == "built"
    assert changed("card.py", "# more\n") == changed("card.md.j2", "\nMore.\n") == "card"
    assert changed("citation.bib", "@misc{more}\n") == "card" and "@misc{more}" in card.read_text()
    manifest.write_text(manifest.read_text().replace('"moods"', '"mood"'))
    with pytest.raises(
        EmohubError, match="script: .*no such dataset; valid are chehre, emonet-face, moods; it is 'mood'"
    ):
        read_manifest(manifest)


def test_what_only_a_card_needs_is_no_content(third: Path) -> None:
    maker = MAKERS["dataset"].FILE
    for name in names():
        own = {*contents(find(name).folder, *CARD_FILES)}
        content = {*code_of_dataset(maker, name)}
        assert own and content and not content & own and own <= {*code_of_card(maker)}


@pytest.mark.parametrize("name", KIT)
def test_no_builder_needs_its_card(name: str) -> None:
    """What decides a rebuild leaves card.py out, so nothing that is built may come from it."""
    for path in find(name).folder.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        taken = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
        assert "card" not in {node.module for node in taken} | {one.name for node in taken for one in node.names}


def test_the_command_knows_it(third: Path, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source")
    command = [sys.executable, "-m", "emohub.cli", "build", "dataset"]
    done = subprocess.run(
        [*command, "moods", "--source", source, "--out", tmp_path / "made"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "drawings" / "test-00000-of-00001.parquet").is_file()
    done = subprocess.run(
        [*command, "mood", "--source", source, "--out", tmp_path / "no"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "'mood' is not one of 'chehre', 'emonet-face', 'moods'" in " ".join(done.stderr.replace("│", " ").split())
