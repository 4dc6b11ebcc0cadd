"""EmoNet-Face from every layout it comes in: the same images, ratings and demographics whatever holds them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emohub.data.taxonomy import NAMES
from tests.dataset_scripts.emonet_face.inputs import (
    HQ,
    HQ_LAYOUTS,
    HUB_ORDER,
    HUMANS,
    NOBODY,
    RATED,
    RATERS,
    TIED,
    UNTOUCHED,
    Write,
    described,
    hq_folder,
    hq_hub,
    hq_hub_and_table,
    keyed,
    make,
    write_all,
)

KINDS = dict(zip(RATERS, (*["human"] * 4, "model", "model", "baseline", "vlm"), strict=True))


def vector(item: str, rater: str) -> list[float]:
    scale = 7 if rater == "Hume Face" else 1
    return [float(np.float32(scale * RATED[item, rater].get(name, 0))) for name in NAMES]


@pytest.mark.parametrize("write", HQ_LAYOUTS)
def test_hq_is_the_same_in_every_layout(write: Write, source: Path) -> None:
    write(source)
    made = make("hq", source)
    assert made.problems == []
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == HQ
    assert {row["image"]["path"] for row in made.rows.values()} == {f"{item}.png" for item in HQ}
    assert set(made.splits.values()) == {"test"}
    for number, item in enumerate(HQ):
        row = made.rows[item]
        rated = {answer["rater"]: (answer["kind"], answer["intensities"]) for answer in row["ratings"]}
        assert len(row["ratings"]) == len(RATERS)
        assert rated == {rater: (KINDS[rater], vector(item, rater)) for rater in RATERS}
        mean = [sum(RATED[item, who].get(name, 0) for who in HUMANS) / 4 for name in NAMES]
        assert row["mean_intensity"] == [float(np.float32(value)) for value in mean]
        assert row["top_emotion"] == (mean.index(max(mean)) if any(mean) else None)
        told = {name: row[name] for name in NOBODY}
        if "hub" in write.__name__:
            assert (told, row["generator"]) == (NOBODY, None)
        else:
            assert (told, row["generator"]) == (described(number), item.split()[0])
    assert made.rows[TIED]["top_emotion"] == min(NAMES.index("Awe"), NAMES.index("Fear"))
    assert made.rows[UNTOUCHED]["top_emotion"] is None


def test_an_image_that_no_human_rated_has_no_mean(source: Path) -> None:
    hq_folder(source)
    item = next(iter(HQ))
    lines = (source / "hq.csv").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith((f"{item}.png", f'"{item}.png')) or "human-" not in line]
    assert len(lines) - len(kept) == len(HUMANS)
    (source / "hq.csv").write_text("".join(kept))
    rows = make("hq", source).rows
    assert rows[item]["mean_intensity"] is None and rows[item]["top_emotion"] is None
    assert {answer["kind"] for answer in rows[item]["ratings"]} == {"model", "baseline", "vlm"}
    assert all(row["mean_intensity"] for name, row in rows.items() if name != item)


def test_hq_counts_what_the_card_must_say(source: Path) -> None:
    hq_folder(source)
    plan = make("hq_ratings", source).plan
    outside = [
        value for (_, who), ratings in RATED.items() if who not in HUMANS
        for value in ratings.values() if who != "Hume Face" and not 0 <= value <= 7
    ]  # fmt: skip
    assert outside
    assert plan.counts == {"images": 7, "images with 4 human ratings": 7}
    assert plan.quirks == {
        "intensities of models outside 0–7, kept as they are": len(outside),
        "annotations by Hume Face, written 0–1 upstream, times 7": 7,
    }


@pytest.mark.parametrize("write", [hq_folder, hq_hub_and_table, hq_hub])
def test_hq_ratings_are_those_of_hq(write: Write, source: Path) -> None:
    write(source)
    nested, long = make("hq", source), make("hq_ratings", source)
    assert long.problems == []
    melted = {
        (item, answer["rater"], name): (answer["kind"], value)
        for item, row in nested.rows.items()
        for answer in row["ratings"]
        for name, value in zip(NAMES, answer["intensities"], strict=True)
    }
    assert {key: (row["kind"], float(np.float32(row["rating"]))) for key, row in long.rows.items()} == melted
    assert {(row["sample"], row["step"]) for row in long.rows.values()} == {(None, None)}
    assert long.splits == nested.splits


def test_hq_from_the_hub_alone_takes_ids_from_the_content(source: Path) -> None:
    hq_hub(source)
    made = make("hq", source)
    assert made.problems == []
    images = {row["image"]["bytes"]: row for row in made.rows.values()}
    assert images.keys() == set(HQ.values())
    for item, data in HQ.items():
        row = images[data]
        assert {answer["rater"]: answer["intensities"] for answer in row["ratings"]} == {
            rater: vector(item, rater) for rater in HUMANS
        }
    again = make("hq", write_all(source.with_name("again"), lambda folder: hq_hub(folder, HUMANS[::-1])))
    assert again.rows.keys() == made.rows.keys()


def test_hub_images_that_no_row_of_hq_csv_fits_are_listed(source: Path) -> None:
    hq_hub_and_table(source)
    table = (source / "hq.csv").read_text().splitlines(keepends=True)
    (source / "hq.csv").write_text("".join(line for line in table if not line.startswith("mj 4.0.png,human-3")))
    made = make("hq", source)
    assert made.rows.keys() == HQ.keys() - {"mj 4.0"}
    assert {problem.what.split(";")[0] for problem in made.problems} == {
        "its human ratings stand nowhere in hq.csv",
        "is in the table but has no file",
    }


def test_a_hub_row_without_image_moves_no_label(source: Path) -> None:
    hq_hub_and_table(source)
    path = source / "data" / "train-00000-of-00002.parquet"
    table = pq.read_table(path)
    images, field = table["path"].to_pylist(), table.schema.field("path")
    pq.write_table(table.set_column(0, field, pa.array([None, *images[1:]], field.type)), path)
    made = make("hq", source)
    lost = list(HQ)[HUB_ORDER[0]]
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == {
        item: data for item, data in HQ.items() if item != lost
    }
    assert {problem.item for problem in made.problems} == {lost}


@pytest.mark.parametrize("write", [hq_folder, hq_hub])
def test_an_image_with_one_bad_annotation_is_left_out_of_both_configs(write: Write, source: Path) -> None:
    write(source)
    if write is hq_folder:
        text = (source / "hq.csv").read_text()
        broken = text.replace(str(keyed(RATED["flux 5.0", "human-2"])), "{'Awe': 8}")
        (source / "hq.csv").write_text(broken)
    else:
        path = source / "data" / "train-00000-of-00002.parquet"
        table = pq.read_table(path)
        labels = table["label"].to_pylist()
        labels[0] = labels[0].replace("|Awe': ", "|Awe': 1")
        pq.write_table(table.set_column(1, "label", pa.array(labels)), path)
    lost = HQ["flux 5.0"] if write is hq_folder else HQ[list(HQ)[HUB_ORDER[0]]]
    nested, long = make("hq", source), make("hq_ratings", source)
    assert {row["image"]["bytes"] for row in nested.rows.values()} == set(HQ.values()) - {lost}
    assert {item for item, _, _ in long.rows} == nested.rows.keys()
    assert any("rating is outside 0–7" in problem.what for problem in nested.problems)
    assert [problem.what for problem in nested.problems] == [problem.what for problem in long.problems]
    assert nested.plan.counts == long.plan.counts == {"images": 6, "images with 4 human ratings": 6}


def test_an_image_without_four_humans_counts(source: Path) -> None:
    hq_folder(source)
    table = (source / "hq.csv").read_text().splitlines(keepends=True)
    (source / "hq.csv").write_text("".join(line for line in table if not line.startswith("mj 4.0.png,human-3")))
    assert make("hq_ratings", source).plan.counts == {"images": 7, "images with 4 human ratings": 6}
