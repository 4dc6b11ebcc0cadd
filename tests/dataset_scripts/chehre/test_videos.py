"""Chehre's rows of videos, its rankings and the study's label sets."""

import importlib
import json
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.emojis import emoji
from emohub.data.problems import ProblemLog
from emohub.errors import BuildError, SourceError
from tests import raw_inputs as raw
from tests.dataset_scripts.chehre.inputs import chehre, firsts, table

parsing = importlib.import_module(chehre.read_clips.__module__)


FLAGS = ("fewer_than_3_raters", "repeated_rater", "jitter_majority", "none_not_stored", "no_dominant_label")


@pytest.fixture(scope="session")
def clips(dump, tmp_path_factory) -> dict[str, Any]:
    log = ProblemLog(tmp_path_factory.mktemp("log"))
    found, _ = chehre.read_clips(dump, log)
    assert list(log) == []
    return found


def expected_row(item, answers, matches, order):
    """What a row of `videos` must say, in exact arithmetic."""
    kept = firsts(answers)
    means = (
        [Fraction(sum(a["ratings"][label] for a in kept), len(kept)) for label in order] if kept else [0] * len(order)
    )
    total, top = sum(means), max(means)
    jitter = sum(a["jitter"] for a in kept)
    flags = (
        len(kept) < 3,
        len(kept) < len(answers) or len(firsts(matches)) < len(matches),
        jitter > len(kept) / 2,
        any(a["timestamp"] < "2025-06-23" for a in kept),
        total == 0,
    )
    return {
        "item": item,
        "emoji_code": item.rpartition("_")[2],
        "performer": item.split("--")[1].split("_")[0],
        "face": item.split("--")[0],
        "labels": order,
        "ratings": [
            {
                "rater": a["rater"],
                "values": [a["ratings"][label] for label in order],
                "rank1": a["rank1"],
                "rank2": a["rank2"],
                "jitter": a["jitter"],
                "none_stored": a["timestamp"] >= "2025-06-23",
                "timestamp": a["timestamp"],
            }
            for a in kept
        ],
        "mean_rating": means,
        "dominant_labels": [label for label, mean in zip(order, means, strict=True) if total and mean == top],
        "label_distribution": [mean / total for mean in means] if total else [],
        "emoji_match": firsts(matches),
        "jitter_votes": jitter,
        "quality_flags": [name for name, is_set in zip(FLAGS, flags, strict=True) if is_set],
    }


NUMBERS = ("mean_rating", "label_distribution")


def assert_same_row(row, expected):
    assert {name: row[name] for name in expected if name not in NUMBERS} == {
        name: value for name, value in expected.items() if name not in NUMBERS
    }
    for name in NUMBERS:
        assert len(row[name]) == len(expected[name])
        np.testing.assert_allclose(row[name], [float(value) for value in expected[name]], rtol=1e-6)


def test_every_row_is_that_of_exact_arithmetic(clips, labels, matches, dump):
    order = json.loads((dump / "emoji_labels.json").read_text())
    assert list(clips) == list(labels)
    for item, clip in clips.items():
        assert_same_row(
            chehre.video_row(clip), expected_row(item, labels[item], matches[item], order[item.rpartition("_")[2]])
        )


def test_a_row_by_hand(tmp_path):
    """Devious, Evil, Mischievous rated 3 1 0, 1 1 1 and 2 1 2: means 2, 1, 1; of 4."""
    (item, tied, nothing) = (
        raw.video("AF_Y_001", 0, "1f608"),
        raw.video("LM_Y_002", 1, "1f608"),
        raw.video("WM_Y_003", 2, "1f608"),
    )
    answers = {
        item: [
            ("x", raw.rated("1f608", 3, 1, 0), "Devious", "None", "true", raw.EARLY),
            ("y", raw.rated("1f608", 1, 1, 1), "Evil", "Devious", "true", raw.LATE),
            ("z", raw.rated("1f608", 2, 1, 2), "None", "None", "false", raw.LATE),
        ],
        tied: [
            ("x", raw.rated("1f608", 3, 0, 1), "Evil", "None", "true", raw.LATE),
            ("y", raw.rated("1f608", 0, 0, 2), "None", "None", "false", raw.LATE),
        ],
        nothing: [(rater, raw.rated("1f608", 0, 0, 0), "None", "None", "false", raw.LATE) for rater in "xyz"],
    }
    source = tmp_path / "source"
    source.mkdir()
    found, _ = chehre.read_clips(raw.write_chehre(source, answers), ProblemLog(tmp_path))
    row = chehre.video_row(found[item])
    assert row["mean_rating"] == [2, 1, 1] and row["label_distribution"] == [0.5, 0.25, 0.25]
    assert row["dominant_labels"] == ["Devious"] and row["jitter_votes"] == 2
    assert row["quality_flags"] == ["jitter_majority", "none_not_stored"]
    assert [a["none_stored"] for a in row["ratings"]] == [False, True, True]
    assert [(a["rank1"], a["rank2"]) for a in row["ratings"]] == [
        ("Devious", "None"),
        ("Evil", "Devious"),
        ("None", "None"),
    ]
    row = chehre.video_row(found[tied])
    assert row["dominant_labels"] == ["Devious", "Mischievous"] and row["label_distribution"] == [0.5, 0, 0.5]
    assert row["quality_flags"] == ["fewer_than_3_raters"]  # one of two is no majority
    row = chehre.video_row(found[nothing])
    assert row["dominant_labels"] == row["label_distribution"] == [] and row["mean_rating"] == [0, 0, 0]
    assert row["quality_flags"] == ["no_dominant_label"]


@pytest.fixture(scope="session")
def subset(labels, matches) -> list[str]:
    """Some rows of every kind: repeated raters, "None", nothing rated above 0, jitter, few raters, and plain ones."""
    kinds = {
        "repeated": lambda i: len(firsts(labels[i])) < len(labels[i]),
        "repeated match": lambda i: len(firsts(matches[i])) < len(matches[i]),
        "none": lambda i: any(a["rank1"] == "None" for a in labels[i]),
        "nothing": lambda i: not any(v for a in labels[i] for v in a["ratings"].values()),
        "jitter": lambda i: sum(a["jitter"] for a in labels[i]) > 1,
        "few": lambda i: len(labels[i]) < 3,
        "plain": lambda i: True,
    }
    chosen = {name: [item for item in labels if fits(item)][:6] for name, fits in kinds.items()}
    assert all(chosen[name] for name in ("repeated", "repeated match", "none", "jitter", "plain"))
    return sorted({item for items in chosen.values() for item in items})


@pytest.fixture(scope="session")
def with_videos(dump, subset, tmp_path_factory) -> tuple[Path, dict[str, bytes]]:
    """A repo from those rows of the dump and made-up videos, and the videos."""
    folder = tmp_path_factory.mktemp("videos")
    source = folder / "source"
    (source / "clips" / "more").mkdir(parents=True)
    for name in ("labels.csv", "emojis.csv"):
        header, *lines = (dump / name).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if re.match(r'"(.*?)\.mp4"', line)[1] in set(subset)]
        assert len(kept) == len(subset)
        (source / name).write_text("".join([header, *kept]), encoding="utf-8")
    data = {}
    for number, item in enumerate(subset):
        data[item] = raw.mp4(number, size=32 + 16 * (number % 2))
        (source / "clips" / ("more" if number % 3 else "") / f"{item}.mp4").write_bytes(data[item])
    assert len(set(data.values())) == len(data)
    raw.build("chehre", source, folder / "repo")
    return folder / "repo", data


def test_videos_hold_the_files_bytes_unchanged_and_what_raters_said(with_videos, labels, matches, dump):
    repo, data = with_videos
    order = json.loads((dump / "emoji_labels.json").read_text())
    rows = table(repo, "videos")
    assert {row["item"]: row["video"] for row in rows} == {
        item: {"bytes": bytes_, "path": f"{item}.mp4"} for item, bytes_ in data.items()
    }
    for row in rows:
        item = row["item"]
        assert_same_row(row, expected_row(item, labels[item], matches[item], order[row["emoji_code"]]))


def test_none_is_an_answer_in_every_row(with_videos, labels):
    told = Counter((a["rank1"], a["rank2"]) for row in table(with_videos[0], "videos") for a in row["ratings"])
    real = Counter((a["rank1"], a["rank2"]) for item in with_videos[1] for a in firsts(labels[item]))
    assert told == real and told["None", "None"] > 3


def test_videos_load_as_a_user_loads_them(with_videos, tmp_path, monkeypatch):
    repo, data = with_videos
    monkeypatch.chdir(repo.parent)
    loaded = datasets.load_dataset("./repo", cache_dir=str(tmp_path))  # the default config
    assert set(loaded) <= {"train", "validation", "test"}
    rows = [row for split in loaded.values() for row in split]
    assert {row["item"]: row["video"]["bytes"] for row in rows} == data
    shown = loaded["train"].features["emoji"]
    assert isinstance(shown, datasets.ClassLabel) and shown.num_classes == 40
    assert isinstance(loaded["train"].features["video"], datasets.Video)
    assert loaded["train"].features["label_distribution"].feature.dtype == "float32"


def test_the_emoji_class_is_the_picture_name_of_the_code(with_videos, dump):
    names = pq.read_schema(next((with_videos[0] / "videos").glob("*.parquet"))).metadata[b"huggingface"]
    classes = json.loads(names)["info"]["features"]["emoji"]["names"]
    pictures = set(json.loads((dump / "emoji_list.json").read_text()))
    assert {
        f"{name}_{row['emoji_code']}.png"
        for row in table(with_videos[0], "videos")
        for name in [classes[row["emoji"]]]
    } < pictures


def test_rankings_need_no_videos_and_keep_none_apart_from_missing(built, labels, dump):
    rows = table(built, "rankings")
    order = json.loads((dump / "emoji_labels.json").read_text())
    real = [(item, a["rater"], a["rank1"], a["rank2"]) for item in labels for a in firsts(labels[item])]
    assert Counter((row["item"], row["rater"], row["rank1"], row["rank2"]) for row in rows) == Counter(real)
    assert not [row for row in rows if row["rank1"] is None or row["rank2"] is None]
    for row in rows:
        assert {row["rank1"], row["rank2"]} <= {*order[row["emoji_code"]], "None"}
        assert row["labels"] == sorted(row["labels"]) and set(row["labels"]) == set(order[row["emoji_code"]])
    early = [row for row in rows if not row["none_stored"]]
    assert early and not [row for row in early if row["rank1"] == "None"]  # the fault of the study's app
    assert {row["timestamp"] < "2025-06-23" for row in early} == {True}
    assert sum(row["rank1"] == "None" for row in rows) > 10


def small(tmp_path: Path, **files: Any) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (source / f"{name}.json").write_text(text, encoding="utf-8")
    return raw.write_chehre(source, videos=False)


def test_label_sets_that_differ_are_a_problem(tmp_path, dump):
    sets = json.loads((dump / "emoji_labels.json").read_text())
    sets["1f612"] = ["Annoyed", "Bored"]
    del sets["1f608"]
    with pytest.raises(BuildError) as caught:
        raw.build("chehre", small(tmp_path, emoji_labels=sets), tmp_path / "repo")
    assert "labels of 1f612 are ['Annoyed', 'Bored']" in str(caught.value)
    assert "labels of 1f608 are None" in str(caught.value)
    assert str(caught.value).startswith("2 problems")


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "[" * 99_999], ids=["empty", "cut", "list", "number", "deep"])
@pytest.mark.parametrize("name", ["emoji_labels", "emoji_list"])
def test_label_sets_that_are_no_json_of_their_kind(tmp_path, name, content):
    if (name, content) == ("emoji_list", "[]"):
        content = "{}"
    with pytest.raises(SourceError, match=f"{name}.json (is not JSON|holds a).*Download it again"):
        raw.build("chehre", small(tmp_path, **{name: content}), tmp_path / "repo")
    assert not (tmp_path / "repo").exists()


def test_label_sets_are_not_needed(tmp_path):
    record = raw.build("chehre", small(tmp_path), tmp_path / "repo")
    assert not [what for what in record["configs"]["label_ratings"]["quirks"] if "dropped" in what]


names = st.sampled_from(raw.LABELS["1f608"])


values = st.one_of(st.integers(-1, 4), st.floats(), st.none(), st.booleans(), st.text(max_size=2), st.lists(st.none()))


@given(st.dictionaries(names | st.just("Happy"), st.one_of(st.integers(0, 3), values)), st.booleans())
def test_rating_cells_are_taken_if_and_only_if_every_label_has_a_whole_number(ratings, twice):
    parse, shown = parsing._ratings, emoji("1f608")
    text = raw.twice_quoted(ratings) if twice else json.dumps(ratings)
    quirks: Counter[str] = Counter()
    good = set(ratings) == set(shown.labels) and all(
        not isinstance(value, bool) and str(value) in ("0", "1", "2", "3") for value in ratings.values()
    )
    if good:
        assert parse(text, shown, quirks) == {label: int(value) for label, value in ratings.items()}
    else:
        with pytest.raises(ValueError):
            parse(text, shown, quirks)
    assert quirks.total() == twice


@given(st.text())
def test_any_text_in_a_rating_cell_is_taken_or_named_broken(text):
    try:
        assert set(parsing._ratings(text, emoji("1f608"), Counter())) == set(raw.LABELS["1f608"])
    except ValueError as error:
        assert str(error)
