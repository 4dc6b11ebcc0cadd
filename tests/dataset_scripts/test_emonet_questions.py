"""BINARY as questions: held-out images that the votes decide, each with a small picture in its row."""

import base64
import io
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from dataset_scripts.emonet_face.emonet_face import EmoNetFace
from emohub.data.taxonomy import NAMES
from emohub.dataset.build import Options, build_dataset
from emohub.dataset.card import write_dataset_card
from emohub.hub.json_files import read_json


@pytest.fixture(scope="module")
def built(raw_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("questions") / "repo"
    options = Options(allow_partial=True, splits=raw_demo / "emonet-face" / "splits.csv")
    build_dataset("emonet-face", str(raw_demo / "emonet-face"), out, configs=("binary_questions",), options=options)
    write_dataset_card("emonet-face", out)
    return out


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.concat(map(pd.read_parquet, sorted(folder.glob("*.parquet"))), ignore_index=True)


def test_only_held_out_images_that_the_votes_decide(built: Path, release: Path) -> None:
    rows = rows_of(built / "binary_questions")
    binary = rows_of(release / "emonet-face" / "binary").set_index("item")
    held_out = {
        item
        for path in (release / "emonet-face" / "binary").glob("validation-*.parquet")
        for item in pd.read_parquet(path, columns=["item"])["item"]
    }
    votes = binary.loc[list(held_out), "votes"]
    answers = {item: [vote["vote"] for vote in of if vote["step"]] for item, of in votes.items()}
    expected = {item: "yes" if all(of) else "no" for item, of in answers.items() if of == [False] or of == [True] * 3}
    assert dict(zip(rows["item"], rows["target"], strict=True)) == expected and len(set(expected.values())) == 2
    made = read_json(built / "build.json")["configs"]["binary_questions"]
    assert made["counts"] == {
        "questions": len(rows),
        "images whose votes decide nothing": len(held_out) - len(rows),
    }


def test_a_row_asks_for_its_emotion_and_holds_a_small_picture(built: Path) -> None:
    for row in rows_of(built / "binary_questions").to_dict("records"):
        assert NAMES[row["emotion"]] in row["question"] and row["question"].endswith("yes or no.")
        head, _, data = row["image_uri"].partition(",")
        assert head == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert max(picture.size) <= 256 and picture.format == "JPEG"


def test_it_is_built_where_it_is_asked_for(raw_demo: Path, built: Path) -> None:
    assert "binary_questions" not in EmoNetFace.found_in(raw_demo / "emonet-face")
    card = (built / "README.md").read_text(encoding="utf-8")
    assert "harnesses that take text and a data URI only" in card and not (built / "assets").exists()
