"""Every kind of bad input that the builders must name: stop and leave nothing, or write the rest and list it."""

import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from emohub.data.taxonomy import NAMES
from emohub.errors import BuildError, EmohubError, SourceError
from tests import raw_inputs as raw

V = raw.VIDEOS[0]


@pytest.fixture(autouse=True, scope="module")
def undrawn() -> Iterator[None]:
    """Leave the cards' picture blank: drawing it takes most of a small build's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda self, path, **options: Path(path).write_bytes(raw.png()))
        yield


# ---- What a repo holds


def rows_by_item(repo: Path, config: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((repo / config).glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            found.setdefault(row.get("item", row.get("name")), []).append(
                {**row, "split": path.name.partition("-")[0]}
            )
    return found


def write_source(dataset: str, folder: Path) -> Path:
    folder.mkdir()
    return raw.write_chehre(folder) if dataset == "chehre" else raw.write_emonet(folder)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Callable[[str], dict[str, dict[str, list[dict[str, Any]]]]]:
    """Of a dataset: config → item → rows, from a source that nothing is wrong with."""

    @cache
    def built(dataset: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
        folder = tmp_path_factory.mktemp(dataset)
        record = raw.build(dataset, write_source(dataset, folder / "source"), folder / "repo")
        assert not (folder / "repo" / "problems.jsonl").exists()
        return {config: rows_by_item(folder / "repo", config) for config in record["configs"]}

    return built


def test_sound_sources_hold_every_item(sound):
    held = {config: set(items) for name in ("emonet-face", "chehre") for config, items in sound(name).items()}
    assert held == {
        "hq": set(raw.HQ_ITEMS),
        "hq_ratings": set(raw.HQ_ITEMS),
        "binary": set(raw.BINARY_VOTES),
        "binary_ratings": set(raw.BINARY_VOTES),
        "big": {f"big-{key}" for key in raw.BIG_KEYS},
        "videos": set(raw.VIDEOS),
        "label_ratings": set(raw.VIDEOS),
        "emoji_ratings": set(raw.VIDEOS),
        "rankings": set(raw.VIDEOS),
        "emotions": set(NAMES),
    }


# ---- Ways to break a source


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda source: (source / name).unlink()


def cut(name: str, by: int) -> Callable[[Path], None]:
    return lambda source: (source / name).write_bytes((source / name).read_bytes()[:-by])


def cell(table: str, row: int, column: str, value: str) -> Callable[[Path], None]:
    return lambda source: raw.set_cell(source / table, row, column, value)


def row(table: str, *cells: str) -> Callable[[Path], None]:
    return lambda source: raw.append_row(source / table, cells)


def both(*damages: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda source: [damage(source) for damage in damages] and None


def renamed(table: str, column: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        for at, cells in enumerate(raw.read_csv(source / table)):
            if cells[column] == old:
                raw.set_cell(source / table, at, column, new)

    return damage


def as_png(folder: str, stem: str, data: bytes) -> Callable[[Path], None]:
    return both(remove(f"{folder}/{stem}.jpg"), write(f"{folder}/{stem}.png", data))


def part(item: str, image: bytes) -> Callable[[Path], None]:
    return lambda source: raw.write_part(source, item, image)


def part_again(item: str, name: str) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        path = raw.part_file(source, item)
        (path.parent / name).write_bytes(path.read_bytes())

    return damage


def big(**members: bytes) -> Callable[[Path], None]:
    """Change members of the tar; `big_0_jpg` stands for big_0.jpg."""
    changed = {".".join(name.rsplit("_", 1)): data for name, data in members.items()}
    return lambda source: raw.write_big(source, changed)


def big_text(annotations: object) -> Callable[[Path], None]:
    return big(big_0_json=json.dumps({"prompt": raw.PROMPT, "annotations": annotations}).encode())


def more_big(*members: tuple[str, bytes]) -> Callable[[Path], None]:
    return lambda source: raw.write_tar(source / "big" / "00001.tar", members)


def binary_as_files(source: Path) -> None:
    """BINARY's images as a folder of files instead of the part files."""
    rows = [(f"{item}.jpg", raw.PROMPT, 30, "Asian", "woman") for item in raw.BINARY_VOTES]
    raw.write_csv(source / "binary" / "metadata.csv", ("file_name", "prompt", "age", "ethnicity", "gender"), rows)
    for number, item in enumerate(raw.BINARY_VOTES):
        (source / "binary" / f"{item}.jpg").write_bytes(raw.jpeg(10 + number))


def ratings(text: str, at: int = 1) -> Callable[[Path], None]:
    """The ratings cell of the first video's rater `at`, as it stands in the file after CSV's own quotes."""
    return cell("labels.csv", 0, f"pid_{at}_ratings", text)


def quoted(values: dict[str, Any]) -> str:
    return raw.twice_quoted(values)


LABELS = raw.LABELS["1f612"]
GOOD = dict.fromkeys(LABELS, 1)
HUMAN_1, MODEL = 0, 4  # rows of the first image in hq.csv


# ---- The table


@dataclass
class Bad:
    """One kind of bad input in one config: how to make it, what the error must show, what is lost with --skip-bad."""

    config: str
    damage: Callable[[Path], None]
    shows: tuple[str, ...]
    lost: Collection[str] = ()
    verify: str = "structure"
    told: int = 1  # problems: one fault is one problem, unless it is met from several sides

    @property
    def dataset(self) -> str:
        return "chehre" if self.config in ("videos", "label_ratings", "emoji_ratings", "rankings") else "emonet-face"


def case(kind: str, config: str, damage: Any, *shows: str, lost: Collection[str] = (), marks: Any = (), **more: Any):
    return pytest.param(Bad(config, damage, shows, lost, **more), id=f"{kind} · {config}", marks=marks)


HQ, BIN, BIG, VIDEO = {"flux_0001"}, {"02000"}, {"big-big_0"}, {V}

MEDIA = [
    case("truncated image", "hq", cut("hq/flux_0001.jpg", 9), "flux_0001.jpg", "truncated JPEG", lost=HQ),
    case(
        "truncated image", "binary", part("02000", raw.jpeg()[:-9]), "02000", "0000.json", "truncated JPEG", lost=BIN
    ),
    case("truncated image", "big", big(big_0_jpg=raw.jpeg()[:-9]), "big_0", "truncated JPEG", lost=BIG),
    case(
        "undecodable image",
        "hq",
        as_png("hq", "flux_0001", raw.undecodable_png()),
        "flux_0001.png",
        "does not decode",
        lost=HQ,
        verify="full",
    ),
    case(
        "undecodable image",
        "binary",
        part("02000", raw.undecodable_png()),
        "02000",
        "does not decode",
        lost=BIN,
        verify="full",
    ),
    case(
        "undecodable image",
        "big",
        big(big_0_jpg=raw.undecodable_png()),
        "big_0",
        "does not decode",
        lost=BIG,
        verify="full",
    ),
    case("not an image", "hq", write("hq/flux_0001.jpg", b"<html>no"), "flux_0001.jpg", "HTML", "JPEG", lost=HQ),
    case("not base64", "binary", lambda s: spoil_base64(s), "02000", "cannot be read", lost=BIN),
    case("truncated video", "videos", cut(f"videos/{V}.mp4", 99), V, "truncated", lost=VIDEO),
    case(
        "undecodable video",
        "videos",
        write(f"videos/{V}.mp4", raw.undecodable_mp4()),
        V,
        "does not decode",
        lost=VIDEO,
        verify="full",
    ),
    case("not a video", "videos", write(f"videos/{V}.mp4", raw.jpeg()), V, "JPEG", "MP4", lost=VIDEO),
    case(
        "decompression bomb", "hq", as_png("hq", "flux_0001", raw.bomb()), "flux_0001", "20,000 × 20,000 px", lost=HQ
    ),
    case("decompression bomb", "binary", part("02000", raw.bomb()), "02000", "20,000 × 20,000 px", lost=BIN),
    case("decompression bomb", "big", big(big_0_jpg=raw.bomb()), "big_0", "20,000 × 20,000 px", lost=BIG),
    case("empty file", "hq", write("hq/flux_0001.jpg", b""), "flux_0001.jpg", "empty", lost=HQ),
    case("empty file", "binary", write("part-01/0000.json", b""), "02000", "cannot be read", lost=BIN),
    case("empty file", "big", big(big_0_jpg=b""), "big_0", "empty", lost=BIG),
    case("empty file", "videos", write(f"videos/{V}.mp4", b""), V, "empty", lost=VIDEO),
]

FILES = [
    case("missing file", "hq", remove("hq/flux_0001.jpg"), "flux_0001", "no file", "add the file", lost=HQ),
    case("missing file", "binary", remove("part-01/0000.json"), "02000", "no file", "add the file", lost=BIN),
    case("missing file", "videos", remove(f"videos/{V}.mp4"), V, "no file", "add the file", lost=VIDEO),
    case("orphan file", "hq", write("hq/flux_9999.jpg", raw.jpeg()), "flux_9999", "without a row", "remove it"),
    case("orphan file", "binary", part("00777", raw.jpeg()), "00777", "without a row", "remove it"),
    case("orphan file", "videos", write("videos/nobody.mp4", raw.mp4()), "nobody", "without a row", "remove it"),
    case("two items with one id", "binary", part_again("02000", "00000.json"), "'02000'", "second image", lost=BIN),
    case("two items with one id", "big", more_big(("big_0.jpg", raw.jpeg())), "'big-big_0'", "second image"),
    case(
        "two items with one id",
        "videos",
        lambda s: repeat_row(s, "labels.csv"),
        V,
        "more than one row",
        lost=VIDEO,
        told=2,
    ),
    case(
        "two items with one id",
        "emoji_ratings",
        lambda s: repeat_row(s, "emojis.csv"),
        V,
        "more than one row",
        lost=VIDEO,
        told=2,
    ),
    case(
        "a base name used twice",
        "hq",
        write("hq/again/flux_0001.png", raw.png()),
        "hq/flux_0001.jpg",
        "hq/again/flux_0001.png",
        "2 files with the base name",
        lost=HQ,
    ),
    case(
        "a base name used twice",
        "binary",
        both(binary_as_files, write("binary/again/02000.png", raw.png())),
        "binary/02000.jpg",
        "binary/again/02000.png",
        "2 files with the base name",
        lost=BIN,
    ),
    case(
        "a base name used twice",
        "videos",
        write(f"more/{V}.mp4", raw.mp4()),
        f"videos/{V}.mp4",
        f"more/{V}.mp4",
        "2 files with the base name",
        lost=VIDEO,
    ),
]

HQ_CELLS = [
    case(kind, config, cell("hq.csv", HUMAN_1, "annotations", text), "hq.csv line 2", *shows, lost=HQ)
    for config in ("hq", "hq_ratings")
    for kind, text, shows in (
        ("unknown emotion", "{'Wonderment': 3}", ("'Wonderment'",)),
        ("rating out of range, above", "{'Awe': 8}", ("Awe = 8", "outside 0–7")),
        ("rating out of range, below", "{'Awe': -1}", ("Awe = -1", "outside 0–7")),
        ("rating not a number, text", "{'Awe': 'high'}", ("'high'", "not a finite number")),
        ("rating not a number, none", "{'Awe': None}", ("None", "not a finite number")),
        ("rating not a number, bool", "{'Awe': True}", ("True", "not a finite number")),
        ("rating not a number, nan", '{"Awe": NaN}', ("nan", "not a finite number")),
        ("rating not a number, infinite", "{'Awe': 1e999}", ("inf", "not a finite number")),
        ("one emotion twice", "{'Awe': 1, 'Group|Awe': 2}", ("'Awe'", "twice")),
        ("broken dict string", "{'Awe': 3", ("{'Awe': 3", "neither a Python literal nor JSON")),
        ("not a dict", "[1, 2]", ("[1, 2]", "not a dict")),
        ("empty cell", "", ("''",)),
    )
]

TABLES = [
    case("unknown emotion", "binary", cell("binary.csv", 2, "emotion", "Wonderment"), "Wonderment", lost=BIN),
    case("unknown emotion", "big", big_text({"Wonderment": 3}), "big_0", "'Wonderment'", lost=BIG),
    case("rating out of range", "binary", cell("binary.csv", 2, "value", "2"), "line 4", "value=2", lost=BIN),
    case("rating out of range", "big", big_text({"Awe": 9}), "big_0", "Awe = 9", "outside 0–7", lost=BIG),
    case("rating out of range", "label_ratings", ratings(quoted(GOOD | {"Disgust": 4})), "4", "0 to 3", lost=VIDEO),
    case("rating out of range, below", "videos", ratings(quoted(GOOD | {"Disgust": -1})), "-1", "0 to 3", lost=VIDEO),
    case("rating out of range", "emoji_ratings", cell("emojis.csv", 0, "pid_1_match_rating", "4"), "'4'", lost=VIDEO),
    case("rating not a number", "binary", cell("binary.csv", 2, "value", "maybe"), "line 4", "value=maybe", lost=BIN),
    case("rating not a number", "binary_ratings", cell("binary.csv", 2, "value", ""), "line 4", "value=", lost=BIN),
    case("rating not a number", "big", big_text({"Awe": "high"}), "big_0", "'high'", lost=BIG),
    case(
        "rating not a number", "label_ratings", ratings(quoted(GOOD | {"Disgust": "x"})), "'x'", "Disgust", lost=VIDEO
    ),
    case("rating not whole", "label_ratings", ratings(quoted(GOOD | {"Disgust": 1.5})), "1.5", "Disgust", lost=VIDEO),
    case("rating not a number, bool", "videos", ratings(quoted(GOOD | {"Disgust": True})), "True", lost=VIDEO),
    case("rating not a number, null", "videos", ratings(quoted(GOOD | {"Disgust": None})), "None", lost=VIDEO),
    case("rating not a number, nan", "videos", ratings(quoted(GOOD | {"Disgust": float("nan")})), "nan", lost=VIDEO),
    case("rating not a number", "emoji_ratings", cell("emojis.csv", 0, "pid_1_match_rating", "x"), "'x'", lost=VIDEO),
    case("rating missing", "emoji_ratings", cell("emojis.csv", 0, "pid_1_match_rating", ""), "''", lost=VIDEO),
    case("broken dict string", "big", big_text("{'Awe': 3"), "big_0", "neither a Python literal nor JSON", lost=BIG),
    case("broken JSON", "big", big(big_0_json=b'{"prompt": "x", '), "big_0", "cannot be read", lost=BIG),
    case("broken JSON", "binary", write("part-01/0000.json", b'{"image": '), "02000", "cannot be read", lost=BIN),
    case("doubly quoted JSON broken", "videos", ratings(quoted(GOOD)[:-3]), "not JSON", '{""Annoyed', lost=VIDEO),
    case("doubly quoted JSON broken, quotes", "label_ratings", ratings('"{"Annoyed": 1,}"'), "not JSON", lost=VIDEO),
    case("doubly quoted JSON broken, none", "label_ratings", ratings(""), "not JSON", "''", lost=VIDEO),
    case("doubly quoted JSON broken, one quote", "label_ratings", ratings('"'), "not JSON", lost=VIDEO),
    case("doubly quoted JSON broken, a list", "label_ratings", ratings('"[1, 2]"'), "not an object", lost=VIDEO),
    case("doubly quoted JSON broken, deep", "label_ratings", ratings('"' + "[" * 9_999 + '"'), "not JSON", lost=VIDEO),
    case("unknown emoji code", "videos", lambda s: rename_video(s, "1f602"), "'1f602'", "Valid", lost=VIDEO, told=2),
    case(
        "emoji code other than the name's",
        "videos",
        cell("labels.csv", 0, "emoji_code", "1f608"),
        "'1f608'",
        "'1f612'",
        lost=VIDEO,
    ),
    case("variant other than the name's", "videos", cell("emojis.csv", 0, "variant", "x"), "'x'", V[:8], lost=VIDEO),
    case("rating for a label outside the set", "videos", ratings(quoted(GOOD | {"Evil": 1})), "Evil", lost=VIDEO),
    case("label of the set not rated", "label_ratings", ratings(quoted({"Disgust": 1})), "Annoyed", lost=VIDEO),
    case("label rated twice", "label_ratings", ratings('{"Disgust": 1, "Disgust": 2}'), "twice", lost=VIDEO),
    case("rank outside the set", "videos", cell("labels.csv", 0, "pid_1_rank1", "Evil"), "'Evil'", "None", lost=VIDEO),
    case("rank missing", "videos", cell("labels.csv", 0, "pid_2_rank2", ""), "''", lost=VIDEO),
    case("jitter flag", "videos", cell("labels.csv", 0, "pid_1_jitteryFlag", "yes"), "'yes'", "true", lost=VIDEO),
    case("timestamp", "videos", cell("labels.csv", 0, "pid_1_timestamp", "yesterday"), "'yesterday'", lost=VIDEO),
    case("timestamp missing", "emoji_ratings", cell("emojis.csv", 0, "pid_1_timestamp", ""), "''", lost=VIDEO),
    case("answer without a rater", "videos", cell("labels.csv", 0, "pid_2", ""), "pid_2 is empty", lost=VIDEO),
    case("row in one table only", "videos", lambda s: drop_row(s, "emojis.csv"), V, "labels.csv only", lost=VIDEO),
    case("repeated rater", "hq", lambda s: repeat_row(s, "hq.csv"), "line 17", "human-1", "before", lost=HQ),
    case("repeated rater", "binary", lambda s: repeat_row(s, "binary.csv", 2), "line 11", "human-1", lost=BIN),
    case(
        "`../` in a path",
        "hq",
        renamed("hq.csv", "image", "flux_0001.jpg", "../flux_0001.jpg"),
        "../",
        lost=HQ,
        told=6,
    ),
    case("`../` in a path", "binary", renamed("binary.csv", "path", "02000", "../2000"), "../2000", lost=BIN, told=2),
    case("`../` in a path", "big", more_big(("../big_9.jpg", raw.jpeg())), "../big_9.jpg"),
    case("`../` in a path", "videos", cell("labels.csv", 0, "video_name", f"../{V}.mp4"), "../", lost=VIDEO, told=2),
    case(
        "path of another system",
        "hq",
        renamed("hq.csv", "image", "flux_0001.jpg", "C:flux_0001.jpg"),
        "C:",
        lost=HQ,
        told=6,
    ),
]


def spoil_base64(source: Path) -> None:
    path = raw.part_file(source, "02000")
    content = json.loads(path.read_text())
    content["image"]["bytes"] = "*" + content["image"]["bytes"]
    path.write_text(json.dumps(content))


def repeat_row(source: Path, table: str, at: int = 0) -> None:
    raw.append_row(source / table, list(raw.read_csv(source / table)[at].values()))


def drop_row(source: Path, table: str, at: int = 0) -> None:
    rows = raw.read_csv(source / table)
    raw.write_csv(source / table, list(rows[0]), [list(r.values()) for n, r in enumerate(rows) if n != at])


def rename_video(source: Path, code: str) -> None:
    """Another emoji for the first video, in both tables and in its file's name."""
    name = f"{V.rpartition('_')[0]}_{code}.mp4"
    for table in ("labels.csv", "emojis.csv"):
        raw.set_cell(source / table, 0, "video_name", name)
        raw.set_cell(source / table, 0, "emoji_code", code)
    (source / "videos" / f"{V}.mp4").rename(source / "videos" / name)


BAD = [*MEDIA, *FILES, *HQ_CELLS, *TABLES]


@pytest.mark.parametrize("bad", BAD)
def test_build_stops_says_what_is_wrong_and_leaves_nothing(tmp_path, bad):
    source = write_source(bad.dataset, tmp_path / "source")
    bad.damage(source)
    before = raw.tree(source)
    with pytest.raises(BuildError) as caught:
        raw.build(bad.dataset, source, tmp_path / "repo", bad.config, verify=bad.verify)
    text = str(caught.value)
    assert not [part for part in bad.shows if part not in text], text
    assert text.startswith(f"{bad.told} problem"), text
    assert "--skip-bad" in text and "Nothing was written" in text
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    assert raw.tree(source) == before


@pytest.mark.parametrize("bad", BAD)
def test_skip_bad_writes_the_rest_and_lists_it(tmp_path, bad, sound):
    source = write_source(bad.dataset, tmp_path / "source")
    bad.damage(source)
    repo = tmp_path / "repo"
    record = raw.build(bad.dataset, source, repo, bad.config, verify=bad.verify, skip_bad=True)
    listed = raw.problems(repo)
    text = "\n".join(f"{line['where']}: {line['what']}" for line in listed)
    assert not [part for part in bad.shows if part not in text], text
    assert {line["config"] for line in listed} == {bad.config}
    assert rows_by_item(repo, bad.config) == {
        item: rows for item, rows in sound(bad.dataset)[bad.config].items() if item not in bad.lost
    }
    assert record["configs"][bad.config]["left_out"] >= 1
    assert record == json.loads((repo / "build.json").read_text(encoding="utf-8"))
    assert "problems.jsonl" in (repo / "README.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repo", "source"]


@pytest.mark.parametrize("bad", [p for p in BAD if "undecodable" in p.id])
def test_damage_inside_the_pixels_passes_the_quick_check(tmp_path, bad):
    """What `--verify structure` promises not to find: else these cases would prove nothing about "full"."""
    source = write_source(bad.dataset, tmp_path / "source")
    bad.damage(source)
    assert raw.build(bad.dataset, source, tmp_path / "repo", bad.config)["configs"][bad.config]["left_out"] == 0


# ---- Tables that cannot be read at all: nothing to skip, so these stop also with --skip-bad


def reencoded(table: str, encoding: str) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        text = (source / table).read_text(encoding="utf-8") + "é" * 3
        (source / table).write_bytes(text.encode(encoding))

    return damage


UNREADABLE = [
    pytest.param(config, table, damage, shows, id=f"{kind} · {config} {table}")
    for config, table in (
        ("hq", "hq.csv"),
        ("hq_ratings", "hq.csv"),
        ("binary", "binary.csv"),
        ("binary_ratings", "binary.csv"),
        ("videos", "labels.csv"),
        ("emoji_ratings", "emojis.csv"),
    )
    for kind, damage, shows in (
        ("wrong encoding, latin-1", reencoded(table, "latin-1"), ("not UTF-8", "iconv")),
        ("wrong encoding, utf-16", reencoded(table, "utf-16"), ("not UTF-8", "iconv")),
        ("empty file", write(table, b""), ("is empty", "again")),
        (
            "header only",
            lambda s, t=table: (s / t).write_text((s / t).read_text().split("\n")[0]),
            ("no rows", "again"),
        ),
        ("column missing", lambda s, t=table: rename_last_column(s / t), ("lacks the columns", "found")),
        ("another table", write(table, b"a,b\n1,2\n"), ("lacks the columns", "found ['a', 'b']")),
        ("cut inside quotes", lambda s, t=table: cut_inside_quotes(s / t), ("not a CSV table", "again")),
        ("one cell too many", lambda s, t=table: widen(s / t), ("not a CSV table",)),
    )
]


def rename_last_column(path: Path) -> None:
    header, rest = path.read_text().split("\n", 1)
    path.write_text(f"{header}_\n{rest}")


def cut_inside_quotes(path: Path) -> None:
    path.write_text(path.read_text() + '"begun')


def widen(path: Path) -> None:
    """Every row gets one more cell than the header has."""
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(f"{cells}," for cells in rows)]) + "\n")


@pytest.mark.parametrize(("config", "table", "damage", "shows"), UNREADABLE)
def test_an_unreadable_table_stops_every_build(tmp_path, config, table, damage, shows):
    dataset = Bad(config, damage, ()).dataset
    source = write_source(dataset, tmp_path / "source")
    damage(source)
    for skip_bad in (False, True):
        with pytest.raises(SourceError) as caught:
            raw.build(dataset, source, tmp_path / "repo", config, skip_bad=skip_bad)
        text = str(caught.value)
        assert not [part for part in (table, *shows) if part not in text], text
        assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("config", ["hq", "binary", "big"])
def test_a_config_with_images_says_that_there_are_none(tmp_path, config):
    source = write_source("emonet-face", tmp_path / "source")
    for name in ("hq", "part-00", "part-01", "big"):
        shutil.rmtree(source / name)
    with pytest.raises(SourceError, match=f"'{config}' needs images.*Add them"):
        raw.build("emonet-face", source, tmp_path / "repo", config)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_videos_without_a_single_video(tmp_path):
    source = raw.write_chehre(tmp_path / "source", videos=False)
    with pytest.raises(SourceError, match="needs the videos.*--config label_ratings --config emoji_ratings"):
        raw.build("chehre", source, tmp_path / "repo", "videos")
    assert set(raw.build("chehre", source, tmp_path / "repo")["configs"]) == {
        "label_ratings",
        "emoji_ratings",
        "rankings",
    }


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [("00001.tar", b"", "tar"), ("00001.tar", b"not a tar " * 99, "tar"), ("00001.tar", None, "truncated tar")],
)
def test_a_broken_container_is_named(tmp_path, sound, name, data, kind):
    source = write_source("emonet-face", tmp_path / "source")
    whole = (source / "big" / "00000.tar").read_bytes()
    (source / "big" / name).write_bytes(whole[:1300] if data is None else data)
    with pytest.raises(BuildError, match=f"{name}: cannot be read"):
        raw.build("emonet-face", source, tmp_path / "repo", "big")
    raw.build("emonet-face", source, tmp_path / "repo", "big", skip_bad=True)
    assert rows_by_item(tmp_path / "repo", "big") == sound("emonet-face")["big"]


# ---- How problems are told


def test_every_problem_is_counted_and_the_first_20_shown(tmp_path):
    source = write_source("chehre", tmp_path / "source")
    for number in range(1_023):
        (source / "videos" / f"stray-{number:04d}.mp4").touch()
    with pytest.raises(BuildError) as caught:
        raw.build("chehre", source, tmp_path / "repo", "videos")
    text = str(caught.value)
    assert text.startswith("1,023 problems in the input:")
    shown = re.findall(r"^  - (stray-\d+): ", text, re.MULTILINE)
    assert shown == [f"stray-{number:04d}" for number in range(20)]
    assert "… and 1,003 more" in text
    raw.build("chehre", source, tmp_path / "repo", "videos", skip_bad=True)
    listed = raw.problems(tmp_path / "repo")
    assert [line["where"] for line in listed] == [f"stray-{number:04d}" for number in range(1_023)]


def test_exactly_20_problems_are_all_shown(tmp_path):
    source = write_source("chehre", tmp_path / "source")
    for number in range(20):
        (source / "videos" / f"stray-{number:04d}.mp4").touch()
    with pytest.raises(BuildError) as caught:
        raw.build("chehre", source, tmp_path / "repo", "videos")
    assert str(caught.value).count("stray-") == 20 and "more" not in str(caught.value)


def test_problems_of_all_configs_come_in_one_go_and_once_each(tmp_path):
    source = write_source("emonet-face", tmp_path / "source")
    cut("hq/flux_0001.jpg", 9)(source)
    cell("hq.csv", 5, "annotations", "{'Wonderment': 3}")(source)  # met by hq and by hq_ratings
    cell("binary.csv", 0, "value", "maybe")(source)  # met by binary and by binary_ratings
    big_text({"Awe": 9})(source)
    with pytest.raises(BuildError) as caught:
        raw.build("emonet-face", source, tmp_path / "repo", allow_partial=False)
    text = str(caught.value)
    assert text.startswith("4 problems")
    for part in ("flux_0001.jpg", "'Wonderment'", "value=maybe", "Awe = 9", "the published data count 65,686"):
        assert text.count(part) == (2 if part.startswith("the") else 1), text
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_skip_bad_with_nothing_good_left_is_an_error(tmp_path):
    source = write_source("chehre", tmp_path / "source")
    for item in raw.VIDEOS:
        cut(f"videos/{item}.mp4", 99)(source)
    with pytest.raises(EmohubError, match="(?s)videos.*(truncated|nothing|no item|empty)"):
        raw.build("chehre", source, tmp_path / "repo", "videos", skip_bad=True)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_problems_of_configs_built_before_stay_listed(tmp_path):
    source = write_source("chehre", tmp_path / "source")
    cut(f"videos/{V}.mp4", 99)(source)
    repo = tmp_path / "repo"
    raw.build("chehre", source, repo, "videos", skip_bad=True)
    before = raw.problems(repo)
    raw.build("chehre", source, repo, "emoji_ratings")
    assert raw.problems(repo) == before
    write(f"videos/{V}.mp4", raw.mp4())(source)
    raw.build("chehre", source, repo, "videos")
    assert not (repo / "problems.jsonl").exists()


@pytest.mark.parametrize(
    "name", ["line\u2028break", "next\x85line", "nul-like\x1b[2Jescape", os.fsdecode(b"caf\xe9")], ids=ascii
)
def test_file_names_that_break_lines_terminals_or_unicode(tmp_path, name):
    source = write_source("chehre", tmp_path / "source")
    write(f"videos/{name}.mp4", raw.mp4())(source)
    with pytest.raises(BuildError) as caught:
        raw.build("chehre", source, tmp_path / "repo", "videos")
    text = str(caught.value)
    assert text.startswith("1 problem") and text.replace("\n", "").isprintable()
    text.encode()
    for _ in range(2):  # the second time it is read back
        raw.build("chehre", source, tmp_path / "repo", "videos", "label_ratings", skip_bad=True)
        assert [line["config"] for line in raw.problems(tmp_path / "repo")] == ["videos"]
        raw.build("chehre", source, tmp_path / "repo", "label_ratings")
        assert [line["config"] for line in raw.problems(tmp_path / "repo")] == ["videos"]


def test_a_member_of_a_tar_whose_name_is_no_unicode_is_listed(tmp_path, sound):
    source = write_source("emonet-face", tmp_path / "source")
    more_big((os.fsdecode(b"caf\xe9.jpg"), raw.jpeg()))(source)
    raw.build("emonet-face", source, tmp_path / "repo", "big", skip_bad=True)
    assert rows_by_item(tmp_path / "repo", "big") == sound("emonet-face")["big"]
    assert r"caf\udce9" in raw.problems(tmp_path / "repo")[0]["what"]


@pytest.mark.parametrize("name", ["Prompt", "Ethnicity", "Gender"])
def test_a_text_that_is_no_unicode_is_a_problem_of_its_image(tmp_path, name):
    source = write_source("emonet-face", tmp_path / "source")
    path = raw.part_file(source, "02000")
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: "half a pair: \ud83d"}))
    with pytest.raises(BuildError, match="02000"):
        raw.build("emonet-face", source, tmp_path / "repo", "binary")
    raw.build("emonet-face", source, tmp_path / "repo", "binary", skip_bad=True)
    assert set(rows_by_item(tmp_path / "repo", "binary")) == {"00000", "02001"}


# ---- Chehre's repeated rater is no problem but a quirk: the first answer is kept, the rest counted


def test_chehre_keeps_the_first_answer_of_a_repeated_rater_and_counts_the_rest(tmp_path):
    answers = {item: raw.some_answers(item) for item in raw.VIDEOS}
    rater, values, *rest = answers[V][0]
    again = (rater, {label: 3 - value for label, value in values.items()}, *rest)
    answers[V] = [*answers[V], again]
    matches = {item: [("rater-8", "2", raw.LATE), ("rater-9", "3", raw.LATE)] for item in raw.VIDEOS}
    matches[V] = [("rater-8", "2", raw.EARLY), ("rater-8", "0", raw.LATE), ("rater-8", "1", raw.LATE)]
    source = raw.write_chehre(tmp_path / "source", answers, matches)
    repo = tmp_path / "repo"
    record = raw.build("chehre", source, repo)
    (row,) = rows_by_item(repo, "videos")[V]
    assert [answer["rater"] for answer in row["ratings"]] == ["rater-0", "rater-1", "rater-2"]
    assert row["ratings"][0]["values"] == list(values.values())
    assert row["emoji_match"] == [{"rater": "rater-8", "rating": 2, "timestamp": raw.EARLY}]
    assert "repeated_rater" in row["quality_flags"]
    others = [r for item, (r,) in rows_by_item(repo, "videos").items() if item != V]
    assert len(others) == 2 and not any("repeated_rater" in other["quality_flags"] for other in others)
    label_rows = rows_by_item(repo, "label_ratings")[V]
    assert {r["category"]: r["rating"] for r in label_rows if r["rater"] == rater} == values
    assert len(label_rows) == 3 * 5
    assert [r["rating"] for r in rows_by_item(repo, "emoji_ratings")[V]] == [2]
    card = (repo / "README.md").read_text(encoding="utf-8")
    for made in record["configs"].values():
        counted = {what: n for what, n in made["quirks"].items() if "the video before" in what}
        assert sorted(counted.values()) == [1, 2]
        for what, n in counted.items():
            assert f" | {what} | {n} |" in card
    assert not (repo / "problems.jsonl").exists()
