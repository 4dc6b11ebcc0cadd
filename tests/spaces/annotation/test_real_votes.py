"""The chain of BINARY, answered as its real annotators did, gives its counts back."""

import os
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd
import pytest

from assignment import History, next_item
from dataset_scripts.emonet_face.votes import read_votes
from emohub.data.problems import ProblemLog
from export import tables
from given import Given
from study import Item, Rules, Study
from tests.spaces.annotation.conftest import LABELS

VOTES = Path(__file__).parents[4] / "shared" / "data" / "emonet_face" / "binary.csv"
PICTURES = int(os.environ.get("EMOHUB_PICTURES", 600))  # of 19,999: all of them take minutes


@pytest.mark.skipif(not VOTES.is_file(), reason=f"the real votes are not here: {VOTES}")
def test_the_chain_gives_the_counts_of_binary_back(tmp_path: Path) -> None:
    """Whoever asks gets a picture; the answer is what somebody said to that step of that picture in the real study.

    There, 1,896 pictures got a first yes and no second question: here somebody takes that question and does not come
    back.
    """
    votes = read_votes(VOTES, ProblemLog(tmp_path))
    votes = votes[votes["item"].isin(sorted(votes["item"].unique())[:: 19_999 // PICTURES])]
    real = {(row.item, row.step): row for row in votes.itertuples()}
    items = {
        item: Item(
            item,
            "m.jpg",
            "item",
            {
                "target": its.loc[its["step"] == 1, "category"].iloc[0],
                "contrastive": its.loc[its["step"] == 0, "category"].iloc[0],
            },
            {},
        )
        for item, its in votes.groupby("item")
    }
    rules = Rules.model_validate({"name": "s", "title": "s", "kind": "yes-no-chain", "items": "x", "labels": LABELS})
    study, history, given = Study(rules, items, tmp_path), History(), []
    idle: set[str] = set()
    not_asked: set[str] = set()
    people = [f"a{number}" for number in range(4)]
    while len(idle) < len(people):
        for who in people:
            task = next_item(history, who, study)
            if task is None:
                idle.add(who)
                continue
            idle.clear()
            if (found := real.get((task.item, task.step))) is None:
                not_asked.add(task.item)
                history.give_out(f"who left {task.item}", task, history.now)
                continue
            history.give_out(who, task, history.now)
            given.append(Given(who, task.item, task.step, 1, {"vote": "yes" if found.rating else "no"}))
            history.answered(given[-1])
    made = tables(study, given)["ratings"]

    def counts(frame: pd.DataFrame) -> Counter:
        return Counter(zip(frame["item"], frame["step"], frame["category"], frame["rating"], strict=True))

    assert counts(made) == counts(votes)
    second = set(votes.loc[votes["step"] == 2, "item"])
    assert not_asked == set(votes.loc[(votes["step"] == 1) & (votes["rating"] == 1), "item"]) - second
    chain: dict[str, set[str]] = defaultdict(set)
    for one in given:
        if one.step:
            assert one.annotator not in chain[one.item]
            chain[one.item].add(one.annotator)
