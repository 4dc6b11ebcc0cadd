import csv
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.emojis import ALL_LABELS, EMOJIS, NONE, emoji
from emohub.errors import UnknownNameError

DROPPED = {"123", "124", "1f602"}

# CLDR short names that are not Unicode's character name; the other 24 are.
RENAMED = {
    "1f601": "GRINNING FACE WITH SMILING EYES",
    "1f603": "SMILING FACE WITH OPEN MOUTH",
    "1f605": "SMILING FACE WITH OPEN MOUTH AND COLD SWEAT",
    "1f60d": "SMILING FACE WITH HEART-SHAPED EYES",
    "1f618": "FACE THROWING A KISS",
    "1f624": "FACE WITH LOOK OF TRIUMPH",
    "1f62e": "FACE WITH OPEN MOUTH",
    "1f630": "FACE WITH OPEN MOUTH AND COLD SWEAT",
    "1f928": "FACE WITH ONE EYEBROW RAISED",
    "1f929": "GRINNING FACE WITH STAR EYES",
    "1f92c": "SERIOUS FACE WITH SYMBOLS COVERING MOUTH",
    "1f92d": "SMILING FACE WITH SMILING EYES AND HAND COVERING MOUTH",
    "1f92f": "SHOCKED FACE WITH EXPLODING HEAD",
    "1f973": "FACE WITH PARTY HORN AND PARTY HAT",
    "1f974": "FACE WITH UNEVEN EYES AND WAVY MOUTH",
    "1f97a": "FACE WITH PLEADING EYES",
}


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_labels_are_those_of_the_file(shared):
    labels = read_json(shared / "data/chehre/emoji_labels.json")
    assert {e.code: list(e.labels) for e in EMOJIS} == {k: v for k, v in labels.items() if k not in DROPPED}


def test_slugs_are_those_of_the_picture_files(shared):
    files = read_json(shared / "data/chehre/emoji_list.json")
    ours = {f"{e.slug}_{e.code}.png" for e in EMOJIS}
    assert set(files) - ours == {"face-with-tears-of-joy_1f602.png"}
    assert ours < set(files)


@pytest.mark.parametrize("table", ["labels.csv", "emojis.csv"])
def test_every_code_of_the_videos_and_no_other(shared, table):
    with open(shared / "data/chehre" / table, encoding="utf-8", newline="") as file:
        assert {row["emoji_code"] for row in csv.DictReader(file)} == {e.code for e in EMOJIS}


def test_forty_sorted_by_code():
    codes = [e.code for e in EMOJIS]
    assert codes == sorted(set(codes))
    assert len(codes) == len({e.name for e in EMOJIS}) == 40


def test_names_are_unicode_names_but_for_the_renamed():
    differing = {
        e.code: unicodedata.name(chr(int(e.code, 16)))
        for e in EMOJIS
        if unicodedata.name(chr(int(e.code, 16))).lower() != e.name
    }
    assert differing == RENAMED


def test_star_struck_keeps_its_hyphen():
    assert (emoji("1f929").name, emoji("1f929").slug) == ("star-struck", "star-struck")


def test_one_code_point_each_but_face_exhaling():
    assert [e.code for e in EMOJIS if e.character != chr(int(e.code, 16))] == ["1f62e"]
    assert [unicodedata.name(c) for c in emoji("1f62e").character] == [
        "FACE WITH OPEN MOUTH",
        "ZERO WIDTH JOINER",
        "DASH SYMBOL",
    ]
    assert emoji(emoji("1f62e").character) is emoji("\U0001f62e") is emoji("1f62e")


def test_labels_are_three_to_six_distinct_ones():
    assert all(3 <= len(set(e.labels)) == len(e.labels) <= 6 for e in EMOJIS)


def test_all_labels_sorted_and_none_is_not_among_them():
    assert ALL_LABELS == tuple(sorted({label for e in EMOJIS for label in e.labels}))
    assert all(label == label.strip() for label in ALL_LABELS)
    assert NONE == "None" and NONE not in ALL_LABELS


@pytest.mark.parametrize("item", EMOJIS, ids=lambda item: item.code)
def test_every_form_resolves(item):
    forms = [
        item.code,
        item.code.upper(),
        f"U+{item.code.upper()}",
        f"u+{item.code}",
        item.character,
        f" {item.code} ",
    ]
    assert all(emoji(form) is item for form in forms)


@pytest.mark.parametrize("code", ["", "1f602", "\U0001f602", "123", "124", "unamused face", "U+", "0x1f612"])
def test_unknown(code):
    with pytest.raises(UnknownNameError):
        emoji(code)


def test_message_shows_value_closest_and_valid_forms():
    with pytest.raises(UnknownNameError) as caught:
        emoji("U+1F613")
    text = str(caught.value)
    assert "'U+1F613'" in text
    assert "Closest: '1f6" in text
    assert "U+1F612" in text


@given(st.text())
def test_any_text_resolves_or_is_refused(text):
    try:
        assert emoji(text) in EMOJIS
    except UnknownNameError as error:
        assert repr(text) in str(error)
