"""Tables and picture of EmoNet-Face's card, from rows small enough to count by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataset_scripts.emonet_face import card
from emohub.data.taxonomy import EMOTIONS, GROUPS, NAMES

AWE, FEAR, PAIN = (NAMES.index(name) for name in ("Awe", "Fear", "Pain"))


def vector(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0) for name in NAMES], dtype="float32")


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
        votes = [
            {"rater": f"human-{step}", "step": step, "vote": bool(yes)} for step, yes in enumerate(answers, start=1)
        ]
        votes.append({"rater": "human-9", "step": 0, "vote": bool(absent)})
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
    return pd.DataFrame(rows, columns=["step", "category", "rating"]).assign(rater="human-1")


def big() -> pd.DataFrame:
    return pd.DataFrame({"intensities": [vector(Awe=5, Pain=0.5), vector(Awe=1), vector()]})


def test_emotions_of_every_config() -> None:
    table = card.emotion_table({"hq": hq(), "binary": binary(), "big": big()})
    assert table.index.to_list() == list(NAMES)
    assert table.iloc[AWE].to_list() == [2.0, 2, 2, 1, 2]
    assert table.iloc[FEAR].to_list() == [pytest.approx(1 / 3), 0, 1, 0, 0]
    assert table.iloc[PAIN].to_list() == [0, 0, 2, 0, 1]
    assert table.sum().to_list() == [pytest.approx(2 + 1 / 3), 2, 5, 1, 3]


def test_long_tables_say_the_same_where_images_are_not_built() -> None:
    short, long = (
        card.emotion_table({"binary": binary()}),
        card.emotion_table({"binary_ratings": binary_ratings()}),
    )
    pd.testing.assert_frame_equal(short, long)
    both = card.emotion_table({"binary_ratings": binary_ratings(), "binary": binary()})
    pd.testing.assert_frame_equal(short, both)


def test_hq_ratings_are_averaged_over_humans_alone() -> None:
    (column,) = card.emotion_table({"hq_ratings": hq_ratings()}).items()
    assert column[1]["Awe"] == 3 and column[1]["Fear"] == 0.5
    assert np.isnan(column[1]["Pain"])


def test_no_emotion_on_top_of_any_image() -> None:
    rows = hq().assign(top_emotion=pd.Series([None] * 3, dtype=object))
    assert card.emotion_table({"hq": rows}).iloc[:, 1].sum() == 0


@pytest.mark.parametrize("name", ["binary", "binary_ratings"])
def test_table_2_by_hand(name: str) -> None:
    table = card.step_table({name: {"binary": binary, "binary_ratings": binary_ratings}[name]()})
    assert table["Votes"].to_list() == [5, 3, 2, 5]
    assert table["Agreement"].to_list() == ["80.00 %", "66.67 %", "50.00 %", "80.00 %"]
    assert [index.split(" (")[0] for index in table.index] == ["Batch 1", "Batch 2", "Batch 3", "Batch 4"]


def test_table_2_without_a_second_step() -> None:
    table = card.step_table({"binary": binary(CHAINS[3:])})
    assert table["Votes"].to_list() == [2, 2] and table["Agreement"].to_list() == ["50.00 %", "100.00 %"]


def test_no_votes_no_table_2() -> None:
    assert card.step_table({"hq": hq(), "big": big()}).empty


def people(*rows: tuple[str | None, float | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["gender", "age", "ethnicity"])


def test_demographics_are_shares_of_what_is_known() -> None:
    table = card.demographic_table(
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
    assert card.demographic_table(configs).empty


def test_a_demographic_that_nobody_has_is_left_out() -> None:
    table = card.demographic_table({"hq": people(("man", None, "Asian"), ("man", None, "Asian"))})
    assert [key[0] for key in table.index] == ["Gender", "Ethnicity"]
    assert set(table["hq"]) == {"100.0 %"}


def test_every_group_has_its_colour() -> None:
    assert list(card.GROUP_COLOURS) == list(GROUPS) and len(set(card.GROUP_COLOURS.values())) == 7


@pytest.mark.parametrize("configs", [{"hq": hq()}, {"hq": hq(), "binary": binary(), "big": big()}], ids=["one", "all"])
def test_emotion_figure_draws_the_colours_of_what_there_is(configs: Mapping[str, Any], tmp_path: Path) -> None:
    table = card.emotion_table(configs)
    card.emotion_figure(table, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        assert image.format == "PNG"
        colours = {colour: count for count, colour in image.convert("RGB").getcolors(2**24)}
    legend = {name: _rgb(colour) for name, colour in card.GROUP_COLOURS.items()}
    assert all(colours.get(colour, 0) > 20 for colour in legend.values())  # the legend names every group
    drawn = {emotion.group for emotion in EMOTIONS if table.loc[emotion.name].fillna(0).gt(0).any()}
    least = min(colours[legend[group]] for group in drawn)
    assert least > max([colours[legend[group]] for group in legend if group not in drawn], default=0)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.lstrip("#")))


def test_yes_rates_by_rater_and_step() -> None:
    rows = [("a", 1, 1), ("a", 1, 1), ("a", 1, 0), ("b", 2, 1), ("b", 0, 0), ("a", 0, 1)]
    table = card.rater_table({"binary_ratings": pd.DataFrame(rows, columns=["rater", "step", "rating"])})
    assert table.columns.to_list() == ["Step 1", "Step 2", "Contrastive"]
    assert table.loc["a"].to_list() == ["66.7 % of 3", "–", "100.0 % of 1"]
    assert table.loc["b"].to_list() == ["–", "100.0 % of 1", "0.0 % of 1"]
    assert card.rater_table({"hq": hq()}).empty


def test_labels_are_counted_by_emotion() -> None:
    labels = [[None] * 40 for _ in range(3)]
    labels[0][AWE], labels[1][AWE], labels[1][PAIN], labels[2][PAIN] = 1, None, 0, 0
    rows = {"target": ["Awe", "Awe", "Fear"], "contrastive": ["Pain", "Pain", "Pain"], "labels": labels}
    table = card.label_table({"binary": pd.DataFrame(rows)})
    assert table.loc["Awe"].to_list() == [1, 0, 1]
    assert table.loc["Pain"].to_list() == [0, 2, 1]
    assert table.loc["Fear"].to_list() == [0, 0, 1]
    assert table.sum().to_list() == [1, 2, 3] and len(table) == 40
    assert card.label_table({"hq": hq()}).empty
