"""Every layout gives each image its own bytes and fields, whatever the order in which it is asked."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_scripts.emonet_face.images import (
    content_id,
    image_layouts,
    index_images,
    read_images,
)
from emohub.data.problems import ProblemLog
from tests.dataset_scripts.emonet_images.inputs import image_struct, read, write_parquet
from tests.raw_inputs import jpeg, png, write_part, write_tar

Write = Callable[[Path, Sequence[str]], None]


NAMES = [f"{number:05d}" for number in (0, 1, 2, 3, 1999, 2000, 4007, 18000)]


BYTES = {name: (jpeg, png)[number % 2](number, 8 + number) for number, name in enumerate(NAMES)}


def as_files(folder: Path, order: Sequence[str]) -> None:
    for name in order:
        path = folder / name[:2] / f"{name}{'.JPG' if BYTES[name][0] == 0xFF else '.png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BYTES[name])


def as_parts(folder: Path, order: Sequence[str]) -> None:
    for name in order:
        write_part(folder, name, BYTES[name])


def as_tars(folder: Path, order: Sequence[str]) -> None:
    """Two tars; texts and images apart from one another, paths as `tar -C folder .` writes them."""
    for number, names in enumerate((order[:3], order[3:])):
        images = [(f"./{name}.{'jpg' if BYTES[name][0] == 0xFF else 'PNG'}", BYTES[name]) for name in names]
        texts = [(f"./{name}.json", json.dumps({"prompt": name}).encode()) for name in names]
        write_tar(folder / f"{number}.tar", [*texts, *images[::-1], ("./__index__.txt", b"x"), ("./._x.jpg", b"x")])


def as_parquet(folder: Path, order: Sequence[str]) -> None:
    """Two files, row groups of three, as `push_to_hub` writes them."""
    for number, names in enumerate((order[:3], order[3:])):
        images = image_struct([(BYTES[name], f"{name}.png") for name in names])
        write_parquet(folder / "data" / f"train-0000{number}-of-00002.parquet", images, prompt=list(names))


LAYOUTS: dict[str, Write] = {"files": as_files, "parts": as_parts, "tars": as_tars, "parquet": as_parquet}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=40)
@given(stored=st.permutations(NAMES), asked=st.permutations(range(len(NAMES))), wanted=st.integers(0, len(NAMES)))
def test_each_image_comes_with_its_own_bytes(
    layout: str, stored: list[str], asked: list[int], wanted: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp(layout)
    LAYOUTS[layout](folder, stored)
    (files,) = [files for files in image_layouts(folder) if files]
    log = ProblemLog(tmp_path_factory.mktemp("log"))
    refs = index_images(files, log)
    assert sorted(ref.id for ref in refs) == NAMES
    some = [refs[number] for number in asked[:wanted]]
    found = {ref.id: (data, fields) for ref, data, fields in read_images(some, log)}
    assert {name: data for name, (data, _) in found.items()} == {ref.id: BYTES[ref.id] for ref in some}
    if layout in ("tars", "parquet"):
        assert all(fields == {"prompt": name} for name, (_, fields) in found.items())
    if layout == "parts":
        assert all(fields["path"] == name for name, (_, fields) in found.items())
    assert list(log) == []


def test_layouts_are_told_apart(tmp_path: Path) -> None:
    assert [files for files in image_layouts(tmp_path) if files] == []
    for name, write in LAYOUTS.items():
        write(tmp_path / "x" if name != "parts" else tmp_path, NAMES[:4])
    (tmp_path / "part-00" / "README.md").touch()
    (tmp_path / "notes.json").write_text("{}")
    found = [{path.suffix.lower() for path in files} for files in image_layouts(tmp_path)]
    assert found == [{".json"}, {".tar"}, {".parquet"}, {".jpg", ".png"}]


def test_content_id_is_of_the_bytes_alone() -> None:
    assert content_id(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_image_id_is_part_times_2000_plus_index(tmp_path: Path, log: ProblemLog) -> None:
    for name in ("part-00/0000", "part-00/1999", "part-01/0000", "part-9/7", "part-09/1998"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    ids = [ref.id for ref in index_images(sorted(tmp_path.rglob("*.json")), log)]
    assert ids == ["00000", "01999", "02000", "19998", "18007"]


@pytest.mark.parametrize("name", ["part-00/2000", "part-x/0000", "part-00/a", "part-00/-1", "part-00/0000.bak"])
def test_a_part_file_with_another_name_is_listed(name: str, tmp_path: Path, log: ProblemLog) -> None:
    path = tmp_path / f"{name}.json"
    path.parent.mkdir()
    path.write_text("{}")
    assert index_images([path], log) == []
    (problem,) = log
    assert problem.where == path.name and "part-0P/NNNN.json" in problem.what


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "JSONDecodeError"),
        (b"[1]", "TypeError"),
        (b"{}", "KeyError: 'image'"),
        (b'{"image": null}', "TypeError"),
        (b'{"image": {"bytes": null}}', "TypeError"),
        (b'{"image": {"bytes": "?"}}', "base64"),
        (b'{"image": {"bytes": "AAAA\\u00e9"}}', "ASCII"),
        (b'{"x": "\xff"}', "UnicodeDecodeError"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_part_file_is_listed_and_the_next_is_read(
    content: bytes, said: str, tmp_path: Path, log: ProblemLog
) -> None:
    for name in ("00000", "00001"):
        write_part(tmp_path, name, jpeg())
    (tmp_path / "part-00" / "0000.json").write_bytes(content)
    found, (problem,) = read(sorted(tmp_path.rglob("*.json")), log)
    assert list(found) == ["00001"]
    assert problem.item == problem.where == "00000"
    assert said in problem.what and problem.what.startswith("cannot be read")
