"""Rows of EmoNet-Face with odd values, and what a source holds."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

from emohub.errors import SourceError
from tests.dataset_scripts.emonet_face.inputs import (
    BIG,
    BIG_LAYOUTS,
    BINARY,
    BINARY_LAYOUTS,
    HQ,
    HQ_LAYOUTS,
    NOBODY,
    PROMPT,
    EmoNetFace,
    Write,
    big_files,
    big_hub_structs,
    big_tars,
    big_tars_in_its_folder,
    binary_files,
    binary_hub,
    binary_parts,
    binary_parts_in_its_folder,
    binary_table,
    hq_flat,
    hq_folder,
    hq_hub,
    hq_hub_and_table,
    hq_hub_in_its_folder,
    hq_table,
    make,
    write_all,
)
from tests.raw_inputs import build, jpeg, png, write_csv, write_tar


def tar_of(source: Path, **fields: Any) -> Path:
    write_tar(source / "x.tar", [("a.jpg", jpeg()), ("a.json", json.dumps(fields).encode())])
    return source


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": "a face"}, "no column rates emotions: prompt = 'a face'"),
        ({"annotations": {"Awe": 8}}, "intensity outside 0–7: Awe = 8"),
        ({"annotations": {"Awe": -1}}, "intensity outside 0–7: Awe = -1"),
        ({"annotations": "{'Awe': 1"}, "neither a Python literal nor JSON"),
        ({"annotations": {"Hapiness": 1}}, "Unknown emotion 'Hapiness'"),
        ({"annotations": [{"Awe": 1}, {"Awe": 2}]}, "has 2 annotations, not one"),
        ({"annotations": {"Awe": 1}, "age": "old"}, "age is not a number of years: 'old'"),
        ({"annotations": {"Awe": 1}, "age": [30]}, "age is not a number of years"),
        ({"annotations": {"Awe": 1}, "age": 1e999}, "age is not a number of years: inf"),
        ({"annotations": {"Awe": 1}, "age": 10**400}, "age is not a number of years"),
        ({"annotations": {"Awe": 1}, "gender": 3}, "gender is not text: 3"),
        ({"annotations": {"Awe": 1}, "prompt": ["a"]}, "prompt is not text"),
        ({"annotations": {"Awe": 1}, "demographics": "{'age': 30"}, "neither a Python literal nor JSON"),
        ({"annotations": {"Awe": 1}, "demographics": "{'age', 30}"}, "demographics is not a dict"),
        ({"annotations": {"Awe": 1}, "demographics": {"ethnicity": {}}}, "ethnicity is not text"),
    ],
)
def test_a_row_that_cannot_be_is_listed(fields: dict[str, Any], said: str, source: Path) -> None:
    made = make("big", tar_of(source, **fields))
    assert made.rows == {}
    (problem,) = made.problems
    assert problem.item == "big-a" and said in problem.what


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, NOBODY),
        ({"prompt": "", "age": None, "gender": ""}, NOBODY),
        ({"prompt": "A smile."}, NOBODY | {"prompt": "A smile."}),
        ({"demographics": "a woman of thirty"}, NOBODY),  # prose: not understood, no reason to lose the image
        ({"demographics": "{'Age': '30', 'GENDER': 'man'}"}, NOBODY | {"age": 30, "gender": "man"}),
        ({"Age": 30.0}, NOBODY | {"age": 30}),
        ({"demographics": "{1: 2, 'age': 30}"}, NOBODY | {"age": 30}),
        (
            {"prompt": "photo of an Asian man of 40 years, smiling", "age": 41},
            {"prompt": "photo of an Asian man of 40 years, smiling", "age": 41, "ethnicity": "Asian", "gender": "man"},
        ),
    ],
)
def test_demographics_from_wherever_they_stand(fields: dict[str, Any], told: dict[str, Any], source: Path) -> None:
    made = make("big", tar_of(source, annotations={"Awe": 1}, **fields))
    assert made.problems == []
    assert {name: made.rows["big-a"][name] for name in NOBODY} == told


ETHNICITIES = (
    *(
        "American Indian or Alaska Native",
        "white caucasian north american",
        "Middle Eastern",
        "North African",
        "Asian",
    ),
    *("White", "South Asian", "white caucasian european", "Hispanic or Latino", "Southeast Asian", "arabic"),
    *("Native Hawaiian or Other Pacific Islander", "Black or African American", "Indian"),
)


@pytest.mark.parametrize("ethnicity", ETHNICITIES)
@pytest.mark.parametrize("gender", ["man", "woman", "non-binary person"])
def test_every_prompt_of_the_template_is_understood(ethnicity: str, gender: str) -> None:
    from dataset_scripts.emonet_face.described import described as described_

    for age in range(20, 90, 10):
        who = {"age": age, "ethnicity": ethnicity, "gender": gender}
        assert described_({"prompt": PROMPT.format(**who)}) == {"prompt": PROMPT.format(**who), **who}


ALL = ["hq", "binary", "big", "hq_ratings", "binary_ratings", "emotions"]


@pytest.mark.parametrize(
    ("writes", "configs"),
    [
        *(((write,), ["hq", "hq_ratings", "emotions"]) for write in (*HQ_LAYOUTS, hq_hub) if write is not hq_flat),
        *(((write,), ["binary", "binary_ratings", "emotions"]) for write in BINARY_LAYOUTS),
        *(((write,), ["big", "emotions"]) for write in BIG_LAYOUTS),
        ((lambda folder: hq_table(folder / "hq.csv"),), ["hq_ratings", "emotions"]),
        ((lambda folder: binary_table(folder / "binary.csv"),), ["binary_ratings", "emotions"]),
        ((hq_folder, binary_parts, big_tars_in_its_folder), ALL),  # upstream's GitHub beside the tars
        ((hq_folder, binary_parts, big_tars), ALL),
        ((hq_hub_in_its_folder, binary_parts, big_tars), ALL),
        ((hq_hub_in_its_folder, binary_parts_in_its_folder, big_files), ALL),
        ((hq_folder, lambda folder: binary_hub(folder), big_hub_structs), ALL),
        ((hq_hub_and_table, binary_parts_in_its_folder, big_tars), ALL),
        ((lambda folder: None,), []),
    ],
)
def test_configs_found_in_a_source_can_be_built(writes: Sequence[Write], configs: list[str], source: Path) -> None:
    write_all(source, *writes)
    assert EmoNetFace.found_in(source) == configs
    images = {"hq": HQ, "binary": BINARY, "big": BIG}
    for config in configs:
        made = make(config, source)
        assert made.problems == []
        if config in images:
            assert Counter(row["image"]["bytes"] for row in made.rows.values()) == Counter(images[config].values())


def test_hq_and_binary_in_one_flat_folder(source: Path) -> None:
    hq_flat(source)
    held = [path.read_text().splitlines() for path in (source / "metadata.csv",)]
    binary_files(source)
    lines = (source / "metadata.csv").read_text().splitlines()
    blank = "," * (held[0][0].count(",") - lines[0].count(","))
    (source / "metadata.csv").write_text("\n".join([*held[0], *(line + blank for line in lines[1:])]) + "\n")
    assert make("hq", source).rows.keys() == HQ.keys()
    made = make("binary", source)
    assert made.rows.keys() == BINARY.keys() and made.problems == []


def test_a_file_that_only_one_set_could_own_is_read_by_no_other(source: Path) -> None:
    write_all(source, big_tars, binary_parts)
    hq_table(source / "hq.csv")
    assert EmoNetFace.found_in(source) == ["binary", "big", "hq_ratings", "binary_ratings", "emotions"]


def test_an_unreadable_parquet_is_listed_not_raised(source: Path) -> None:
    hq_hub(source)
    (source / "data" / "train-00001-of-00002.parquet").write_text("version https://git-lfs.github.com/spec/v1\n")
    made = make("hq", source)
    assert len(made.rows) == 4
    assert [problem.where for problem in made.problems] == ["train-00001-of-00002.parquet"]


@pytest.mark.parametrize(
    ("config", "write", "said"),
    [
        ("hq", None, "neither hq.csv nor the Parquet of HQ; found nothing"),
        ("hq_ratings", binary_parts, "neither hq.csv nor the Parquet of HQ; found binary.csv, part-00"),
        ("binary", None, "lacks binary.csv, which holds BINARY's votes; found nothing"),
        ("binary_ratings", hq_folder, "lacks binary.csv, which holds BINARY's votes; found hq, hq.csv"),
        ("big", hq_folder, "Config 'big' needs images, and .* has none for it.* Add them.$"),
        ("hq", lambda folder: hq_table(folder / "hq.csv"), "or build the ratings alone with --config hq_ratings"),
        ("binary", lambda folder: binary_table(folder / "binary.csv"), "alone with --config binary_ratings"),
    ],
)
def test_a_config_without_its_files_says_what_to_do(config: str, write: Write | None, said: str, source: Path) -> None:
    if write:
        write(source)
    with pytest.raises((SourceError, datasets.exceptions.DatasetGenerationError), match=said):
        make(config, source)


def test_tables_and_images_must_fit(source: Path) -> None:
    binary_parts(source)
    (source / "part-00" / "0000.json").rename(source / "part-00" / "0007.json")
    made = make("binary", source)
    assert made.rows.keys() == BINARY.keys() - {"00000"}
    assert {problem.item: problem.what for problem in made.problems} == {
        "00000": "is in the table but has no file; add the file or pass --skip-bad",
        "00007": "is a file without a row in the table; remove it or pass --skip-bad",
    }


def test_bytes_stay_even_where_a_file_of_that_name_lies_in_the_working_directory(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`datasets` reads an image again from its path if that exists, and throws the given bytes away."""
    binary_parts(source)
    monkeypatch.chdir(source)
    for item in BINARY:
        (source / f"{item}.jpg").write_bytes(jpeg(999))
    made = make("binary", source)
    assert {item: row["image"]["bytes"] for item, row in made.rows.items()} == BINARY


@pytest.mark.parametrize("processes", [1, 3])
def test_several_processes_build_the_same(processes: int, source: Path) -> None:
    """Through the whole build: the repo has every image once, whatever the number of processes."""
    write_all(source, hq_hub_and_table, binary_parts_in_its_folder, big_tars_in_its_folder)
    out = source.with_name("repo")
    record = build("emonet-face", source, out, num_proc=processes)
    assert list(record["configs"]) == ALL
    for config, images in {"hq": HQ, "binary": BINARY, "big": BIG}.items():
        rows = [row for path in (out / config).glob("*.parquet") for row in pq.read_table(path).to_pylist()]
        assert Counter(row["image"]["bytes"] for row in rows) == Counter(images.values())
        if config != "big":
            assert {row["item"]: row["image"]["bytes"] for row in rows} == images


@pytest.mark.parametrize("config", ["hq_ratings", "binary_ratings", "hq", "binary"])
def test_tables_with_nothing_good_in_them_are_listed(config: str, source: Path) -> None:
    write_csv(source / "hq.csv", ("image", "annotator", "annotations", "human"), [("a.png", "human-1", "{", "True")])
    write_csv(source / "binary.csv", ("path", "annotator", "value", "emotion"), [("00000", "human-1", "maybe", "Awe")])
    (source / "a.png").write_bytes(png())
    made = make(config, source)
    assert made.rows == {} and made.plan.counts["images"] == 0
    assert made.problems


def test_a_broken_table_of_the_other_set_is_named(source: Path) -> None:
    """Which images belong to HQ is read from hq.csv when BINARY's lie in the same folder."""
    binary_files(source)
    (source / "hq.csv").touch()
    with pytest.raises(SourceError, match="hq.csv is empty"):
        make("binary", source)
