"""A dataset repo is built whole or not at all, config by config, and says how it differs from the published data."""

import contextlib
import errno
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import DatasetCard

from emohub.dataset import build as build_module
from emohub.dataset.registry import find
from emohub.errors import BuildError, EmohubError, SourceError
from tests import raw_inputs as raw

ALL = {"emonet-face": ["hq", "binary", "big", "hq_ratings", "binary_ratings", "emotions"]}
ALL["chehre"] = ["videos", "label_ratings", "emoji_ratings", "rankings"]


@pytest.fixture
def emonet(tmp_path) -> Path:
    return raw.write_emonet(tmp_path / "source")


@pytest.fixture
def chehre(tmp_path) -> Path:
    (tmp_path / "source").mkdir()
    return raw.write_chehre(tmp_path / "source")


@pytest.fixture(scope="module")
def repos(tmp_path_factory) -> dict[str, Path]:
    """Both datasets, every config, as a first build makes them: do not change."""
    folder = tmp_path_factory.mktemp("repos")
    (folder / "chehre-source").mkdir()
    sources = {
        "emonet-face": raw.write_emonet(folder / "emonet-face-source"),
        "chehre": raw.write_chehre(folder / "chehre-source"),
    }
    for name, source in sources.items():
        raw.build(name, source, folder / name)
    return {name: folder / name for name in sources}


def card(repo: Path) -> str:
    return (repo / "README.md").read_text(encoding="utf-8")


def metadata(repo: Path) -> dict:
    return yaml.safe_load(card(repo).split("\n---\n")[0].removeprefix("---\n"))


def record(repo: Path) -> dict:
    return json.loads((repo / "build.json").read_text(encoding="utf-8"))


def beside(repo: Path) -> list[str]:
    return sorted(path.name for path in repo.parent.iterdir())


# ---- What is in a repo


@pytest.mark.parametrize("name", ALL)
def test_a_repo_holds_parquet_card_picture_and_record_and_nothing_else(repos, name):
    shape = re.compile(
        rf"({'|'.join(ALL[name])})/(train|validation|test)-\d{{5}}-of-\d{{5}}\.parquet|README\.md|LICENSE|build\.json|assets/labels\.png"
    )
    files = raw.tree(repos[name])
    assert not [path for path in files if not shape.fullmatch(path)]
    assert {path.split("/")[0] for path in files} == {*ALL[name], "README.md", "LICENSE", "build.json", "assets"}
    assert list(record(repos[name])["configs"]) == ALL[name]


@pytest.mark.parametrize("name", ALL)
def test_the_cards_yaml_is_what_the_files_hold(repos, name):
    repo, told = repos[name], metadata(repos[name])
    assert {entry["config_name"] for entry in told["configs"]} == set(ALL[name])
    assert [entry["config_name"] for entry in told["configs"] if entry.get("default")] == [ALL[name][0]]
    for entry in told["configs"]:
        for files in entry["data_files"]:
            assert list(repo.glob(files["path"])), files
    for info in told["dataset_info"]:
        paths = sorted((repo / info["config_name"]).glob("*.parquet"))
        counted: dict[str, int] = {}
        for path in paths:
            split = path.name.split("-")[0]
            counted[split] = counted.get(split, 0) + pq.read_metadata(path).num_rows
        assert {split["name"]: split["num_examples"] for split in info["splits"]} == counted
        assert [feature["name"] for feature in info["features"]] == pq.read_schema(paths[0]).names
        assert info["download_size"] == sum(path.stat().st_size for path in paths)
    assert DatasetCard.load(repo / "README.md").data.license


@pytest.mark.parametrize("name", ALL)
def test_the_same_input_builds_the_same_bytes(repos, name, tmp_path):
    source = repos[name].parent / f"{name}-source"
    raw.build(name, source, tmp_path / name)
    assert raw.tree(tmp_path / name) == raw.tree(repos[name])


def test_processes_change_neither_rows_nor_their_order(tmp_path):
    items = [raw.video("AF_Y_001", 0, "1f612").replace("00000000-", f"{n:08x}-", 1) for n in range(12)]
    (tmp_path / "source").mkdir()
    source = raw.write_chehre(tmp_path / "source", {item: raw.some_answers(item) for item in items})
    (source / "videos" / f"{items[3]}.mp4").write_bytes(raw.mp4()[:-50])
    told = {}
    for num_proc in (1, 2):
        repo = tmp_path / f"repo-{num_proc}"
        with pytest.raises(BuildError, match="1 problem") as caught:
            raw.build("chehre", source, repo, "videos", num_proc=num_proc)
        raw.build("chehre", source, repo, "videos", num_proc=num_proc, skip_bad=True)
        rows = {}
        for path in sorted((repo / "videos").glob("*.parquet")):
            rows.setdefault(path.name.split("-")[0], []).extend(pq.read_table(path).to_pylist())
        told[num_proc] = str(caught.value), raw.problems(repo), rows
        assert sum(map(len, rows.values())) == 11
        shards = [path.name for path in (repo / "videos").glob("train-*")]
        assert len(shards) == num_proc and all(name.endswith(f"-of-{num_proc:05d}.parquet") for name in shards)
    assert told[1] == told[2]
    assert beside(tmp_path / "repo-1") == ["repo-1", "repo-2", "source"]


# ---- Bytes


def foreign_files(folder: Path, names: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"not what was asked for")


def test_media_bytes_are_those_of_the_source_whatever_lies_in_the_working_directory(tmp_path, monkeypatch):
    """`datasets` prefers a file in the working directory to the bytes that it is given with the same name."""
    source = raw.write_emonet(tmp_path / "emonet-source")
    (tmp_path / "chehre-source").mkdir()
    raw.write_chehre(tmp_path / "chehre-source")
    (source / "hq" / "mid_0003.jpg").unlink()
    (source / "hq" / "mid_0003.png").write_bytes(raw.png(3) + bytes(3))  # padded, as some writers do
    stems = [*raw.HQ_ITEMS, *raw.BINARY_VOTES, *raw.BIG_KEYS, *(f"big-{key}" for key in raw.BIG_KEYS), *raw.VIDEOS]
    names = [f"{stem}{suffix}" for stem in stems for suffix in (".jpg", ".png", ".mp4")]
    foreign_files(tmp_path / "here", names)
    monkeypatch.chdir(tmp_path / "here")
    raw.build("emonet-face", source, tmp_path / "emonet-face")
    raw.build("chehre", tmp_path / "chehre-source", tmp_path / "chehre")
    given = {
        "hq": {item: raw.jpeg(n) for n, item in enumerate(raw.HQ_ITEMS)} | {"mid_0003": raw.png(3) + bytes(3)},
        "binary": {item: raw.jpeg(10 + n) for n, item in enumerate(raw.BINARY_VOTES)},
        "big": {f"big-{key}": raw.jpeg(20 + n) for n, key in enumerate(raw.BIG_KEYS)},
        "videos": {item: raw.mp4(n) for n, item in enumerate(raw.VIDEOS)},
    }
    for config, expected in given.items():
        folder = tmp_path / ("chehre" if config == "videos" else "emonet-face") / config
        column = "video" if config == "videos" else "image"
        cells = {
            row["item"]: row[column]
            for path in folder.glob("*.parquet")
            for row in pq.read_table(path, columns=["item", column]).to_pylist()
        }
        assert {item: cell["bytes"] for item, cell in cells.items()} == expected
        for item, cell in cells.items():
            assert Path(cell["path"]).name == cell["path"] and Path(cell["path"]).stem == item
            png = expected[item].startswith(b"\x89PNG")
            assert Path(cell["path"]).suffix == (".mp4" if column == "video" else ".png" if png else ".jpg")
    assert (tmp_path / "here" / "flux_0001.jpg").read_bytes() == b"not what was asked for"


# ---- Completeness

DIFFERS = {
    "hq": [
        "hq: 3 images, the published data count 2,500 (-2,497)",
        "hq: 3 images with 4 human ratings, the published data count 2,500 (-2,497)",
    ],
    "binary": [
        "binary: 3 images, the published data count 19,999 (-19,996)",
        "binary: 9 votes, the published data count 65,686 (-65,677)",
    ],
    "big": [
        "big: 3 images, the published data count 203,201 (the paper, App. B.1) or over 400,000 (upstream's README) "
        "(-203,198)"
    ],
    "emotions": [],
    "videos": [
        "videos: 3 videos, the published data count 2,111 (-2,108)",
        "videos: 3 performers, the published data count 203 (-200)",
    ],
}
DIFFERS |= {
    f"{new}": [line.replace(f"{old}:", f"{new}:") for line in DIFFERS[old]]
    for new, old in (
        ("hq_ratings", "hq"),
        ("binary_ratings", "binary"),
        ("label_ratings", "videos"),
        ("emoji_ratings", "videos"),
        ("rankings", "videos"),
    )
}


@pytest.mark.parametrize("name", ALL)
def test_less_than_the_published_data_is_an_error_that_names_every_difference(repos, name, tmp_path):
    source = repos[name].parent / f"{name}-source"
    with pytest.raises(BuildError) as caught:
        raw.build(name, source, tmp_path / "repo", allow_partial=False)
    text = str(caught.value)
    lines = [line for config in ALL[name] for line in DIFFERS[config]]
    assert re.findall(r"^  - (.*)$", text, re.MULTILINE) == lines
    assert "--allow-partial" in text and "Nothing was written" in text
    assert beside(tmp_path / "repo") == []


@pytest.mark.parametrize("name", ALL)
def test_partial_data_are_said_to_be_partial_in_card_and_record(repos, name):
    text, made = card(repos[name]), record(repos[name])["configs"]
    assert "not the complete published data" in text
    for config in ALL[name]:
        assert made[config]["differs"] == DIFFERS[config]
        for line in DIFFERS[config]:
            (shown,) = [shown for shown in text.split("\n") if shown.startswith("> - ") and f"`{config}`" in shown
                        and shown.endswith(line.removeprefix(f"{config}: "))]  # fmt: skip


def counting(monkeypatch, name: str, **complete: int) -> None:
    """Let the published data count something else."""
    for config in find(name).builder.BUILDER_CONFIGS:
        monkeypatch.setattr(config, "complete", complete)


def test_complete_data_need_no_flag_and_the_card_says_nothing(chehre, tmp_path, monkeypatch):
    counting(monkeypatch, "chehre", videos=3, performers=3)
    raw.build("chehre", chehre, tmp_path / "repo", allow_partial=False)
    assert "complete published data" not in card(tmp_path / "repo")
    assert all(made["differs"] == [] for made in record(tmp_path / "repo")["configs"].values())


def test_more_than_the_published_data_is_an_error_too(chehre, tmp_path, monkeypatch):
    counting(monkeypatch, "chehre", videos=2, performers=3)
    with pytest.raises(BuildError, match=r"label_ratings: 3 videos, the published data count 2 \(\+1\)"):
        raw.build("chehre", chehre, tmp_path / "repo", "label_ratings", allow_partial=False)
    raw.build("chehre", chehre, tmp_path / "repo", "label_ratings")
    assert "`label_ratings`: 3 videos, the published data count 2 (+1)" in card(tmp_path / "repo")


def test_bad_and_incomplete_input_is_told_together(chehre, tmp_path):
    (chehre / "videos" / "stray.mp4").touch()
    with pytest.raises(BuildError, match="(?s)1 problem.*stray.*--skip-bad.*published data.*--allow-partial"):
        raw.build("chehre", chehre, tmp_path / "repo", "videos", allow_partial=False)
    for options in ({"skip_bad": True, "allow_partial": False}, {"skip_bad": False}):
        with pytest.raises(BuildError):
            raw.build("chehre", chehre, tmp_path / "repo", "videos", **options)
    assert beside(tmp_path / "repo") == ["source"]


def test_an_image_less_is_a_difference_in_binary(emonet, tmp_path, monkeypatch):
    counting(monkeypatch, "emonet-face", images=3, votes=9)
    raw.build("emonet-face", emonet, tmp_path / "repo", "binary_ratings", allow_partial=False)
    rows = [row for row in raw.read_csv(emonet / "binary.csv") if row["path"] != "00000"]
    raw.write_csv(emonet / "binary.csv", list(rows[0]), [list(row.values()) for row in rows])
    with pytest.raises(BuildError, match=r"(?s)2 images, .* count 3 \(-1\).*7 votes, .* count 9 \(-2\)"):
        raw.build("emonet-face", emonet, tmp_path / "other", "binary_ratings", allow_partial=False)


# ---- One config after the other


@pytest.mark.parametrize("name", ALL)
def test_configs_built_one_after_the_other_make_the_same_repo(repos, name, tmp_path):
    source = repos[name].parent / f"{name}-source"
    for config in reversed(ALL[name]):
        raw.build(name, source, tmp_path / "repo", config)
        assert beside(tmp_path / "repo") == ["repo"]
    assert raw.tree(tmp_path / "repo") == raw.tree(repos[name])


def test_rebuilding_one_config_keeps_the_others_and_renews_the_card(emonet, tmp_path):
    repo = tmp_path / "repo"
    raw.build("emonet-face", emonet, repo, "hq", "hq_ratings", "binary_ratings")
    (repo / "NOTES.md").write_text("mine")
    before = raw.tree(repo)
    raw.append_row(emonet / "binary.csv", ("00001", "human-1", "False", "Awe"))
    raw.append_row(emonet / "binary.csv", ("00001", "human-3", "False", "Contempt"))
    raw.build("emonet-face", emonet, repo, "binary_ratings")
    after = raw.tree(repo)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed == {
        "README.md",
        "build.json",
        "assets/labels.png",
        "binary_ratings/train-00000-of-00001.parquet",
    }
    assert "`binary_ratings`: 11 votes" in card(repo) and "9 votes" not in card(repo)
    assert "`hq`, `hq_ratings`: 3 images," in card(repo)
    assert list(record(repo)["configs"]) == ["hq", "hq_ratings", "binary_ratings"]
    told = {info["config_name"]: info["splits"][0]["num_examples"] for info in metadata(repo)["dataset_info"]}
    assert told == {"hq": 3, "hq_ratings": 600, "binary_ratings": 11}


def test_a_rebuild_drops_the_old_shards_of_its_config(chehre, tmp_path):
    repo = tmp_path / "repo"
    raw.build("chehre", chehre, repo, "emoji_ratings")
    before = {path for path in raw.tree(repo) if path.startswith("emoji_ratings")}
    item = raw.VIDEOS[0]
    raw.write_chehre(chehre, {item: raw.some_answers(item)})
    raw.build("chehre", chehre, repo, "emoji_ratings")
    after = {path for path in raw.tree(repo) if path.startswith("emoji_ratings")}
    assert len(after) == 1 and after < before


@pytest.mark.parametrize("step", ["plan", "rows", "card"])
def test_a_rebuild_that_fails_leaves_the_repo_as_it_was(emonet, tmp_path, monkeypatch, step):
    repo = tmp_path / "repo"
    raw.build("emonet-face", emonet, repo, "hq", "binary_ratings")
    before = raw.tree(repo)
    raw.append_row(emonet / "binary.csv", ("00001", "human-1", "False", "Awe"))
    raw.append_row(emonet / "binary.csv", ("00001", "human-3", "False", "Contempt"))

    def fail(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    builder = find("emonet-face").builder
    target, name = {"plan": (builder, "plan"), "rows": (builder, "rows"), "card": (DatasetCard, "save")}[step]
    with monkeypatch.context() as patch:
        patch.setattr(target, name, fail)
        with pytest.raises(OSError, match="No space left"):
            raw.build("emonet-face", emonet, repo, "binary_ratings")
    assert raw.tree(repo) == before
    assert beside(repo) == ["repo", "source"]


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_full_disk_is_told_as_such_even_when_there_are_problems_too(chehre, tmp_path, monkeypatch, skip_bad):
    builder = find("chehre").builder
    rows = builder.rows

    def fail(self, refs):
        yield from rows(self, refs)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(builder, "rows", fail)
    (chehre / "videos" / "stray.mp4").touch()
    with pytest.raises(OSError, match="No space left"):
        raw.build("chehre", chehre, tmp_path / "repo", "videos", skip_bad=skip_bad)
    assert beside(tmp_path / "repo") == ["source"]


def test_a_fault_of_ours_is_raised_as_itself(chehre, tmp_path, monkeypatch):
    def fail(self, refs):
        raise ZeroDivisionError("ours")
        yield

    monkeypatch.setattr(find("chehre").builder, "rows", fail)
    with pytest.raises(ZeroDivisionError, match="ours"):
        raw.build("chehre", chehre, tmp_path / "repo", "label_ratings")
    assert beside(tmp_path / "repo") == ["source"]


# ---- Where a build may write and what it may read


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


# ---- A build that is killed

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
        cwd=Path(__file__).parents[2],
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
        assert process.wait(timeout=60) != 0
    assert beside(tmp_path / "repo") == ["source"]


def test_two_builds_of_one_folder_at_the_same_time_are_refused(many, tmp_path):
    with stopped_build("rows", many, tmp_path / "repo"):
        with pytest.raises(BuildError, match="Another `emohub build` is writing"):
            raw.build("chehre", many, tmp_path / "repo", "emoji_ratings")
        raw.build("chehre", many, tmp_path / "other", "emoji_ratings")


# ---- Options of a dataset's own


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


# ---- Errors of worker processes


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
