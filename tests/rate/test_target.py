"""Which items are rated, and of what."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emohub.data.emojis import emoji
from emohub.data.taxonomy import NAMES
from emohub.errors import SourceError
from emohub.rate.target import open_target, read_ids
from tests.hub_server import serve

FROM_HUB = """
import json, sys
from pathlib import Path
from emohub.rate.run import rate_dataset
record = rate_dataset("org/emonet-face", "prior", Path(sys.argv[1]), config="hq", limit=5)
print(json.dumps(record["dataset"]))
"""


def test_images_and_their_emotions(hq: str) -> None:
    target = open_target(hq, "hq")
    assert target.dataset == "emonet-face" and not target.is_video and len(target.items) == 48
    assert {item.categories for item in target.items} == {NAMES} and target.rated.scale.ends == (0, 7)
    assert open_target(hq, "binary").rated.scale.ends == (0, 1)
    assert open_target(hq).rows.config == "hq"


def test_videos_and_their_labels(chehre: str) -> None:
    target = open_target(chehre, splits=["train"])
    assert target.is_video and {item.split for item in target.items} == {"train"}
    for item in target.items:
        assert item.categories == emoji(item.row["emoji_code"]).labels
    match = open_target(chehre, ratings="emoji_ratings")
    assert {len(item.categories) for item in match.items} == {1}
    found = [(item.id, data[4:8]) for item, data in match.media({match.items[2].id})]
    assert found == [(match.items[2].id, b"ftyp")]


def test_a_choice_of_items(hq: str, tmp_path: Path) -> None:
    every = open_target(hq, "hq")
    chosen = open_target(hq, "hq", only=[every.items[5].id, every.items[1].id])
    assert [item.id for item in chosen.items] == [every.items[1].id, every.items[5].id]
    assert [item.id for item in open_target(hq, "hq", limit=3).items] == [item.id for item in every.items[:3]]
    assert (
        every.selection() != chosen.selection() == open_target(hq, "hq", only=[i.id for i in chosen.items]).selection()
    )
    (tmp_path / "ids").write_text("\ufeffb\n\na\nb\n", encoding="utf-8")
    assert read_ids(tmp_path / "ids") == ["b", "a"]
    for content, message in (("", "holds no id"), ("[]", "holds no id")):
        (tmp_path / "ids").write_text(content)
        with pytest.raises(SourceError, match=message):
            read_ids(tmp_path / "ids")
    for content in (b"\xff\xfe\x00", b"[1,"):
        (tmp_path / "ids").write_bytes(content)
        with pytest.raises(SourceError, match="cannot be read"):
            read_ids(tmp_path / "ids")


def test_a_dataset_that_nobody_declared_is_refused(hq: str, tmp_path: Path) -> None:
    shutil.copytree(hq, tmp_path / "other")
    for content in ('{"dataset": "other"}', "{}", "[]", "[" * 9999, "not JSON"):
        (tmp_path / "other/build.json").write_text(content)
        with pytest.raises(SourceError, match="build.json names no dataset that this emohub knows"):
            open_target(str(tmp_path / "other"), "hq")
    (tmp_path / "other/build.json").unlink()
    with pytest.raises(SourceError, match="set EMOHUB_PATH"):
        open_target(str(tmp_path / "other"), "hq")


def test_from_the_hub(hq: str, tmp_path: Path) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    with serve({"org/emonet-face": Path(hq)}) as url:
        hub = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(
            [sys.executable, "-c", FROM_HUB, str(tmp_path / "out")],
            env={**clean, **hub},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["source"] == "org/emonet-face" and len(record["revision"]) == 40
