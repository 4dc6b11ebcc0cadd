"""Tables and files of raw input: read cell by cell as they are, paired by name, every fault in the log."""

import csv
import hashlib
import io
import os
from pathlib import Path

import pytest
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from emohub.data import source
from emohub.data.problems import ProblemLog
from emohub.data.source import by_stem, fetch, match, read_csv, sha256_of
from emohub.errors import SourceError

# ---- Tables

cells = st.one_of(
    st.sampled_from(["", "None", "NA", "nan", "NULL", "null", "N/A", "0123", "1.50", "True", " x ", '"', '""', "1e5"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8),
)


def written(rows, **options):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", **options).writerows(rows)
    return out.getvalue()


@given(
    st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=5)),
    st.booleans(),
    st.booleans(),
)
def test_cells_come_back_as_the_csv_module_reads_them(tmp_path_factory, rows, quoted, bom):
    header = [f"column {number}" for number in range(len(rows[0]))]
    text = written([header, *rows], quoting=csv.QUOTE_ALL if quoted or len(header) == 1 else csv.QUOTE_MINIMAL)
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_text(text, encoding="utf-8-sig" if bom else "utf-8", newline="")
    table = read_csv(path, header)
    assert list(table.columns) == header
    assert table.to_numpy().tolist() == list(csv.reader(io.StringIO(text, newline="")))[1:]


def refused(tmp_path, data, columns=("a", "b")):
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read_csv(path, columns)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_an_empty_file_says_so(tmp_path, data):
    assert "is empty. Download it again." in refused(tmp_path, data)


def test_a_header_alone_is_no_table(tmp_path):
    assert "has a header and no rows" in refused(tmp_path, b"a,b\n")


def test_missing_columns_are_named_beside_those_found(tmp_path):
    assert "lacks the columns ['b']; found ['a', 'c']" in refused(tmp_path, b"a,c\n1,2\n")


@pytest.mark.parametrize("rows", [1, 60_000], ids=["small", "beyond the first block"])
def test_the_first_byte_that_is_not_utf8_is_located(tmp_path, rows):
    before = b"a,b\n" + "é,1\n".encode() * rows
    text = refused(tmp_path, before + b"caf\xe9,1\n" + b"x,y\n" * rows)
    assert f"not UTF-8 (line {rows + 2}, byte {len(before) + 3}: b'\\xe9')" in text and "iconv" in text


def test_utf16_is_not_utf8(tmp_path):
    assert "not UTF-8 (line 1, byte 0: b'\\xff')" in refused(tmp_path, "a,b\n1,2\n".encode("utf-16"))


@pytest.mark.parametrize(
    "data", [b"a,b\n1,2\n3,4,5\n", b"a,b\n1,2,\n3,4,\n", b"a,b\n1,2,3\n4,5,6\n", b'a,b\n1,"2\n', b'a,b\n"1,2\n3,4\n']
)
def test_rows_that_do_not_fit_the_header_are_no_table(tmp_path, data):
    text = refused(tmp_path, data)
    assert "is not a CSV table" in text and "\n" not in text


def test_an_error_of_the_system_is_left_to_the_error_map(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "no.csv", ["a"])


# ---- Files

stems = st.sampled_from(["a", "b", "a.b", "A", "ä", " "])
paths = st.sets(
    st.tuples(st.sampled_from(["", "x", "x/y"]), stems, st.sampled_from([".jpg", ".png", ".mp4"])), max_size=8
)


@given(paths)
def test_by_stem_keeps_names_that_are_there_once_and_logs_the_others(tmp_path_factory, parts):
    root, log = Path("/data"), ProblemLog(tmp_path_factory.mktemp("log"))
    files = [root / folder / f"{stem}{suffix}" for folder, stem, suffix in sorted(parts)]
    times: dict[str, list[str]] = {}
    for folder, stem, suffix in sorted(parts):
        times.setdefault(stem, []).append(os.path.join(folder, f"{stem}{suffix}"))
    found = by_stem(files, root, log)
    assert {stem: str(path.relative_to(root)) for stem, path in found.items()} == {
        stem: names[0] for stem, names in times.items() if len(names) == 1
    }
    assert {p.item: (p.where, f"{len(times[p.item])} files" in p.what) for p in log} == {
        stem: (", ".join(names), True) for stem, names in times.items() if len(names) > 1
    }


def test_an_unsafe_file_name_is_logged_and_left_out(tmp_path):
    log = ProblemLog(tmp_path)
    bad = ["tab\there.jpg", os.fsdecode(b"caf\xe9.jpg"), "back\\slash.jpg", "C:drive.jpg"]
    files = [Path("/data", "sub", name) for name in bad]
    assert by_stem([*files, Path("/data/good.jpg")], Path("/data"), log) == {"good": Path("/data/good.jpg")}
    found = {problem.where: problem for problem in log}
    assert set(found) == {r"sub/tab\there.jpg", r"sub/caf\udce9.jpg", "sub/back\\slash.jpg", "sub/C:drive.jpg"}
    assert all("unsafe file name" in p.what and p.item is None for p in found.values())


ids = st.sets(st.sampled_from("abcdefgh"))


@given(ids, ids, ids)
def test_match_pairs_and_names_both_kinds_of_leftovers(tmp_path_factory, items, files, known):
    log = ProblemLog(tmp_path_factory.mktemp("log"))
    assert match(items, files, log, known=known) == sorted(items & files)
    told = [(problem.where, problem.item, "has no file" in problem.what) for problem in log]
    assert told == [(i, i, True) for i in sorted(items - files)] + [
        (i, i, False) for i in sorted(files - items - known)
    ]
    assert all("--skip-bad" in problem.what for problem in log)


@given(st.binary(max_size=100))
def test_sha256_of_a_file(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("sha") / "file"
    path.write_bytes(data)
    assert sha256_of(path) == hashlib.sha256(data).hexdigest()


# ---- Where a source is


def test_a_folder_is_its_own_source(tmp_path):
    assert fetch(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    "text", ["no/such/folder", "/no/such", "", "a b/c", "org/name/", "../org", "./org", "table.csv"]
)
def test_neither_folder_nor_hub_id(text, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").touch()
    monkeypatch.setattr(source, "snapshot_download", lambda *args, **options: pytest.fail("asked the Hub"))
    with pytest.raises(SourceError, match="is not a folder. Give a folder, or a Hub dataset id"):
        fetch(text)


def test_a_hub_id_is_fetched_as_a_dataset(monkeypatch, tmp_path):
    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(source, "snapshot_download", lambda *a, **o: asked.append((a, o)) or "/cache/snapshot")
    assert fetch("laion/emonet-face-hq") == Path("/cache/snapshot")
    assert asked == [(("laion/emonet-face-hq",), {"repo_type": "dataset"})]


class _Response:
    headers: dict[str, str] = {}
    request = None


@pytest.mark.parametrize(
    "error",
    [
        HfHubHTTPError("404 Not Found", response=_Response()),
        HFValidationError("a--b"),
        LocalEntryNotFoundError("offline"),
        OSError("x"),
    ],
)
def test_a_hub_that_does_not_answer_is_an_error_that_says_what_to_do(monkeypatch, tmp_path, error):
    def fail(*args, **options):
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(source, "snapshot_download", fail)
    with pytest.raises(SourceError, match="'org/name' is not a folder here.*connection.*hf auth login"):
        fetch("org/name")
