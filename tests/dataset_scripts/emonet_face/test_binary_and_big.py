"""BINARY and BIG of EmoNet-Face from every layout."""

import json
from pathlib import Path

import pytest

from emohub.data.splits import split_of
from emohub.data.taxonomy import NAMES
from tests.dataset_scripts.emonet_face.inputs import (
    BIG,
    BIG_LAYOUTS,
    BIG_RATED,
    BINARY,
    BINARY_LAYOUTS,
    BINARY_VOTES,
    CSV_NAMES,
    NEW,
    NOBODY,
    EmoNetFace,
    Write,
    big_files,
    big_hub_nameless,
    big_tars_in_its_folder,
    binary_table,
    described,
    make,
    write_all,
)
from tests.raw_inputs import jpeg, write_tar

STATUSES = ("single_yes", "rejected_b1", "split_1_1", "consensus_3_0", "split_2_1", "rejected_b1")


STATUS = dict(zip(BINARY_VOTES, STATUSES, strict=True))


@pytest.mark.parametrize("write", BINARY_LAYOUTS)
def test_binary_is_the_same_in_every_layout(write: Write, source: Path) -> None:
    write(source)
    made = make("binary", source)
    assert made.problems == []
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == BINARY
    assert {item: row["image"]["path"] for item, row in made.rows.items()} == {i: f"{i}.jpg" for i in BINARY}
    statuses = EmoNetFace.builder_configs["binary"].features["status"].names
    for number, (item, votes) in enumerate(BINARY_VOTES.items()):
        row, split = made.rows[item], [vote.split() for vote in votes]
        target, contrastive = (CSV_NAMES.index(split[at][2]) for at in (0, -1))
        assert (row["target"], row["contrastive"], statuses[row["status"]]) == (target, contrastive, STATUS[item])
        assert [(v["rater"], str(v["vote"]), CSV_NAMES[v["emotion"]]) for v in row["votes"]] == [*map(tuple, split)]
        assert [v["step"] for v in row["votes"]] == [*range(1, len(votes)), 0]
        known = {contrastive: None if split[-1][1] == "True" else 0}
        known[target] = {"rejected_b1": 0, "consensus_3_0": 1}.get(STATUS[item])
        assert row["labels"] == [known.get(n) for n in range(40)]
        assert {name: row[name] for name in NOBODY} == described(number)


def test_binary_ratings_are_the_votes(source: Path) -> None:
    binary_table(source / "binary.csv")
    made = make("binary_ratings", source)
    expected = {
        (item, who, NAMES[CSV_NAMES.index(emotion)]): (float(yes == "True"), step)
        for item, votes in BINARY_VOTES.items()
        for step, (who, yes, emotion) in zip([*range(1, len(votes)), 0], map(str.split, votes), strict=True)
    }
    assert {key: (row["rating"], row["step"]) for key, row in made.rows.items()} == expected
    assert made.plan.counts == {"images": 6, "votes": sum(map(len, BINARY_VOTES.values()))}
    assert made.plan.quirks["images whose first vote was yes and which nobody saw again"] == 1


@pytest.mark.parametrize("write", BIG_LAYOUTS)
def test_big_is_the_same_in_every_layout(write: Write, source: Path) -> None:
    write(source)
    made = make("big", source)
    assert made.problems == []
    by_image = {row["image"]["bytes"]: row for row in made.rows.values()}
    assert by_image.keys() == set(BIG.values()) and len(made.rows) == len(BIG)
    for number, (name, data) in enumerate(BIG.items()):
        row = by_image[data]
        assert row["intensities"] == [float(BIG_RATED[name].get(emotion, 0)) for emotion in NAMES]
        assert row["in_binary"] is None
        assert {field: row[field] for field in NOBODY} == described(number)
        if write is not big_hub_nameless:
            assert row["item"] == f"big-{name}"
    assert made.plan.counts == {"images": len(BIG)}
    assert made.splits == {item: split_of(item, {"train": 0.95, "validation": 0.05}) for item in made.rows}
    assert make("big", source).rows.keys() == made.rows.keys()


@pytest.mark.parametrize("binary", BINARY_LAYOUTS)
@pytest.mark.parametrize("big", [big_tars_in_its_folder, big_files, big_hub_nameless])
def test_big_knows_the_images_of_binary(binary: Write, big: Write, source: Path) -> None:
    """BIG contains BINARY (App. B.1): such an image has one id and one split in both."""
    write_all(source, binary, big)
    shares = {"train": 0.5, "validation": 0.5}
    made, votes = make("big", source, shares=shares), make("binary", source, shares=shares)
    assert made.problems == votes.problems == []
    assert {row["image"]["bytes"]: row["item"] for row in made.rows.values() if row["in_binary"]} == {
        data: item for item, data in BINARY.items()
    }
    others = {row["item"]: row["image"]["bytes"] for row in made.rows.values() if row["in_binary"] is False}
    assert set(others.values()) == set(NEW.values())
    assert all(item.startswith("big-") for item in others)
    assert {item: made.splits[item] for item in votes.splits} == votes.splits
    assert len(set(votes.splits.values())) == 2
    assert made.plan.quirks == {"images that are also in BINARY": len(BINARY)}


def test_one_image_of_big_twice_under_one_name(source: Path) -> None:
    write_tar(source / "1.tar", [("a.jpg", jpeg(1)), ("a.json", b'{"annotations": {"Awe": 1}}')])
    write_tar(source / "2.tar", [("a.jpg", jpeg(2)), ("a.json", b'{"annotations": {"Awe": 2}}')])
    made = make("big", source)
    assert [problem.what for problem in made.problems] == ["a second image with the id 'big-a'"]
    assert made.plan.counts == {"images": 2}


def test_a_target_that_is_no_emotion_is_a_problem_of_its_image(tmp_path: Path) -> None:
    folder = tmp_path / "big"
    folder.mkdir()
    rows = []
    for number, target in enumerate(("awe", "Joyfulness", None)):
        (folder / f"face{number}.jpg").write_bytes(next(iter(BIG.values())) + bytes(number))
        rows.append({"file_name": f"face{number}.jpg", "annotations": {"Awe": 3}, "target": target})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = make("big", tmp_path)
    assert {row["item"]: row["target"] for row in made.rows.values()} == {
        "big-face0": NAMES.index("Awe"),
        "big-face2": None,
    }
    assert len(made.problems) == 1 and "target is no emotion: 'Joyfulness'" in str(made.problems[0])
