"""Images that BIG shares with BINARY are found after another encoding, stay in one split, or the build says so."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from emohub.dataset.registry import find
from emohub.drawing import draw_face
from emohub.errors import BuildError
from tests import raw_inputs as raw


def portrait(seed: int, quality: int = 90) -> bytes:
    who = {"age": 20 + 10 * (seed % 7), "ethnicity": ("Asian", "White", "arabic")[seed % 3], "gender": "man"}
    out = io.BytesIO()
    draw_face("Awe", intensity=0.2 + seed / 10, seed=seed, size=128, **who).save(out, "JPEG", quality=quality)
    return out.getvalue()


def again(data: bytes) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(out, "JPEG", quality=60)
    return out.getvalue()


IDS = list(raw.BINARY_VOTES)
FACES = {item: portrait(n) for n, item in enumerate(IDS)}
NEW = [portrait(n) for n in (5, 6)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    raw.write_binary(tmp_path / "source")
    for item, data in FACES.items():
        raw.write_part(tmp_path / "source", item, data)
    return tmp_path / "source"


def write_big(source: Path, images: list[bytes]) -> None:
    text = json.dumps({"prompt": raw.PROMPT, "annotations": {"Awe": 5}}).encode()
    members = [
        (f"x{n}.{kind}", data) for n, image in enumerate(images) for kind, data in (("jpg", image), ("json", text))
    ]
    raw.write_tar(source / "big" / "0.tar", members)


def build(source: Path, **options: Any) -> tuple[dict[str, Any], dict[str, bool | None]]:
    repo = source.with_name("repo")
    made = raw.build_data("emonet-face", source, repo, "big", **options)["configs"]["big"]
    rows = pq.read_table(repo / "big", columns=["item", "in_binary"]).to_pylist()
    return made, {row["item"]: row["in_binary"] for row in rows}


@pytest.mark.parametrize("changed", [0, 1, 3])
def test_all_that_is_shared_is_found(changed: int, source: Path) -> None:
    shared = [again(data) if n < changed else data for n, data in enumerate(FACES.values())]
    write_big(source, [NEW[0], *shared, NEW[1]])
    made, rows = build(source, strict=True)
    assert rows == {"big-x0": False, **dict.fromkeys(IDS, True), "big-x4": False}
    assert made["quirks"] == {"images that are also in BINARY": 3} and "notes" not in made


def test_what_is_not_found_is_unknown_and_said(source: Path) -> None:
    write_big(source, [NEW[0], again(FACES[IDS[0]])])
    made, rows = build(source)
    assert rows == {"big-x0": None, IDS[0]: True}
    (note,) = made["notes"]
    assert note.startswith("big: 1 of BINARY's 3 images were found in BIG") and "in_binary is null" in note
    raw.build("emonet-face", source, source.with_name("carded"), "big")
    assert note.removeprefix("big: ") in (source.with_name("carded") / "README.md").read_text()
    with pytest.raises(BuildError, match="(?s)Not certain:.  - big: 1 of BINARY's 3 .*leave --strict out"):
        build(source, strict=True)


def test_without_binary_nothing_is_known(source: Path) -> None:
    write_big(source, NEW)
    for path in source.glob("part-*/*.json"):
        path.unlink()
    made, rows = build(source, strict=True)
    assert rows == {"big-x0": None, "big-x1": None} and "notes" not in made


def test_shared_images_are_in_one_split_of_both(source: Path) -> None:
    write_big(source, [again(data) for data in FACES.values()])
    repo = source.with_name("repo")
    raw.build_data("emonet-face", source, repo, "big", "binary")
    items = {
        config: {(path.name.split("-")[0], item) for path in (repo / config).glob("*.parquet")
                 for item in pq.read_table(path, columns=["item"]).column(0).to_pylist()}
        for config in ("big", "binary")
    }  # fmt: skip
    assert items["big"] == items["binary"] and len(items["big"]) == 3


@pytest.mark.parametrize(
    ("count", "fits"),
    [(203_201, True), (400_001, True), (580_000, True), (203_200, False), (400_000, False), (1, False)],
)
def test_both_published_sizes_of_big_are_complete(count: int, fits: bool) -> None:
    from emohub.dataset.build import _compare

    (config,) = [config for config in find("emonet-face").builder.BUILDER_CONFIGS if config.name == "big"]
    differs, agrees = _compare("big", {"images": count}, config.complete)
    assert (not differs, bool(agrees)) == (fits, fits)
    if fits:
        one, other = ("the paper, App. B.1", "README") if count == 203_201 else ("README", "the paper, App. B.1")
        assert agrees["images"].index(one) < agrees["images"].index(other)
    else:
        assert (
            f"{count:,} images, the published data count 203,201 (the paper, App. B.1) or over 400,000" in differs[0]
        )
