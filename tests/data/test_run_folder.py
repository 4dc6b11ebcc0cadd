"""Files that are written whole, and runs that resume after a kill or a failure, never with another plan."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from emohub.data.runs import MANIFEST, STARTED, locked, replacing_file, run_folder, write_file, write_json
from emohub.errors import BuildError

PLAN = {"model": {"name": "m", "revision": "a"}, "shards": ["0", "1", "2"]}
COMMAND = "emohub embed"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- One file


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("content", ["é\r\n\n", b"\x00\xff", ""])
def test_a_file_is_written_as_given(tmp_path, content, durable):
    write_file(tmp_path / "a", content, durable=durable)
    assert (tmp_path / "a").read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError("x"), OSError(28, "no space"), KeyboardInterrupt()], ids=repr)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "a").write_text("old")
    with pytest.raises(type(error)), replacing_file(tmp_path / "a") as half:
        half.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "old" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_permissions_are_kept(tmp_path, mode):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(mode)
    write_json(path, {"é": 1})
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_text("utf-8") == '{\n  "é": 1\n}\n'


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "deep" / "real").read_text() == "new"
    assert names(tmp_path / "deep") == ["real"]


def test_the_other_name_of_a_hard_link_keeps_its_content(tmp_path):
    (tmp_path / "a").write_text("shared")
    os.link(tmp_path / "a", tmp_path / "b")
    write_file(tmp_path / "a", "new")
    assert (tmp_path / "b").read_text() == "shared"


# ---- Locks


def test_a_lock_taken_at_the_moment_of_a_release_holds(tmp_path, monkeypatch):
    """The next holder comes before the last one has left its block: its lock must guard the name, not an old inode."""
    out, release, next_one = tmp_path / "out", FileLock.release, contextlib.ExitStack()

    def release_and_be_overtaken(self, *args, **kwargs):
        release(self, *args, **kwargs)
        monkeypatch.setattr(FileLock, "release", release)
        next_one.enter_context(locked(out, COMMAND))

    with next_one:
        with locked(out, COMMAND):
            monkeypatch.setattr(FileLock, "release", release_and_be_overtaken)
        with pytest.raises(BuildError, match="Another `emohub embed` is writing"), locked(out, COMMAND):
            pytest.fail("two holders")
    assert names(tmp_path) == []


# ---- One run


def attempt(out: Path, plan: dict, write: int, *, finish: bool = False) -> dict | None:
    """Write the missing ones of the first `write` outputs; stop there, or finish. Returns an earlier manifest."""
    with run_folder(out, plan, COMMAND, outputs=PLAN["shards"]) as run:
        if run.record is not None:
            return run.record
        for name in PLAN["shards"][:write]:
            if not (out / name).exists():
                write_file(out / name, f"{name} of {plan['model']['revision']}")
        if not finish:
            raise InterruptedError
        run.finish(rows=3)
    return None


def test_a_run_is_resumed_and_finished_once(tmp_path):
    out = tmp_path / "deep" / "out"
    with pytest.raises(InterruptedError):
        attempt(out, PLAN, 2)
    assert names(out) == [STARTED, "0", "1"] and json.loads((out / STARTED).read_text()) == PLAN
    assert attempt(out, PLAN, 3, finish=True) is None
    assert names(out) == ["0", "1", "2", MANIFEST]
    assert attempt(out, PLAN, 0) == {**PLAN, "rows": 3} == json.loads((out / MANIFEST).read_text())


def test_another_plan_is_refused_with_what_differs(tmp_path):
    other = {"model": {"name": "m", "revision": "b"}, "shards": ["0", "1", "2"], "dtype": "bfloat16"}
    with pytest.raises(InterruptedError):
        attempt(tmp_path, PLAN, 1)
    for finish in (False, True):
        if finish:
            attempt(tmp_path, PLAN, 3, finish=True)
        before = names(tmp_path)
        with pytest.raises(BuildError) as refused:
            attempt(tmp_path, other, 3)
        assert str(refused.value) == (
            f"{tmp_path} holds a run of `emohub embed` with other settings:\n"
            "  - model.revision: was a, is b\n  - dtype: was None, is bfloat16\n"
            "Repeat its settings to resume it, choose another --out, or remove the folder."
        )
        assert names(tmp_path) == before


def test_a_run_without_outputs_binds_nobody(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InterruptedError):
        attempt(out, PLAN, 0)
    assert not out.exists(), "a folder that was made for nothing"
    write_json(tmp_path / STARTED, PLAN)  # killed before the first output
    (tmp_path / ".0.writing").write_bytes(b"half")
    with pytest.raises(InterruptedError):
        attempt(tmp_path, PLAN | {"dtype": "bfloat16"}, 1)
    assert names(tmp_path) == [STARTED, "0"]


def test_an_empty_folder_of_the_user_stays(tmp_path):
    with pytest.raises(InterruptedError):
        attempt(tmp_path, PLAN, 0)
    assert names(tmp_path) == []


def test_a_lost_output_reopens_a_finished_run(tmp_path):
    attempt(tmp_path, PLAN, 3, finish=True)
    (tmp_path / "1").unlink()
    with pytest.raises(InterruptedError):
        attempt(tmp_path, PLAN, 0)
    assert names(tmp_path) == [STARTED, "0", "2"]
    attempt(tmp_path, PLAN, 3, finish=True)
    assert attempt(tmp_path, PLAN, 0) == {**PLAN, "rows": 3}


def test_files_of_somebody_else_are_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("x")
    with pytest.raises(BuildError, match=r"was not made by `emohub embed`: it holds 'thesis.txt'"):
        attempt(tmp_path / "out", PLAN, 1)
    assert names(tmp_path / "out") == ["thesis.txt"]
    with pytest.raises(BuildError, match="is a file"):
        attempt(tmp_path / "out" / "thesis.txt", PLAN, 1)


@pytest.mark.parametrize("name", [STARTED, MANIFEST])
@pytest.mark.parametrize("content", ["{", "[1]", "", "7"])
def test_a_damaged_record_is_named(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    (tmp_path / "0").write_text("x")
    with pytest.raises(BuildError, match=rf"{name} is damaged .*Remove "):
        attempt(tmp_path, PLAN, 1)


def test_logs_bind_nobody_and_may_stay(tmp_path):
    (tmp_path / "log.csv").write_text("older")
    for dtype in ("a", "b"):
        with (
            pytest.raises(InterruptedError),
            run_folder(tmp_path, {"dtype": dtype}, "emohub train", logs=["log.csv"]),
        ):
            raise InterruptedError
    assert names(tmp_path) == ["log.csv"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.booleans()), max_size=8))
@settings(max_examples=60)
def test_no_sequence_of_attempts_mixes_two_plans(attempts):
    """Each attempt has a plan, writes some outputs, and finishes if it can: the folder is always one run's."""
    with tempfile.TemporaryDirectory() as folder:
        out, owner, done, finished = Path(folder, "out"), None, 0, False
        for revision, write, finish in attempts:
            finish = finish and max(write, done) == 3
            plan = {**PLAN, "model": {"name": "m", "revision": revision}}
            if owner not in (None, revision):
                with pytest.raises(BuildError, match="other settings"):
                    attempt(out, plan, write)
            elif finished:
                assert attempt(out, plan, write) == {**plan, "rows": 3}
            else:
                with contextlib.nullcontext() if finish else pytest.raises(InterruptedError):
                    attempt(out, plan, write, finish=finish)
                done, finished = max(done, write), finish
                owner = revision if done else None
            wanted = {*PLAN["shards"][:done], *([MANIFEST] if finished else [STARTED] if done else [])}
            assert ({*names(out)} if out.exists() else set()) == wanted
            assert all((out / name).read_text() == f"{name} of {owner}" for name in PLAN["shards"][:done])


# ---- A run with a journal of its own, killed

JOURNALLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from emohub.data.runs import run_folder, write_file
out, die = Path(sys.argv[1]), int(sys.argv[2])
with run_folder(out, {"items": 6}, "emohub rate", outputs=["ratings.csv"]) as run:
    if run.record is None:
        journal = sqlite3.connect(out / "journal.sqlite")
        journal.execute("create table if not exists answers (item integer primary key, rating integer)")
        known = {item for item, in journal.execute("select item from answers")}
        for item in sorted({*range(6)} - known):
            journal.execute("insert into answers values (?, ?)", (item, item * item))
            if item == die:
                os.kill(os.getpid(), signal.SIGKILL)
            journal.commit()
        rows = journal.execute("select item, rating from answers order by item").fetchall()
        journal.close()
        write_file(out / "ratings.csv", "".join(f"{item},{rating}\\n" for item, rating in rows))
        run.finish(asked=len({*range(6)} - known))
"""


def test_a_journal_survives_kills_beside_the_outputs(tmp_path):
    def run(die: int) -> int:
        return subprocess.run([sys.executable, "-c", JOURNALLED, str(tmp_path / "out"), str(die)]).returncode

    assert [run(2), run(5), run(-1), run(0)] == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]
    assert (tmp_path / "out" / "ratings.csv").read_text() == "0,0\n1,1\n2,4\n3,9\n4,16\n5,25\n"
    assert json.loads((tmp_path / "out" / MANIFEST).read_text()) == {"items": 6, "asked": 1}
    assert names(tmp_path / "out") == ["journal.sqlite", MANIFEST, "ratings.csv"]
    with contextlib.closing(sqlite3.connect(tmp_path / "out" / "journal.sqlite")) as journal:
        assert journal.execute("select count(*) from answers").fetchone() == (6,)


# ---- A manifest of another name, and a run that is extended


def test_a_finished_run_that_is_not_all_that_is_wanted_goes_on(tmp_path):
    def rated(wanted: int) -> dict:
        done = {"manifest": "run.json", "complete": lambda record: record["items"] == wanted}
        with run_folder(tmp_path / "out", PLAN, COMMAND, outputs=["a"], **done) as run:
            if run.record is not None:
                return {**run.record, "before": True}
            assert not (tmp_path / "out/run.json").exists() and (tmp_path / "out" / STARTED).exists()
            write_file(run.folder / "a", str(wanted))
            return run.finish(items=wanted)

    assert rated(2) == {**PLAN, "items": 2} and rated(2)["before"] is True
    assert rated(5) == {**PLAN, "items": 5} and (tmp_path / "out/a").read_text() == "5"
    assert names(tmp_path / "out") == ["a", "run.json"]
    with (
        pytest.raises(BuildError, match="with other settings"),
        run_folder(tmp_path / "out", {**PLAN, "shards": []}, COMMAND, manifest="run.json", complete=lambda _: False),
    ):
        pass
    with pytest.raises(BuildError, match="was not made by"), run_folder(tmp_path / "out", PLAN, COMMAND):
        pass
