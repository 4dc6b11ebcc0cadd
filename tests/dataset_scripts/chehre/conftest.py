"""Fixtures of the tests of chehre."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import raw_inputs as raw
from tests.dataset_scripts.chehre.inputs import firsts, item_of, label_answers, match_answers, plain


@pytest.fixture(scope="session")
def dump(shared) -> Path:
    return shared / "data" / "chehre"


@pytest.fixture(scope="session")
def labels(dump) -> dict[str, list[dict[str, Any]]]:
    """item → all label answers, in the order of the file."""
    return {item_of(row): label_answers(row) for row in plain(dump / "labels.csv")}


@pytest.fixture(scope="session")
def matches(dump) -> dict[str, list[dict[str, Any]]]:
    return {item_of(row): match_answers(row) for row in plain(dump / "emojis.csv")}


@pytest.fixture(scope="session")
def built(dump, tmp_path_factory) -> Path:
    repo = tmp_path_factory.mktemp("chehre") / "repo"
    raw.build("chehre", dump, repo)
    return repo


@pytest.fixture(scope="session")
def quirks(labels, matches, dump) -> dict[str, int]:
    """What chehre.md lists, counted from the parse above."""
    kept = [answer for answers in labels.values() for answer in firsts(answers)]
    sets = json.loads((dump / "emoji_labels.json").read_text())
    shown = {item.rpartition("_")[2] for item in labels}
    pictured = {name.rpartition("_")[2][:-4] for name in json.loads((dump / "emoji_list.json").read_text())}
    return {
        "rating cells that are CSV-quoted twice": sum(map(len, labels.values())),
        "label answers by a rater who had answered the video before (left out, first kept)": sum(
            len(answers) - len({answer["rater"] for answer in answers}) for answers in labels.values()
        ),
        "emoji ratings by a rater who had rated the video before (left out, first kept)": sum(
            len(answers) - len({answer["rater"] for answer in answers}) for answers in matches.values()
        ),
        'first choices "None" (an answer, not a missing value)': sum(a["rank1"] == "None" for a in kept),
        'second choices "None"': sum(a["rank2"] == "None" for a in kept),
        'answers before 2025-06-23, when no first choice "None" was stored': sum(
            a["timestamp"] < "2025-06-23" for a in kept
        ),
        "first choices that are not among the rater's highest-rated labels": sum(
            a["rank1"] != "None" and a["ratings"][a["rank1"]] < max(a["ratings"].values()) for a in kept
        ),
        "answers that call the video jittery": sum(a["jitter"] for a in kept),
        "emoji codes with labels and no videos, dropped": len(set(sets) - shown),
        "emojis of the list without labels, dropped": len(pictured - set(sets)),
    }
