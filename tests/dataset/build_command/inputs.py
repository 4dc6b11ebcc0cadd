"""Inputs and helpers of the tests of build."""

import json
from pathlib import Path

import yaml

ALL = {"emonet-face": ["hq", "binary", "big", "hq_ratings", "binary_ratings", "emotions"]}
ALL["chehre"] = ["videos", "label_ratings", "emoji_ratings", "rankings"]


def card(repo: Path) -> str:
    return (repo / "README.md").read_text(encoding="utf-8")


def metadata(repo: Path) -> dict:
    return yaml.safe_load(card(repo).split("\n---\n")[0].removeprefix("---\n"))


def record(repo: Path) -> dict:
    return json.loads((repo / "build.json").read_text(encoding="utf-8"))


def beside(repo: Path) -> list[str]:
    return sorted(path.name for path in repo.parent.iterdir())


DIFFERS = {
    "hq": [
        "hq: 3 images, the published data count 2,500 (-2,497)",
        "hq: 3 images with 4 human ratings, the published data count 2,500 (-2,497)",
    ],
    "binary": [
        "binary: 3 images, the published data count 19,999 (-19,996)",
        "binary: 9 votes, the published data count 65,686 (-65,677)",
    ],
    "big": [
        "big: 3 images, the published data count 203,201 (the paper, App. B.1) or over 400,000 (upstream's README) "
        "(-203,198)"
    ],
    "emotions": [],
    "videos": [
        "videos: 3 videos, the published data count 2,111 (-2,108)",
        "videos: 3 performers, the published data count 203 (-200)",
    ],
}


DIFFERS |= {
    f"{new}": [line.replace(f"{old}:", f"{new}:") for line in DIFFERS[old]]
    for new, old in (
        ("hq_ratings", "hq"),
        ("binary_ratings", "binary"),
        ("label_ratings", "videos"),
        ("emoji_ratings", "videos"),
        ("rankings", "videos"),
    )
}
