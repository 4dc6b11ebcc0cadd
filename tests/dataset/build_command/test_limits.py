"""Where a build may write and read, what a kill leaves, options of a dataset, errors of workers."""

import contextlib
import errno
import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emohub.dataset import build as build_module
from emohub.dataset.registry import find
from emohub.errors import BuildError, EmohubError, SourceError
from tests import patience
from tests import raw_inputs as raw
from tests.dataset.build_command.inputs import ALL, beside, card, metadata, record


@pytest.mark.parametrize("kind", ["folder with files", "file", "folder with a folder"])
def test_a_folder_that_emohub_did_not_make_is_refused(chehre, tmp_path, kind):
    out = tmp_path / "precious"
    if kind == "file":
        out.write_text("mine")
    else:
        (out / "sub").mkdir(parents=True)
        if kind == "folder with files":
            (out / "thesis.tex").write_text("mine")
    before = raw.tree(tmp_path)
    with pytest.raises(BuildError, match="precious .*was not made by .*Choose another --out"):
        raw.build("chehre", chehre, out)
    assert raw.tree(tmp_path) == before and beside(out) == ["precious", "source"]


def test_an_empty_folder_is_taken(chehre, tmp_path):
    (tmp_path / "repo").mkdir()
    raw.build("chehre", chehre, tmp_path / "repo", "emoji_ratings")
    assert beside(tmp_path / "repo") == ["repo", "source"]


def test_the_repo_of_another_dataset_is_refused(repos, tmp_path):
    for name, other in (("chehre", "emonet-face"), ("emonet-face", "chehre")):
        repo = tmp_path / name
        raw.build(name, repos[name].parent / f"{name}-source", repo, ALL[name][-1])
        before = raw.tree(repo)
        with pytest.raises(BuildError, match=f"{name}.*--out"):
            raw.build(other, repos[other].parent / f"{other}-source", repo, ALL[other][-1])
        assert raw.tree(repo) == before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "webpack"}', "{"])
def test_a_build_json_of_another_tool_is_no_licence_to_replace(chehre, tmp_path, content):
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "build.json").write_text(content)
    (repo / "app.js").write_text("mine")
    before = raw.tree(repo)
    with pytest.raises(BuildError, match="not made by .*Choose another --out"):
        raw.build("chehre", chehre, repo, "emoji_ratings")
    assert raw.tree(repo) == before and beside(repo) == ["repo", "source"]


def test_unknown_names_are_answered_with_the_valid_ones(chehre, tmp_path):
    with pytest.raises(EmohubError, match="Unknown dataset 'faces'; valid are chehre, emonet-face"):
        raw.build("faces", chehre, tmp_path / "repo")
    with pytest.raises(EmohubError, match=r"Unknown configs \['hq'\]; valid are videos, label_ratings, emoji_ratings"):
        raw.build("chehre", chehre, tmp_path / "repo", "videos", "hq")
    assert beside(tmp_path / "repo") == ["source"]


@pytest.mark.parametrize("name", ALL)
def test_a_source_without_anything_to_build_from_lists_what_it_holds(tmp_path, name):
    (tmp_path / "source" / "docs").mkdir(parents=True)
    (tmp_path / "source" / "notes.txt").touch()
    with pytest.raises(SourceError, match=r"holds nothing to build.*\['docs', 'notes.txt'\].*--help"):
        raw.build(name, tmp_path / "source", tmp_path / "repo")
    assert beside(tmp_path / "repo") == ["source"]


def test_only_what_the_source_allows_is_built_by_default(tmp_path):
    source = raw.write_emonet(tmp_path / "source", hq=False, big=False)
    for path in source.glob("part-*/*.json"):
        path.unlink()
    assert list(raw.build("emonet-face", source, tmp_path / "repo")["configs"]) == ["binary_ratings", "emotions"]


def test_no_local_path_gets_into_the_repo(repos, tmp_path):
    for name, repo in repos.items():
        assert record(repo)["configs"][ALL[name][0]]["source"] == f"{name}-source"
        for path, data in raw.tree(repo).items():
            assert str(repo.parent).encode() not in data, path


def test_inputs_are_recorded_by_their_hash(repos):
    source = repos["chehre"].parent / "chehre-source"
    for made in record(repos["chehre"])["configs"].values():
        assert made["inputs"] == {
            name: hashlib.sha256((source / name).read_bytes()).hexdigest() for name in ("labels.csv", "emojis.csv")
        }


BUILD = """
import os, sys, time
from pathlib import Path
from emohub.dataset import build as module
from tests import raw_inputs as raw

def stop(*args, **options):
    os.write(1, b"here\\n")  # at once and whole, from any worker
    time.sleep(60)

step, source, out, num_proc = sys.argv[1:]
if step == "card":
    from emohub.dataset import card as cards
    cards.write_dataset_card = stop
else:
    from emohub.dataset.registry import find
    sys.modules[find("chehre").builder.__module__].check_video = stop
raw.build("chehre", Path(source), Path(out), "videos", "emoji_ratings", num_proc=int(num_proc))
"""


@contextlib.contextmanager
def stopped_build(step: str, source: Path, out: Path, num_proc: int = 1) -> Iterator[subprocess.Popen]:
    """A build that waits in the middle of reading videos, or before the card; its workers end with the test."""
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, step, str(source), str(out), str(num_proc)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout.readline() == b"here\n"
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def many(tmp_path) -> Path:
    """Videos of so many performers that two processes share the training split."""
    (tmp_path / "source").mkdir()
    items = [raw.VIDEOS[0].replace("00000000-", f"{number:08x}-", 1) for number in range(10)]
    return raw.write_chehre(tmp_path / "source", {item: raw.some_answers(item) for item in items})


@pytest.mark.parametrize(("step", "num_proc"), [("card", 1), ("rows", 1), ("rows", 2)])
def test_a_build_killed_in_the_middle_leaves_the_repo_and_the_next_one_starts_clean(many, tmp_path, step, num_proc):
    repo = tmp_path / "repo"
    raw.build("chehre", many, repo, "label_ratings")
    before = raw.tree(repo)
    with stopped_build(step, many, repo, num_proc) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert beside(repo) == [".repo.building", ".repo.lock", "repo", "source"]
        assert raw.tree(repo) == before and raw.tree(repo.with_name(".repo.building"))
        raw.build("chehre", many, repo, "videos", "emoji_ratings")  # workers of the killed one are still there
    assert beside(repo) == ["repo", "source"]
    raw.build("chehre", many, tmp_path / "clean", "videos", "label_ratings", "emoji_ratings")
    assert raw.tree(repo) == raw.tree(tmp_path / "clean")


def test_a_build_killed_between_its_two_renames_loses_no_config(chehre, tmp_path):
    repo = tmp_path / "repo"
    raw.build("chehre", chehre, repo, "label_ratings")
    repo.rename(repo.with_name(".repo.old"))
    raw.build("chehre", chehre, repo, "emoji_ratings")
    assert beside(repo) == ["repo", "source"]
    raw.build("chehre", chehre, tmp_path / "clean", "label_ratings", "emoji_ratings")
    assert raw.tree(repo) == raw.tree(tmp_path / "clean")


def test_a_config_that_another_build_added_while_we_fetched_is_kept(chehre, tmp_path, monkeypatch):
    repo, fetch = tmp_path / "repo", build_module.fetch

    def slow_fetch(source: str) -> Path:
        monkeypatch.setattr(build_module, "fetch", fetch)
        raw.build("chehre", chehre, repo, "label_ratings")
        return fetch(source)

    monkeypatch.setattr(build_module, "fetch", slow_fetch)
    raw.build("chehre", chehre, repo, "emoji_ratings")
    assert list(record(repo)["configs"]) == ["label_ratings", "emoji_ratings"]
    assert {info["config_name"] for info in metadata(repo)["dataset_info"]} == {"label_ratings", "emoji_ratings"}


def test_a_first_build_that_is_killed_leaves_no_repo(many, tmp_path):
    repo = tmp_path / "repo"
    with stopped_build("rows", many, repo) as process:
        process.kill()
        process.wait()
    assert beside(repo) == [".repo.building", ".repo.lock", "source"]
    with pytest.raises(BuildError):
        raw.build("chehre", many, repo, allow_partial=False)
    assert beside(repo) == ["source"]


def test_ctrl_c_in_the_middle_leaves_nothing(many, tmp_path):
    with stopped_build("rows", many, tmp_path / "repo") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=patience.ANSWER) != 0
    assert beside(tmp_path / "repo") == ["source"]


def test_two_builds_of_one_folder_at_the_same_time_are_refused(many, tmp_path):
    with stopped_build("rows", many, tmp_path / "repo"):
        with pytest.raises(BuildError, match="Another `emohub build` is writing"):
            raw.build("chehre", many, tmp_path / "repo", "emoji_ratings")
        raw.build("chehre", many, tmp_path / "other", "emoji_ratings")


def test_a_choice_is_recorded_and_decides_the_labels(emonet, tmp_path):
    def labels(**options) -> dict[str, int]:
        made = raw.build("emonet-face", emonet, tmp_path / "repo", "binary", **options)["configs"]["binary"]
        rows = [
            row for path in (tmp_path / "repo" / "binary").glob("*.parquet") for row in pq.read_table(path).to_pylist()
        ]
        return made["choices"], {row["item"]: row["labels"].count(1) for row in rows}

    assert labels() == ({"positives": "consensus"}, {"00000": 0, "02000": 0, "02001": 1})
    assert "`--positives consensus`" in card(tmp_path / "repo") and "three raters in a row" in card(tmp_path / "repo")
    assert labels(choices={"positives": "any"}) == ({"positives": "any"}, {"00000": 0, "02000": 1, "02001": 2})
    assert "`--positives any`" in card(tmp_path / "repo")


@pytest.mark.parametrize(
    ("name", "choices", "says"),
    [
        ("emonet-face", {"positives": "all"}, "positives is 'all'; valid are consensus, majority, any"),
        ("emonet-face", {"negatives": "any"}, "emonet-face has no option 'negatives'; it has positives"),
        ("chehre", {"positives": "any"}, "chehre has no option 'positives'; it has none of its own"),
    ],
)
def test_a_choice_that_there_is_not_is_refused(repos, name, choices, says, tmp_path):
    with pytest.raises(EmohubError, match=re.escape(says)):
        raw.build(name, repos[name].parent / f"{name}-source", tmp_path / "repo", choices=choices)
    assert not (tmp_path / "repo").exists()


def fail_in_workers(monkeypatch, fail) -> None:
    builder, parent = find("chehre").builder, os.getpid()

    def rows(self, refs):
        if os.getpid() != parent:
            fail()
        raise AssertionError("not in a worker")
        yield

    monkeypatch.setattr(builder, "rows", rows)


def test_an_error_of_a_worker_is_raised_as_itself(many, tmp_path, monkeypatch):
    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    fail_in_workers(monkeypatch, fail)
    with pytest.raises(OSError, match="No space left") as caught:
        raw.build_data("chehre", many, tmp_path / "repo", "videos", num_proc=2)
    assert type(caught.value) is OSError and caught.value.errno == errno.ENOSPC
    assert beside(tmp_path / "repo") == ["source"]


def test_a_worker_that_was_killed_is_told_as_such(many, tmp_path, monkeypatch):
    fail_in_workers(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(BuildError, match="worker process of config 'videos' was killed.*smaller --num-proc"):
        raw.build_data("chehre", many, tmp_path / "repo", "videos", num_proc=2)
    assert beside(tmp_path / "repo") == ["source"]
