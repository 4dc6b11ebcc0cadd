"""Splits: the same on every machine and with more data, nobody in two of them, an official list wins."""

import csv
import hashlib
import json
import subprocess
import sys
from fractions import Fraction
from math import nextafter, sqrt

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.splits import read_official_splits, split_of
from emohub.errors import BuildError, SourceError
from tests import raw_inputs as raw

THREE = {"train": 0.7, "validation": 0.1, "test": 0.2}


def reference(key: str, shares: dict[str, float]) -> str:
    """The first 52 bits of SHA-256 as an exact fraction of 1, against exact sums of the shares as they are meant."""
    bits = int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:7], "big") >> 4
    point, edge = Fraction(bits, 2**52), Fraction(0)
    for name, share in shares.items():
        edge += Fraction(str(share))
        if point < edge:
            return name
    raise AssertionError("the shares do not sum to 1")


# From `printf 00016 | sha256sum`, which starts fec3; 0.95 is f333….
KNOWN = {"00000": "train", "00015": "train", "00016": "validation", "00034": "validation", "00035": "train"}

shares = (
    st.lists(st.integers(0, 20), min_size=1, max_size=5)
    .filter(any)
    .map(lambda parts: {f"split-{n}": part / sum(parts) for n, part in enumerate(parts) if part})
)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_split_is_that_of_an_independent_computation(key):
    for known in (THREE, {"train": 0.95, "validation": 0.05}, {"test": 1.0}):
        assert split_of(key, known) == reference(key, known)


@given(st.text(max_size=10).filter(lambda key: key.isprintable()), shares)
def test_every_key_has_a_split_whatever_the_shares(key, known):
    assert split_of(key, known) in known


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=10))
def test_a_share_ends_just_below_its_edge(key):
    point = (int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") >> 4) / 2**52
    assert split_of(key, {"below": point, "above": 1 - point}) == "above"
    assert split_of(key, {"below": nextafter(point, 1), "above": 1 - point}) == "below"


def test_known_answers():
    """Written down once, so that no machine, no version and no refactoring moves an item."""
    told = {key: split_of(key, {"train": 0.95, "validation": 0.05}) for key in KNOWN}
    assert told == KNOWN


def test_same_answers_in_a_fresh_process_with_another_hash_seed():
    keys = [f"key-{number}" for number in range(50)]
    code = (
        "import json, sys; from emohub.data.splits import split_of;"
        f"print(json.dumps([split_of(key, {THREE!r}) for key in {keys!r}]))"
    )
    for seed in ("0", "1"):
        run = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        assert json.loads(run.stdout) == [reference(key, THREE) for key in keys]


def test_shares_are_kept_within_chance():
    keys = [f"{number:05d}" for number in range(20_000)]
    for known in (THREE, {"train": 0.95, "validation": 0.05}):
        found = [split_of(key, known) for key in keys]
        for name, share in known.items():
            expected, spread = len(keys) * share, sqrt(len(keys) * share * (1 - share))
            assert abs(found.count(name) - expected) < 4 * spread, (name, found.count(name))


# ---- The official list


def listed(tmp_path, *rows, header=("id", "split")):
    path = tmp_path / "official.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_a_list_is_read_as_it_is(tmp_path):
    path = listed(
        tmp_path, ("a", "train", "x"), ("NA", "test", ""), ("a", "train", ""), header=("id", "split", "note")
    )
    assert read_official_splits(path, THREE) == {"a": "train", "NA": "test"}


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("", "is empty"),
        ("id,split\n", "no rows"),
        ("item,split\na,train\n", r"lacks the columns \['id'\]; found \['item', 'split'\]"),
        ("id,split\na,dev\n", r"unknown splits .*'dev'.*valid are \['train', 'validation', 'test'\]"),
        ("id,split\na,\n", "unknown splits .*''"),
        ("id,split\na,\n", "unknown splits .*''"),
        ("id,split\na\n", "line 2 has fewer cells than the header"),
        ("id,split\na,Train\n", "unknown splits .*'Train'"),
        ("id,split\na,train\nb,test\na,test\nb,train\nc,test\n", r"2 ids are in two splits.*\['a', 'b'\]"),
        ("id,split\na,test\n,train\n", "an id is empty, in data row 2"),
        ("id,split\na,train,more\n", "not a CSV table"),
    ],
)
def test_a_list_that_is_wrong_says_how(tmp_path, text, shows):
    path = tmp_path / "official.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match=shows) as caught:
        read_official_splits(path, THREE)
    assert str(path) in str(caught.value)


def test_a_list_in_another_encoding_says_so(tmp_path):
    path = tmp_path / "official.csv"
    path.write_bytes("id,split\né,train\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"not UTF-8 \(line 2, byte 9"):
        read_official_splits(path, THREE)


# ---- In a build


def split_by(repo, config, column="item"):
    found: dict[str, set[str]] = {}
    for path in (repo / config).glob("*.parquet"):
        for value in pq.read_table(path, columns=[column]).column(0).to_pylist():
            found.setdefault(value, set()).add(path.name.partition("-")[0])
    return found


def videos_of(performers, each=2):
    codes = ["1f612", "1f608"][:each]
    return [f"AF_Y_001--{n:08x}-0000-4000-8000-000000000000_{code}" for n in performers for code in codes]


def write_ratings(folder, items):
    folder.mkdir()
    return raw.write_chehre(folder, {item: raw.some_answers(item) for item in items}, videos=False)


@pytest.fixture(scope="module")
def performers(tmp_path_factory):
    """A repo of 60 performers with two videos each."""
    folder = tmp_path_factory.mktemp("performers")
    raw.build("chehre", write_ratings(folder / "source", videos_of(range(60))), folder / "repo")
    return folder / "repo"


def test_no_performer_is_in_two_splits_and_every_config_agrees(performers):
    labels, emojis = split_by(performers, "label_ratings"), split_by(performers, "emoji_ratings")
    assert labels == emojis and len(labels) == 120
    by_performer: dict[str, set[str]] = {}
    for item, splits in labels.items():
        by_performer.setdefault(item.split("--")[1][:36], set()).update(splits)
    assert by_performer == {performer: {reference(performer, THREE)} for performer in by_performer}
    assert len(by_performer) == 60 and set.union(*by_performer.values()) == set(THREE)


def test_more_data_moves_nothing(performers, tmp_path):
    raw.build("chehre", write_ratings(tmp_path / "source", videos_of(range(90))), tmp_path / "repo", "emoji_ratings")
    more = split_by(tmp_path / "repo", "emoji_ratings")
    assert len(more) == 180
    assert {item: more[item] for item in split_by(performers, "emoji_ratings")} == split_by(
        performers, "emoji_ratings"
    )


def test_the_official_list_overrides_and_the_rest_keeps_its_hash(performers, tmp_path):
    moved = {f"{n:08x}-0000-4000-8000-000000000000": ("test", "train", "validation")[n % 3] for n in range(20)}
    source = write_ratings(tmp_path / "source", videos_of(range(60)))
    path = listed(tmp_path, *moved.items(), ("somebody else", "test"))
    record = raw.build("chehre", source, tmp_path / "repo", splits=path)
    for config in ("label_ratings", "emoji_ratings"):
        for item, splits in split_by(tmp_path / "repo", config).items():
            performer = item.split("--")[1][:36]
            assert splits == {moved.get(performer) or reference(performer, THREE)}
        made = record["configs"][config]
        assert made["official_splits"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert made["quirks"]["items whose split the official list does not name"] == 40 * 2
    assert "An official split list" in (tmp_path / "repo" / "README.md").read_text(encoding="utf-8")


def test_a_list_that_names_nothing_in_the_data_is_refused(tmp_path):
    """For example one of videos where performers are asked for: it would override nothing, and nobody would know."""
    source = write_ratings(tmp_path / "source", videos_of(range(3)))
    path = listed(tmp_path, *((item, "test") for item in videos_of(range(3))))
    with pytest.raises(SourceError, match="(?s)names none of the ids .* is split by.*ids in it are like"):
        raw.build("chehre", source, tmp_path / "repo", splits=path)
    assert not (tmp_path / "repo").exists()


def test_a_config_built_later_with_another_list_would_tear_items_apart(tmp_path):
    source = write_ratings(tmp_path / "source", videos_of(range(6)))
    repo = tmp_path / "repo"
    raw.build("chehre", source, repo, "label_ratings")
    before = raw.tree(repo)
    everyone = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(6)]
    path = listed(tmp_path, *((performer, "validation") for performer in everyone))
    with pytest.raises(
        BuildError, match="(?s)are in 'validation' but elsewhere in.*same --splits. Nothing was written"
    ):
        raw.build("chehre", source, repo, "emoji_ratings", splits=path)
    assert raw.tree(repo) == before
    raw.build("chehre", source, repo, splits=path)
    assert set.union(*split_by(repo, "label_ratings").values()) == {"validation"}


def test_an_image_is_in_one_split_in_binary_and_big(tmp_path):
    """BIG holds BINARY's images under other names: by their content they go where BINARY has them."""
    source = tmp_path / "source"
    items = ["00016", "00034", *(f"{number:05d}" for number in range(100, 130))]
    votes = [(item, *vote) for item in items for vote in raw.BINARY_VOTES["00000"]]
    raw.write_csv(source / "binary.csv", ("path", "annotator", "value", "emotion"), votes)
    members = []
    for number, item in enumerate(items):
        raw.write_part(source, item, raw.jpeg(number))
        text = json.dumps({"prompt": raw.PROMPT, "annotations": {"Awe": 5}}).encode()
        members += [(f"other_{number}.jpg", raw.jpeg(number)), (f"other_{number}.json", text)]
    raw.write_tar(source / "big" / "00000.tar", members)
    raw.build("emonet-face", source, tmp_path / "repo")
    training = {"train": 0.95, "validation": 0.05}
    expected = {item: {reference(item, training)} for item in items}
    assert {split for splits in expected.values() for split in splits} == {"train", "validation"}
    for config in ("binary", "binary_ratings", "big"):
        assert split_by(tmp_path / "repo", config) == expected
