"""Votes of BINARY: the real file against the notes' rules, restated slowly; made-up files against what made them."""

import csv
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from datasets import load_dataset

from dataset_scripts.emonet_face.votes import image_votes, label, read_votes, votes_by_image
from emohub.data.problems import ProblemLog
from emohub.data.ratings import validate_ratings
from emohub.data.taxonomy import NAMES
from tests.dataset_scripts.emonet_votes.inputs import (
    HEADER,
    Truth,
    Vote,
    check_columns,
    derive,
)
from tests.raw_inputs import build, write_csv, write_part
from tests.raw_inputs import jpeg as picture


def read_rows(path: Path) -> dict[str, list[Vote]]:
    """Image → votes in the order of the file, read with the csv module alone."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(r["path"], r["annotator"], r["value"], r["emotion"]) for r in csv.DictReader(file)]
    assert {value for _, _, value, _ in rows} == {"True", "False"}
    images: dict[str, list[Vote]] = {}
    for path_, who, value, emotion in rows:
        name = "Helplessness" if emotion == "Hopelessness" else emotion
        images.setdefault(path_, []).append((who, value == "True", name))
    return images


@pytest.fixture(scope="module")
def real(shared: Path) -> dict[str, list[Vote]]:
    return read_rows(shared / "data" / "emonet_face" / "binary.csv")


@pytest.fixture(scope="module")
def truths(real: dict[str, list[Vote]]) -> dict[str, Truth]:
    return {item: derive(item, votes) for item, votes in real.items()}


@pytest.fixture(scope="module")
def built(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`binary_ratings` of the real file; complete, so nothing is allowed to be partial."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built") / "emonet-face"
    (source / "binary.csv").symlink_to(shared / "data" / "emonet_face" / "binary.csv")
    build("emonet-face", source, out, allow_partial=False)
    return out


@pytest.fixture(scope="module")
def loaded(built: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    splits = load_dataset(str(built), "binary_ratings", cache_dir=str(tmp_path_factory.mktemp("cache")))
    return pd.concat([rows.to_pandas().assign(split=name) for name, rows in splits.items()], ignore_index=True)


def test_every_vote_is_there_exactly_once(real: dict[str, list[Vote]], loaded: pd.DataFrame) -> None:
    upstream = Counter((item, *vote) for item, votes in real.items() for vote in votes)
    assert upstream.total() == len(loaded) == 65_686
    assert loaded["item"].nunique() == len(real) == 19_999
    assert set(loaded["rating"]) == {0.0, 1.0}
    ours = Counter(
        zip(loaded["item"], loaded["rater"], loaded["rating"].astype(bool), loaded["category"], strict=True)
    )
    assert ours == upstream
    assert set(loaded["kind"]) == {"human"}
    assert loaded["sample"].isna().all()
    assert set(loaded["category"]) == set(NAMES)
    validate_ratings(loaded.drop(columns="split"), categories=NAMES, scale=(0, 1), whole=True)


def test_table_2_follows_from_the_built_dataset(loaded: pd.DataFrame) -> None:
    """Table 2: 19,999 / 14,670 / 11,018 images and 82.83, 75.11, 82.37 % yes; contrastive 94.29 % no."""
    votes = {step: loaded[loaded["step"] == step]["rating"] for step in (1, 2, 3, 0)}
    assert [len(votes[step]) for step in (1, 2, 3, 0)] == [19_999, 14_670, 11_018, 19_999]
    assert [f"{100 * votes[step].mean():.2f}" for step in (1, 2, 3)] == ["82.83", "75.11", "82.37"]
    assert f"{100 * (1 - votes[0].mean()):.2f}" == "94.29"
    assert sum(map(len, votes.values())) == len(loaded)


def test_card_states_table_2(built: Path) -> None:
    card = (built / "README.md").read_text(encoding="utf-8")
    for row in ("| 19,999 | 82.83 % |", "| 14,670 | 75.11 % |", "| 11,018 | 82.37 % |", "| 19,999 | 94.29 % |"):
        assert row in card
    assert "not the complete published data" not in card


def test_steps_agree_with_the_notes(truths: dict[str, Truth], loaded: pd.DataFrame) -> None:
    expected = {(item, *key): step for item, truth in truths.items() for key, step in truth.steps.items()}
    found = dict(
        zip(zip(loaded["item"], loaded["rater"], loaded["category"], strict=True), loaded["step"], strict=True)
    )
    assert found == expected


def test_an_image_is_in_one_split(loaded: pd.DataFrame) -> None:
    splits = loaded.groupby("item")["split"].agg(["nunique", "first"])
    assert set(splits["nunique"]) == {1}
    share = (splits["first"] == "validation").mean()
    assert 0.04 < share < 0.06


@pytest.fixture(scope="module")
def real_votes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Every real image's votes, in the order of their steps."""
    log = ProblemLog(tmp_path_factory.mktemp("log"))
    votes = votes_by_image(read_votes(shared / "data" / "emonet_face" / "binary.csv", log))
    assert list(log) == []
    return votes


@pytest.fixture(scope="module")
def columns(real_votes: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """What the `binary` config holds of every real image."""
    return {item: image_votes(rows) for item, rows in real_votes.items()}


def test_image_votes_of_every_real_image(
    real: dict[str, list[Vote]], truths: dict[str, Truth], columns: dict[str, dict[str, Any]]
) -> None:
    assert columns.keys() == real.keys()
    for item, row in columns.items():
        check_columns(row, truths[item], real[item])


def test_statuses_add_up_to_table_2(columns: dict[str, dict[str, Any]]) -> None:
    counts = Counter(row["status"] for row in columns.values())
    assert counts.total() == 19_999
    first_yes = round(19_999 * 0.8283), round(14_670 * 0.7511)  # each exact to half a point of the last digit
    assert counts["rejected_b1"] == pytest.approx(19_999 - first_yes[0], abs=1)
    assert counts["single_yes"] == pytest.approx(first_yes[0] - 14_670, abs=1)
    assert counts["split_1_1"] == 14_670 - 11_018
    assert counts["split_2_1"] + counts["consensus_3_0"] == 11_018
    assert 100 * counts["consensus_3_0"] / 11_018 == pytest.approx(82.37, abs=0.005)


@pytest.mark.parametrize(
    ("positives", "count"),
    [("consensus", 9_076), ("majority", 11_018), ("any", 16_566 + 1_141)],
)
def test_positives_of_the_real_votes(positives: str, count: int, real_votes: dict[str, list[Any]]) -> None:
    """§3 and Table 2: 82.37 % of 11,018 chains were confirmed; 82.83 % of 19,999 images got a first yes."""
    rows = {item: image_votes(votes, positives) for item, votes in real_votes.items()}
    assert sum(row["labels"].count(1) for row in rows.values()) == pytest.approx(count, abs=1)
    for item, row in rows.items():
        asked = [row["labels"][NAMES.index(name)] for name in (row["target"], row["contrastive"])]
        assert len(row["labels"]) - row["labels"].count(None) == len(asked) - asked.count(None), item


@pytest.mark.parametrize(
    ("answers", "consensus", "majority", "anyone"),
    [
        ((0,), 0, 0, 0), ((1,), None, None, 1), ((1, 0), None, None, 1), ((1, 1), None, 1, 1),
        ((1, 1, 0), None, 1, 1), ((1, 1, 1), 1, 1, 1),
    ],
)  # fmt: skip
def test_what_makes_a_label(answers: tuple[int, ...], consensus: Any, majority: Any, anyone: Any) -> None:
    assert [label(answers, policy) for policy in ("consensus", "majority", "any")] == [consensus, majority, anyone]


def test_contrastive_emotions_are_twenty_mutual_pairs(columns: dict[str, dict[str, Any]]) -> None:
    partners = {(row["target"], row["contrastive"]) for row in columns.values()}
    assert len(partners) == 40
    assert {(b, a) for a, b in partners} == partners


def test_binary_config_of_real_votes(real: dict[str, list[Vote]], truths: dict[str, Truth], tmp_path: Path) -> None:
    """The config with images, for every 67th image and for each shape of votes."""
    shapes = {(int(item) // 2000, truth.status, len(real[item])): item for item, truth in truths.items()}
    items = sorted({*itertools.islice(real, 0, None, 67), *shapes.values()})
    write_csv(tmp_path / "src" / "binary.csv", HEADER, [(i, *map(str, vote)) for i in items for vote in real[i]])
    for number, item in enumerate(items):
        write_part(tmp_path / "src", item, picture(number % 7))
    build("emonet-face", tmp_path / "src", tmp_path / "out", "binary")
    splits = load_dataset(str(tmp_path / "out"), "binary", cache_dir=str(tmp_path / "cache"))
    features = splits["train"].features
    rows = {}
    for split in splits.values():
        for row in split.remove_columns("image"):
            for name in ("target", "contrastive", "status"):
                row[name] = features[name].int2str(row[name])
            for vote in row["votes"]:
                vote["emotion"] = features["target"].int2str(vote["emotion"])
            rows[row["item"]] = row
    assert sorted(rows) == items
    for item, row in rows.items():
        check_columns(row, truths[item], real[item])
