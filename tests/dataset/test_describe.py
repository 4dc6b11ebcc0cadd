"""Tables and pictures of a card, from rows small enough to count by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emohub.data.emojis import EMOJIS
from emohub.data.taxonomy import EMOTIONS, GROUPS, NAMES
from emohub.dataset import describe

AWE, FEAR, PAIN = (NAMES.index(name) for name in ("Awe", "Fear", "Pain"))


def vector(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0) for name in NAMES], dtype="float32")


# ---- Reading a repo's files


def test_read_config_names_classes_and_splits_and_leaves_media_out(tmp_path: Path) -> None:
    kinds = {
        "image": datasets.Image(),
        "item": datasets.Value("string"),
        "target": datasets.ClassLabel(names=["a", "b"]),
        "labels": datasets.List(datasets.Value("int8"), length=2),
    }
    for split, shard, rows in (("train", 0, [0, 1]), ("train", 1, [None]), ("test", 0, [1])):
        table = {
            "image": [{"bytes": b"x" * 9, "path": "x.jpg"} for _ in rows],
            "item": [f"{split}{shard}{n}" for n in range(len(rows))],
            "target": rows,
            "labels": [[1, None] for _ in rows],
        }
        made = datasets.Dataset.from_dict(table, datasets.Features(kinds))
        made.to_parquet(tmp_path / f"{split}-{shard:05d}-of-00002.parquet")
    found = describe.read_config(tmp_path)
    assert list(found.columns) == ["item", "target", "labels", "split"]
    assert found["split"].to_list() == ["test", "train", "train", "train"]
    assert found["target"].fillna("none").to_list() == ["b", "a", "b", "none"]
    assert list(describe.features_of(tmp_path)) == list(kinds)


# ---- EmoNet-Face


def hq() -> pd.DataFrame:
    means = [vector(Awe=4, Fear=1), vector(Awe=2), vector(), None]  # the last one was rated by no human
    return pd.DataFrame({"mean_intensity": means, "top_emotion": ["Awe", "Awe", None, None]})


def hq_ratings() -> pd.DataFrame:
    rows = [
        ("a", "human", "Awe", 4.0), ("a", "human", "Fear", 1.0), ("b", "human", "Awe", 2.0),
        ("b", "human", "Fear", 0.0), ("a", "model", "Awe", 7.0), ("b", "baseline", "Fear", 7.0),
        ("a", "vlm", "Pain", 7.0),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["item", "kind", "category", "rating"])


CHAINS = (  # target, contrastive, answers on the target, answer on the contrastive emotion, status
    ("Awe", "Pain", (1, 1, 1), 0, "consensus_3_0"),
    ("Awe", "Pain", (1, 1, 0), 0, "split_2_1"),
    ("Fear", "Relief", (1, 0), 1, "split_1_1"),
    ("Pain", "Awe", (0,), 0, "rejected_b1"),
    ("Pain", "Awe", (1,), 0, "single_yes"),
)


def binary(chains: Sequence[Any] = CHAINS) -> pd.DataFrame:
    rows = []
    for target, contrastive, answers, absent, status in chains:
        votes = [{"step": step, "vote": bool(yes)} for step, yes in enumerate(answers, start=1)]
        votes.append({"step": 0, "vote": bool(absent)})
        rows.append({"target": target, "contrastive": contrastive, "status": status, "votes": votes})
    return pd.DataFrame(rows)


def binary_ratings(chains: Sequence[Any] = CHAINS) -> pd.DataFrame:
    rows = [
        (step, category, float(yes))
        for target, contrastive, answers, absent, _ in chains
        for step, category, yes in [
            *((step, target, yes) for step, yes in enumerate(answers, start=1)),
            (0, contrastive, absent),
        ]
    ]
    return pd.DataFrame(rows, columns=["step", "category", "rating"])


def big() -> pd.DataFrame:
    return pd.DataFrame({"intensities": [vector(Awe=5, Pain=0.5), vector(Awe=1), vector()]})


def test_emotions_of_every_config() -> None:
    table = describe.emotion_table({"hq": hq(), "binary": binary(), "big": big()})
    assert table.index.to_list() == list(NAMES)
    assert table.iloc[AWE].to_list() == [2.0, 2, 2, 1, 2]
    assert table.iloc[FEAR].to_list() == [pytest.approx(1 / 3), 0, 1, 0, 0]
    assert table.iloc[PAIN].to_list() == [0, 0, 2, 0, 1]
    assert table.sum().to_list() == [pytest.approx(2 + 1 / 3), 2, 5, 1, 3]


def test_long_tables_say_the_same_where_images_are_not_built() -> None:
    short, long = (
        describe.emotion_table({"binary": binary()}),
        describe.emotion_table({"binary_ratings": binary_ratings()}),
    )
    pd.testing.assert_frame_equal(short, long)
    both = describe.emotion_table({"binary_ratings": binary_ratings(), "binary": binary()})
    pd.testing.assert_frame_equal(short, both)


def test_hq_ratings_are_averaged_over_humans_alone() -> None:
    (column,) = describe.emotion_table({"hq_ratings": hq_ratings()}).items()
    assert column[1]["Awe"] == 3 and column[1]["Fear"] == 0.5
    assert np.isnan(column[1]["Pain"])


def test_no_emotion_on_top_of_any_image() -> None:
    rows = hq().assign(top_emotion=pd.Series([None] * 3, dtype=object))
    assert describe.emotion_table({"hq": rows}).iloc[:, 1].sum() == 0


@pytest.mark.parametrize("name", ["binary", "binary_ratings"])
def test_table_2_by_hand(name: str) -> None:
    table = describe.step_table({name: {"binary": binary, "binary_ratings": binary_ratings}[name]()})
    assert table["Votes"].to_list() == [5, 3, 2, 5]
    assert table["Agreement"].to_list() == ["80.00 %", "66.67 %", "50.00 %", "80.00 %"]
    assert [index.split(" (")[0] for index in table.index] == ["Batch 1", "Batch 2", "Batch 3", "Batch 4"]


def test_table_2_without_a_second_step() -> None:
    table = describe.step_table({"binary": binary(CHAINS[3:])})
    assert table["Votes"].to_list() == [2, 2] and table["Agreement"].to_list() == ["50.00 %", "100.00 %"]


def test_no_votes_no_table_2() -> None:
    assert describe.step_table({"hq": hq(), "big": big()}).empty


def people(*rows: tuple[str | None, float | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["gender", "age", "ethnicity"])


def test_demographics_are_shares_of_what_is_known() -> None:
    table = describe.demographic_table(
        {
            "hq": people(("man", 30, "Asian"), ("woman", 30, "White"), ("woman", 80.0, "White"), (None, None, None)),
            "big": people(("man", 20, "arabic")),
            "hq_ratings": hq_ratings(),
        }
    )
    assert list(table.columns) == ["hq", "big"]
    assert {key: row.to_list() for key, row in table.iterrows()} == {
        ("Gender", "man"): ["33.3 %", "100.0 %"],
        ("Gender", "woman"): ["66.7 %", "0.0 %"],
        ("Age", "20"): ["0.0 %", "100.0 %"],
        ("Age", "30"): ["66.7 %", "0.0 %"],
        ("Age", "80"): ["33.3 %", "0.0 %"],
        ("Ethnicity", "Asian"): ["33.3 %", "0.0 %"],
        ("Ethnicity", "White"): ["66.7 %", "0.0 %"],
        ("Ethnicity", "arabic"): ["0.0 %", "100.0 %"],
    }
    assert [key[0] for key in table.index] == ["Gender"] * 2 + ["Age"] * 3 + ["Ethnicity"] * 3


@pytest.mark.parametrize(
    "configs",
    [{}, {"hq": people((None, None, None))}, {"hq_ratings": hq_ratings()}],
    ids=["nothing", "nobody", "no columns"],
)
def test_no_demographics_no_table(configs: Mapping[str, pd.DataFrame]) -> None:
    assert describe.demographic_table(configs).empty


def test_a_demographic_that_nobody_has_is_left_out() -> None:
    table = describe.demographic_table({"hq": people(("man", None, "Asian"), ("man", None, "Asian"))})
    assert [key[0] for key in table.index] == ["Gender", "Ethnicity"]
    assert set(table["hq"]) == {"100.0 %"}


def test_every_group_has_its_colour() -> None:
    assert list(describe.GROUP_COLOURS) == list(GROUPS) and len(set(describe.GROUP_COLOURS.values())) == 7


@pytest.mark.parametrize("configs", [{"hq": hq()}, {"hq": hq(), "binary": binary(), "big": big()}], ids=["one", "all"])
def test_emotion_figure_draws_the_colours_of_what_there_is(configs: Mapping[str, Any], tmp_path: Path) -> None:
    table = describe.emotion_table(configs)
    describe.emotion_figure(table, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        assert image.format == "PNG"
        colours = {colour: count for count, colour in image.convert("RGB").getcolors(2**24)}
    legend = {name: _rgb(colour) for name, colour in describe.GROUP_COLOURS.items()}
    assert all(colours.get(colour, 0) > 20 for colour in legend.values())  # the legend names every group
    drawn = {emotion.group for emotion in EMOTIONS if table.loc[emotion.name].fillna(0).gt(0).any()}
    least = min(colours[legend[group]] for group in drawn)
    assert least > max([colours[legend[group]] for group in legend if group not in drawn], default=0)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.lstrip("#")))


# ---- Chehre

SMIRK, UNAMUSED = "1f60f", "1f612"
FIRST, SECOND = f"AF_Y_1--p_{SMIRK}", f"WM_Y_2--p_{UNAMUSED}"


def label_ratings() -> pd.DataFrame:
    rows = [
        (FIRST, "Smug", 3), (FIRST, "Flirty", 1), (FIRST, "Smug", 1), (FIRST, "Flirty", 0),
        (SECOND, "Annoyed", 2), (SECOND, "Disgust", 2),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["item", "category", "rating"])


def videos() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": [FIRST, SECOND],
            "emoji_code": [SMIRK, UNAMUSED],
            "labels": [["Smug", "Flirty"], ["Annoyed", "Disgust"]],
            "ratings": [[{"values": [3, 1]}, {"values": [1, 0]}], [{"values": [2, 2]}]],
            "emoji_match": [[{"rating": 3}, {"rating": 0}], [{"rating": 2}]],
        }
    )


@pytest.mark.parametrize("configs", [{"label_ratings": label_ratings()}, {"videos": videos()}], ids=["long", "videos"])
def test_label_shares_by_hand(configs: Mapping[str, pd.DataFrame]) -> None:
    shares = describe.label_shares(configs).set_index(["code", "label"])["share"]
    assert shares.to_dict() == {
        (SMIRK, "Smug"): 0.8,
        (SMIRK, "Flirty"): 0.2,
        (UNAMUSED, "Annoyed"): 0.5,
        (UNAMUSED, "Disgust"): 0.5,
    }


def test_emoji_table_by_hand() -> None:
    table = describe.emoji_table({"videos": videos()})
    names = {shown.code: f"{shown.character} {shown.name}" for shown in EMOJIS}
    assert table.loc[names[SMIRK]].to_list() == [1, "1.50", "Smug 80 %, Flirty 20 %"]
    assert table.loc[names[UNAMUSED]].to_list() == [1, "2.00", "Annoyed 50 %, Disgust 50 %"]
    assert len(table) == 2


def test_emoji_table_of_matches_alone() -> None:
    matches = pd.DataFrame({"item": [FIRST, FIRST, SECOND], "rating": [3.0, 2.0, 0.0]})
    table = describe.emoji_table({"emoji_ratings": matches})
    assert list(table.columns) == ["Videos", "Match 0–3"]
    assert table["Match 0–3"].to_list() == ["2.50", "0.00"]
    assert table["Videos"].to_list() == [1, 1]


def test_labels_that_all_got_zero_have_no_share() -> None:
    """0/0 is no number: it must not stand in a card as one."""
    rows = label_ratings().assign(rating=lambda t: t["rating"].where(t["item"] == FIRST, 0))
    assert "nan" not in describe.emoji_table({"label_ratings": rows}).to_string().lower()


def test_faces_by_their_letters() -> None:
    table = describe.face_table({"videos": videos()})
    assert table["Videos"].to_dict() == {"AF: Asian, female": 1, "WM: White, male": 1}


def test_emoji_figure(tmp_path: Path) -> None:
    assert describe.emoji_figure({"videos": videos()}, tmp_path / "x.png") is True
    with Image.open(tmp_path / "x.png") as image:
        assert image.format == "PNG"
        assert len(image.convert("RGB").getcolors(2**24)) > 20


def test_no_label_ratings_no_figure(tmp_path: Path) -> None:
    matches = pd.DataFrame({"item": [FIRST], "rating": [3.0]})
    assert describe.emoji_figure({"emoji_ratings": matches}, tmp_path / "x.png") is False
    assert not (tmp_path / "x.png").exists()
