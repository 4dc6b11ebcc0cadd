"""A folder appears whole or not at all, whatever happens to the process that writes it."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emohub.data.runs import carry_over, replacing
from emohub.errors import BuildError
from tests import patience
from tests.raw_inputs import tree

OLD = {"README.md": b"old", "hq/a.parquet": b"rows"}


def make(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir())


@pytest.fixture
def out(tmp_path) -> Path:
    """A folder as an earlier run made it."""
    return make(tmp_path / "parent" / "repo", OLD)


# ---- One writer


def test_a_new_folder_appears_when_the_block_ends_and_not_before(tmp_path):
    out = tmp_path / "deep" / "er" / "repo"
    with replacing(out) as work:
        make(work, {"a/b": b"new"})
        assert work.parent == out.parent and not out.exists()
    assert tree(out) == {"a/b": b"new"} and beside(out) == ["repo"]


def test_an_old_folder_is_whole_until_it_is_replaced_as_a_whole(out):
    with replacing(out) as work:
        assert list(work.iterdir()) == []
        make(work, {"README.md": b"new"})
        assert tree(out) == OLD
    assert tree(out) == {"README.md": b"new"} and beside(out) == ["repo"]


@pytest.mark.parametrize(
    "error", [ValueError("x"), OSError(28, "no space"), KeyboardInterrupt(), SystemExit(1)], ids=repr
)
@pytest.mark.parametrize("is_new", [False, True])
def test_an_exception_leaves_what_was_there(out, error, is_new):
    out = out.with_name("other") if is_new else out
    inode = None if is_new else out.stat().st_ino
    with pytest.raises(type(error)), replacing(out) as work:
        make(work, {"half": b"written"})
        raise error
    assert beside(out) == ["repo"]
    assert tree(out.with_name("repo")) == OLD
    assert inode is None or out.stat().st_ino == inode


def test_the_same_folder_can_be_replaced_again_and_again(out):
    for number in range(3):
        with contextlib.suppress(ValueError), replacing(out) as work:
            make(work, {"number": b"%d" % number})
            if number == 1:
                raise ValueError
    assert tree(out) == {"number": b"2"} and beside(out) == ["repo"]


@pytest.mark.parametrize("failing", [1, 2], ids=["first rename", "second rename"])
def test_a_rename_that_fails_leaves_what_was_there(out, monkeypatch, failing):
    renames, rename = [], Path.rename

    def fail(self, target):
        renames.append(target)
        if len(renames) == failing:
            raise OSError(39, "cannot rename")
        return rename(self, target)

    with pytest.raises(OSError, match="cannot rename"), replacing(out) as work:
        make(work, {"README.md": b"new"})
        monkeypatch.setattr(Path, "rename", fail)
    assert len(renames) >= failing
    assert tree(out) == OLD and beside(out) == ["repo"]


def test_a_link_to_a_folder_stays_a_link(out, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(out)
    for data in (b"one", b"two"):
        with replacing(link) as work:
            make(work, {"README.md": data})
        assert link.is_symlink() and tree(out) == {"README.md": data}
        assert beside(out) == ["repo"] and beside(link) == ["link", "parent"]


def test_a_relative_folder_is_meant_from_where_the_run_began(out, tmp_path, monkeypatch):
    monkeypatch.chdir(out.parent)
    with replacing(Path("repo")) as work:
        make(work, {"a": b"new"})
        monkeypatch.chdir(tmp_path)
    assert tree(out) == {"a": b"new"} and beside(out) == ["repo"]


# ---- What a killed run left


def test_leftovers_of_a_killed_run_are_cleared(out):
    make(out.with_name(".repo.building"), {"half": b"written", "deep/er": b"x"})
    make(out.with_name(".repo.old"), {"older": b"x"})
    out.with_name(".repo.lock").touch()
    with replacing(out) as work:
        assert list(work.iterdir()) == [] and tree(out) == OLD
        make(work, {"a": b"new"})
    assert tree(out) == {"a": b"new"} and beside(out) == ["repo"]


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_run_killed_between_its_two_renames_is_undone(out, ends_well):
    out.rename(out.with_name(".repo.old"))
    make(out.with_name(".repo.building"), {"a": b"complete, but never renamed"})
    with contextlib.suppress(ValueError), replacing(out) as work:
        assert tree(out) == OLD and list(work.iterdir()) == []
        make(work, {"a": b"new"})
        if not ends_well:
            raise ValueError
    assert tree(out) == ({"a": b"new"} if ends_well else OLD) and beside(out) == ["repo"]


WRITER = """
import os, sys, time
from pathlib import Path
from emohub.data.runs import replacing

out, stop = Path(sys.argv[1]), sys.argv[2]
rename = Path.rename

def rename_and_stop(self, target):
    rename(self, target)
    if target.name == stop:
        print("here", flush=True)
        time.sleep(60)

Path.rename = rename_and_stop
with replacing(out) as work:
    (work / "a").write_text("new")
    if stop == "inside":
        print("here", flush=True)
        time.sleep(60)
"""


@contextlib.contextmanager
def writer(out: Path, stop: str):
    """A process that stops for us inside the block, or after a rename to a name."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(out), stop], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"here\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("stop", "left", "then"),
    [
        ("inside", [".repo.building", ".repo.lock", "repo"], OLD),
        (".repo.old", [".repo.building", ".repo.lock", ".repo.old"], OLD),
        ("repo", [".repo.lock", ".repo.old", "repo"], {"a": b"new"}),
    ],
)
def test_kill_9_at_any_point_is_recovered_by_the_next_run(out, stop, left, then):
    with writer(out, stop) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert beside(out) == left
    with pytest.raises(ValueError), replacing(out):
        assert tree(out) == then
        raise ValueError
    assert tree(out) == then and beside(out) == ["repo"]


@pytest.mark.parametrize("stop", ["inside", ".repo.old"])
def test_ctrl_c_cleans_up_at_once(out, stop):
    with writer(out, stop) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=patience.ANSWER)
    assert tree(out) == OLD and beside(out) == ["repo"]


# ---- Two writers


def test_a_second_writer_is_refused_and_harms_nothing(out):
    with writer(out, "inside"):
        with pytest.raises(
            BuildError, match="Another `emohub build` is writing .*repo. Wait for it, or choose another --out"
        ):
            with replacing(out):
                pytest.fail("two writers")
        assert beside(out) == [".repo.building", ".repo.lock", "repo"]
        assert tree(out) == OLD and tree(out.with_name(".repo.building")) == {"a": b"new"}


def test_a_second_writer_in_the_same_process_is_refused_too(out):
    with replacing(out) as work:
        make(work, {"a": b"new"})
        with pytest.raises(BuildError, match="Another `emohub build`"), replacing(out):
            pytest.fail("two writers")
        assert tree(work) == {"a": b"new"}
    assert tree(out) == {"a": b"new"}


def test_writers_of_other_folders_do_not_wait(out):
    with replacing(out) as one, replacing(out.with_name("other")) as two:
        make(one, {"a": b"1"})
        make(two, {"a": b"2"})
    assert beside(out) == ["other", "repo"] and tree(out) == {"a": b"1"}


def test_a_forked_worker_that_outlives_its_parent_holds_no_lock(out):
    """As the pool of a build that is killed: its workers wait for work for ever. Here the child says that it is up."""
    code = WRITER.replace("print(", "os.fork() and time.sleep(60); print(")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out), "inside"], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout.readline() == b"here\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        try:
            with replacing(out) as work:
                make(work, {"a": b"next"})
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert tree(out) == {"a": b"next"} and beside(out) == ["repo"]


# ---- carry_over

FILES = {
    "README.md": b"card",
    "build.json": b"{}",
    "hq/test-00000-of-00001.parquet": b"rows",
    "hq/deep/er.txt": b"x",
    "big/hq/x.txt": b"a lower folder of the same name",
    ".gitattributes": b"hidden",
    "assets/labels.png": b"",
}


def test_carry_over_takes_everything_but_the_named_top_level(tmp_path):
    old, new = make(tmp_path / "old", FILES), tmp_path / "new"
    carry_over(old, new, without={"hq", "README.md", "not there"})
    assert tree(new) == {name: data for name, data in FILES.items() if name.split("/")[0] not in ("hq", "README.md")}
    assert tree(old) == FILES


def test_carry_over_follows_no_link(tmp_path):
    old = make(tmp_path / "old", {"a": b"a"})
    make(tmp_path / "elsewhere", {"secret": b"s"})
    (old / "file").symlink_to(tmp_path / "elsewhere" / "secret")
    (old / "folder").symlink_to(tmp_path / "elsewhere")
    (old / "dangling").symlink_to(tmp_path / "nowhere")
    carry_over(old, tmp_path / "new", without=set())
    assert tree(tmp_path / "new") == {"a": b"a"}


def test_carry_over_of_nothing(tmp_path):
    carry_over(tmp_path / "none", tmp_path / "new", without=set())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("can_link", [True, False])
def test_carry_over_links_where_it_can_and_copies_where_it_cannot(tmp_path, monkeypatch, can_link):
    def no_link(*args):
        raise OSError(95, "no hard links here")

    if not can_link:
        monkeypatch.setattr(os, "link", no_link)
    old, new = make(tmp_path / "old", FILES), tmp_path / "new"
    os.utime(old / "build.json", (1, 1))
    carry_over(old, new, without=set())
    assert tree(new) == FILES
    assert all(((old / name).stat().st_ino == (new / name).stat().st_ino) == can_link for name in FILES)
    assert (new / "build.json").stat().st_mtime == 1
