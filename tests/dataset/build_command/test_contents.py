"""A dataset repo is built whole or not at all, config by config, and says how it differs from the published data."""

import errno
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from emohub.dataset.registry import find
from emohub.errors import BuildError
from tests import raw_inputs as raw
from tests.dataset.build_command.inputs import ALL, DIFFERS, beside, card, metadata, record


@pytest.mark.parametrize("name", ALL)
def test_a_repo_holds_parquet_card_picture_and_record_and_nothing_else(repos, name):
    shape = re.compile(
        rf"({'|'.join(ALL[name])})/(train|validation|test)-\d{{5}}-of-\d{{5}}\.parquet|"
        r"README\.md|LICENSE|build\.json|croissant\.json|assets/labels\.png"
    )
    files = raw.tree(repos[name])
    assert not [path for path in files if not shape.fullmatch(path)]
    assert {path.split("/")[0] for path in files} == {
        *ALL[name],
        *("README.md", "LICENSE", "build.json", "croissant.json", "assets"),
    }
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
        "croissant.json",
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
