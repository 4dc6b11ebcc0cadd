"""Chehre from the real half dump, against a parse of its own with nothing but csv and json."""

import json

from tests.dataset_scripts.chehre.inputs import firsts, table


def test_label_ratings_hold_every_first_answer_and_nothing_else(built, labels):
    rows = table(built, "label_ratings")
    expected = {
        (item, answer["rater"], label): float(rating)
        for item, answers in labels.items()
        for answer in firsts(answers)
        for label, rating in answer["ratings"].items()
    }
    assert {(row["item"], row["rater"], row["category"]): row["rating"] for row in rows} == expected
    assert len(rows) == len(expected) == 14_527
    assert {(row["kind"], row["sample"], row["step"]) for row in rows} == {("human", None, None)}


def test_emoji_ratings_hold_every_first_answer_and_nothing_else(built, matches, dump):
    rows = table(built, "emoji_ratings")
    slugs = {
        name.rpartition("_")[2][:-4]: name.rpartition("_")[0]
        for name in json.loads((dump / "emoji_list.json").read_text())
    }
    expected = {
        (item, answer["rater"], slugs[item.rpartition("_")[2]]): float(answer["rating"])
        for item, answers in matches.items()
        for answer in firsts(answers)
    }
    assert {(r["item"], r["rater"], r["category"].replace(" ", "-")): r["rating"] for r in rows} == expected
    assert len(rows) == len(expected) == 3_465
    assert {(row["kind"], row["sample"], row["step"]) for row in rows} == {("human", None, None)}


def test_the_two_tables_list_the_same_videos_in_the_same_order(labels, matches):
    assert list(labels) == list(matches) and len(labels) == 1_276


def test_every_quirk_is_counted_in_the_record(built, quirks):
    record = json.loads((built / "build.json").read_text(encoding="utf-8"))
    assert all(quirks.values())
    assert (
        quirks["emoji codes with labels and no videos, dropped"],
        quirks["emojis of the list without labels, dropped"],
    ) == (2, 1)
    for config in ("label_ratings", "emoji_ratings", "rankings"):
        assert record["configs"][config]["quirks"] == quirks
        assert record["configs"][config]["left_out"] == 0


def test_every_quirk_is_told_in_the_card(built, quirks):
    card = (built / "README.md").read_text(encoding="utf-8")
    for what, count in quirks.items():
        assert f"| `label_ratings`, `emoji_ratings`, `rankings` | {what} | {count:,} |" in card, what


def test_the_card_states_how_far_the_dump_is_from_the_published_data(built, labels):
    performers = {item.split("--")[1].split("_")[0] for item in labels}
    lines = [
        f"{config}: 1,276 videos, the published data count 2,111 (-835)"
        for config in ("label_ratings", "emoji_ratings", "rankings")
    ] + [
        f"{config}: {len(performers)} performers, the published data count 203 ({len(performers) - 203:+})"
        for config in ("label_ratings", "emoji_ratings", "rankings")
    ]
    card = (built / "README.md").read_text(encoding="utf-8")
    assert not [line for line in lines if line.partition(": ")[2] not in card]
    record = json.loads((built / "build.json").read_text(encoding="utf-8"))
    assert sorted(line for made in record["configs"].values() for line in made["differs"]) == sorted(lines)


def test_first_choices_none_begin_on_2025_06_24_and_second_ones_much_earlier(labels):
    """What the flag `none_stored` rests on; it holds of first choices only."""
    times = {
        rank: min(a["timestamp"] for answers in labels.values() for a in answers if a[rank] == "None")
        for rank in ("rank1", "rank2")
    }
    assert times["rank1"][:10] == "2025-06-24" and times["rank2"][:10] == "2025-06-03"
    before = [a for answers in labels.values() for a in answers if a["timestamp"] < "2025-06-23"]
    assert len(before) > 1_000
