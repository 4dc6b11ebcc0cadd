"""Images of EmoNet-Face in tars, Parquet files and folders."""

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_scripts.emonet_face.images import (
    ImageRef,
    index_images,
    read_images,
)
from emohub.data.problems import ProblemLog
from tests.dataset_scripts.emonet_images.inputs import image_struct, read, write_parquet
from tests.raw_inputs import jpeg, write_part, write_tar


def member(name: str, **attributes: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    ("name", "attributes", "said"),
    [
        ("../x.jpg", {}, "leads out of the folder"),
        ("a/../../x.jpg", {}, "leads out of the folder"),
        ("/etc/x.jpg", {}, "leads out of the folder"),
        ("x.jpg", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is not a plain file"),
        ("x.jpg", {"type": tarfile.LNKTYPE, "linkname": "a.jpg"}, "is not a plain file"),
        ("x.jpg", {"type": tarfile.FIFOTYPE}, "is not a plain file"),
        ("./a.jpeg", {}, "two members with the key 'a'"),
    ],
)
def test_a_tar_with_a_hostile_member_is_listed(
    name: str, attributes: dict[str, Any], said: str, tmp_path: Path, log: ProblemLog
) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.addfile(member("a.jpg"), io.BytesIO())
        tar.addfile(member(name, **attributes))
    assert index_images([tmp_path / "x.tar"], log) == []
    (problem,) = log
    assert problem.where == "x.tar" and said in problem.what


@pytest.mark.parametrize("cut", [1, 300, 700, 1500, 3000])
def test_a_cut_tar_never_passes_for_whole(cut: int, tmp_path: Path, log: ProblemLog) -> None:
    members = [(f"{number}.jpg", jpeg(number, 40)) for number in range(3)]
    write_tar(tmp_path / "x.tar", members)
    data = (tmp_path / "x.tar").read_bytes()
    (tmp_path / "x.tar").write_bytes(data[: len(data.rstrip(b"\0")) - cut])
    found, problems = read([tmp_path / "x.tar"], log)
    assert problems or found["2"][0] != jpeg(2, 40)
    assert all(found[name[0]][0] == data for name, data in members[:2] if name[0] in found)


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_tar_cut_between_two_members_is_listed(kept: int, tmp_path: Path, log: ProblemLog) -> None:
    """Nothing in what is left is broken: only the mark of the end is missing."""
    write_tar(tmp_path / "x.tar", [(f"{n}.jpg", jpeg(n)) for n in range(3)])
    with tarfile.open(tmp_path / "x.tar") as tar:
        offsets = [member.offset for member in tar]
        data = (tmp_path / "x.tar").read_bytes()
        ends = [*offsets, tar.offset]
    for zeros in (0, 512):
        (tmp_path / "x.tar").write_bytes(data[: ends[kept]] + bytes(zeros))
        assert index_images([tmp_path / "x.tar"], log) == []
    assert all("cut off" in problem.what or "cannot be read" in problem.what for problem in log) and list(log)
    (tmp_path / "x.tar").write_bytes(data[: ends[kept]] + bytes(1024))
    assert len(index_images([tmp_path / "x.tar"], log)) == kept


def test_the_tar_of_the_cases_is_listed(shared: Path, log: ProblemLog) -> None:
    assert index_images([shared / "cases" / "26_tar_cut_at_member" / "big" / "00000.tar"], log) == []
    (problem,) = log
    assert "cut off" in problem.what


def test_every_image_like_member_is_used_or_listed(tmp_path: Path, log: ProblemLog) -> None:
    used = {"a.jpg": "a", "flux_1.5_001.JPG": "flux_1.5_001", "x/b.c.d.webp": "b.c.d", "e.png": "e"}
    listed = ["g.gif", "h.TIFF", "i.j.bmp", "k.avif"]
    other = ["l.txt", "__index__", "._a.jpg", "m.cls"]
    members = [(name, jpeg(n)) for n, name in enumerate([*used, *listed, *other])]
    write_tar(tmp_path / "x.tar", [*members, ("flux_1.5_001.json", b'{"n": 1}')])
    refs = index_images([tmp_path / "x.tar"], log)
    assert {ref.id for ref in refs} == set(used.values())
    assert [problem.where for problem in log] == [f"x.tar member {name}" for name in listed]
    fields = {ref.id: found for ref, _, found in read_images(refs, log)}
    assert fields["flux_1.5_001"] == {"n": 1}


def test_a_tar_is_neither_compressed_nor_something_else(tmp_path: Path, log: ProblemLog) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz") as tar:
        tar.addfile(member("a.jpg"))
    (tmp_path / "b.tar").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "c.tar").touch()
    assert index_images(sorted(tmp_path.glob("*.tar")), log) == []
    assert [problem.where for problem in log] == ["a.tar", "b.tar", "c.tar"]


def test_folders_in_a_tar_keep_images_and_texts_together(tmp_path: Path, log: ProblemLog) -> None:
    members = [(f"{d}/{n}.jpg", jpeg(k)) for k, (d, n) in enumerate([("a", "1"), ("b.c", "2")])]
    members += [("b.c/2.json", b'{"n": 2}'), ("a/1.json", b'{"n": 1}')]
    write_tar(tmp_path / "x.tar", members)
    found, problems = read([tmp_path / "x.tar"], log)
    assert problems == []
    assert found == {"1": (jpeg(0), {"n": 1}), "2": (jpeg(1), {"n": 2})}


def test_one_name_in_two_folders_of_a_tar_comes_out_twice(tmp_path: Path, log: ProblemLog) -> None:
    write_tar(tmp_path / "x.tar", [("a/1.jpg", jpeg(0)), ("b/1.jpg", jpeg(1))])
    assert [ref.id for ref in index_images([tmp_path / "x.tar"], log)] == ["1", "1"]


def test_a_tar_text_without_image_is_not_lost(tmp_path: Path, log: ProblemLog) -> None:
    write_tar(tmp_path / "x.tar", [("1.json", b'{"n": 1}'), ("2.jpg", jpeg())])
    found, _ = read([tmp_path / "x.tar"], log)
    assert found == {"1": (b"", {"n": 1}), "2": (jpeg(), {})}


@pytest.mark.parametrize("text", [b"[1, 2]", b"{", b"\xff", b"[" * 100_000], ids=["list", "cut", "latin", "deep"])
def test_a_bad_text_in_a_tar_is_listed_and_the_next_is_read(text: bytes, tmp_path: Path, log: ProblemLog) -> None:
    write_tar(tmp_path / "x.tar", [("1.jpg", jpeg(1)), ("1.json", text), ("2.jpg", jpeg(2)), ("2.json", b"{}")])
    found, (problem,) = read([tmp_path / "x.tar"], log)
    assert found == {"2": (jpeg(2), {})}
    assert problem.item == "1"


def test_the_column_of_images_is_found_by_type(tmp_path: Path, log: ProblemLog) -> None:
    kinds = {"n": datasets.Value("int32"), "what": datasets.Image(), "bytes": datasets.Value("string")}
    images = [{"bytes": jpeg(n), "path": f"dir/{n}.jpg"} for n in range(2)]
    columns = {"n": [1, 2], "what": images, "bytes": ["a", "b"]}
    rows = datasets.Dataset.from_dict(columns, datasets.Features(kinds))
    rows.to_parquet(tmp_path / "x.parquet")
    found, problems = read([tmp_path / "x.parquet"], log)
    assert problems == []
    assert found == {"0": (jpeg(0), {"n": 1, "bytes": "a"}), "1": (jpeg(1), {"n": 2, "bytes": "b"})}


def test_parquet_without_images_lists_its_columns(tmp_path: Path, log: ProblemLog) -> None:
    pq.write_table(pa.table({"label": ["a"], "n": [1]}), tmp_path / "x.parquet")
    assert index_images([tmp_path / "x.parquet"], log) == []
    (problem,) = log
    assert "no column of images; columns are label: string, n: int64" in problem.what


def test_rows_without_image_come_out_empty_and_move_no_other(tmp_path: Path, log: ProblemLog) -> None:
    cells = [(jpeg(0), "0.jpg"), None, (None, "2.jpg"), (jpeg(3), "3.jpg"), (jpeg(4), None), (b"", "5.jpg")]
    file = write_parquet(tmp_path / "x.parquet", image_struct(cells), n=list(range(6)))
    found = [(data, fields["n"]) for _, data, fields in read_images(index_images([file], log), log)]
    assert found == [(jpeg(0), 0), (b"", 1), (b"", 2), (jpeg(3), 3), (jpeg(4), 4), (b"", 5)]
    assert [ref.id for ref in index_images([file], log)] == ["0", "", "2", "3", "", "5"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"])
def test_a_file_that_is_no_parquet_is_listed(content: bytes, tmp_path: Path, log: ProblemLog) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    assert index_images([tmp_path / "x.parquet"], log) == []
    (problem,) = log
    assert problem.where == "x.parquet" and problem.what.startswith("cannot be read")


def test_a_cut_parquet_is_listed(tmp_path: Path, log: ProblemLog) -> None:
    file = write_parquet(tmp_path / "x.parquet", image_struct([(jpeg(n), f"{n}.jpg") for n in range(6)]))
    file.write_bytes(file.read_bytes()[:-100])
    assert index_images([file], log) == [] and len(list(log)) == 1


def test_a_damaged_page_is_listed_for_each_image_that_it_holds(tmp_path: Path, log: ProblemLog) -> None:
    file = write_parquet(tmp_path / "x.parquet", image_struct([(jpeg(n, 30), f"{n}.jpg") for n in range(6)]), rows=2)
    refs = index_images([file], log)
    at = pq.read_metadata(file).row_group(1).column(0).data_page_offset
    data = bytearray(file.read_bytes())
    data[at : at + 400] = b"\xff" * 400
    file.write_bytes(data)
    found = {ref.id: read for ref, read, _ in read_images(refs, log)}
    assert found == {str(n): jpeg(n, 30) for n in (0, 1, 4, 5)}
    assert sorted(problem.item or "" for problem in log) == ["2", "3"]


def test_a_file_that_went_away_is_listed_and_the_next_is_read(tmp_path: Path, log: ProblemLog) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number))
    refs = index_images(sorted(tmp_path.glob("*.jpg")), log)
    (tmp_path / "1.jpg").unlink()
    assert [ref.id for ref, _, _ in read_images(refs, log)] == ["0", "2"]
    assert [problem.item for problem in log] == ["1"]


@settings(max_examples=100)
@given(data=st.binary(max_size=60), suffix=st.sampled_from([".json", ".tar", ".parquet", ".jpg"]))
def test_any_bytes_in_any_layout_are_read_or_listed(
    data: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any") / "part-00"
    folder.mkdir()
    (folder / f"0000{suffix}").write_bytes(data)
    found, problems = read([folder / f"0000{suffix}"], ProblemLog(folder.parent))
    assert len(found) + len(problems) == 1


def test_base64_is_strict(tmp_path: Path, log: ProblemLog) -> None:
    """Characters that base64 does not know are damage: skipping them would give other bytes."""
    write_part(tmp_path, "00000", jpeg())
    path = tmp_path / "part-00" / "0000.json"
    content = json.loads(path.read_text())
    content["image"]["bytes"] = content["image"]["bytes"][:8] + "****" + content["image"]["bytes"][8:]
    assert base64.b64decode(content["image"]["bytes"]) == jpeg()
    path.write_text(json.dumps(content))
    found, problems = read([path], log)
    assert not found and len(problems) == 1


def test_place_sorts_as_on_the_disk() -> None:
    refs = [ImageRef("a", Path("2"), (0, 1)), ImageRef("b", Path("1"), (10,)), ImageRef("c", Path("1"), (9,))]
    assert [ref.id for ref in sorted(refs, key=lambda ref: ref.place)] == ["c", "b", "a"]
