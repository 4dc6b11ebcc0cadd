"""Tables and picture of Chehre's card, from rows small enough to count by hand."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from dataset_scripts.chehre import card
from emohub.data.emojis import EMOJIS

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
    shares = card.label_shares(configs).set_index(["code", "label"])["share"]
    assert shares.to_dict() == {
        (SMIRK, "Smug"): 0.8,
        (SMIRK, "Flirty"): 0.2,
        (UNAMUSED, "Annoyed"): 0.5,
        (UNAMUSED, "Disgust"): 0.5,
    }


def test_emoji_table_by_hand() -> None:
    table = card.emoji_table({"videos": videos()})
    names = {shown.code: f"{shown.character} {shown.name}" for shown in EMOJIS}
    assert table.loc[names[SMIRK]].to_list() == [1, "1.50", "Smug 80 %, Flirty 20 %"]
    assert table.loc[names[UNAMUSED]].to_list() == [1, "2.00", "Annoyed 50 %, Disgust 50 %"]
    assert len(table) == 2


def test_emoji_table_of_matches_alone() -> None:
    matches = pd.DataFrame({"item": [FIRST, FIRST, SECOND], "rating": [3.0, 2.0, 0.0]})
    table = card.emoji_table({"emoji_ratings": matches})
    assert list(table.columns) == ["Videos", "Match 0–3"]
    assert table["Match 0–3"].to_list() == ["2.50", "0.00"]
    assert table["Videos"].to_list() == [1, 1]


def test_labels_that_all_got_zero_have_no_share() -> None:
    """0/0 is no number: it must not stand in a card as one."""
    rows = label_ratings().assign(rating=lambda t: t["rating"].where(t["item"] == FIRST, 0))
    assert "nan" not in card.emoji_table({"label_ratings": rows}).to_string().lower()


def test_faces_by_their_letters() -> None:
    table = card.face_table({"videos": videos()})
    assert table["Videos"].to_dict() == {"AF: Asian, female": 1, "WM: White, male": 1}


def test_emoji_figure(tmp_path: Path) -> None:
    assert card.emoji_figure({"videos": videos()}, tmp_path / "x.png") is True
    with Image.open(tmp_path / "x.png") as image:
        assert image.format == "PNG"
        assert len(image.convert("RGB").getcolors(2**24)) > 20


def test_no_label_ratings_no_figure(tmp_path: Path) -> None:
    matches = pd.DataFrame({"item": [FIRST], "rating": [3.0]})
    assert card.emoji_figure({"emoji_ratings": matches}, tmp_path / "x.png") is False
    assert not (tmp_path / "x.png").exists()


def test_what_guessing_would_reach_by_hand() -> None:
    """Two raters of three videos of one emoji: Smug dominates two of them, Flirty ties in one."""
    rows = [
        ("a_1f60f", "Smug", 3), ("a_1f60f", "Flirty", 1), ("b_1f60f", "Smug", 2), ("b_1f60f", "Flirty", 2),
        ("c_1f60f", "Smug", 0), ("c_1f60f", "Flirty", 0), ("d_1f612", "Annoyed", 1), ("d_1f612", "Disgust", 0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["item", "category", "rating"])
    found = card.baselines({"label_ratings": table})
    assert found["random"] == pytest.approx(100 * (0.5 + 1 + 0 + 0.5) / 4)  # nothing dominates c
    assert found["prior"] == pytest.approx(100 * (1 + 1 + 0 + 1) / 4)
    assert card.baselines({"videos": videos()}) == {}
