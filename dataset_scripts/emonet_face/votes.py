"""`binary.csv`: which emotion was the target, and at which step of its chain each vote was cast.

The file lists votes by image and annotator, without their order. The order follows from who voted: every part of 2,000
images went through fixed chains of annotators (paper §3, Table 2).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.data.media import safe_name
from emohub.data.problems import ProblemLog
from emohub.data.ratings import faults, ratings_table
from emohub.data.source import read_csv
from emohub.data.taxonomy import INDEX, NAMES, canonical
from emohub.errors import MediaError, UnknownNameError

PART_SIZE = 2_000  # images per part; an image id is PART_SIZE · part + index

# part → chains of annotator numbers, in the order in which they saw an image; the first one is batch 1.
CHAINS: dict[int, tuple[tuple[int, ...], ...]] = {
    0: ((1,),),
    1: ((1, 4, 6),),
    2: ((1, 4, 6),),
    3: ((4, 6, 1),),
    4: ((4, 6, 1),),
    5: ((6, 1, 2),),
    6: ((1, 2, 4), (1, 4, 6)),
    7: ((1, 2, 4), (1, 4, 6)),
    8: ((4, 6, 1), (4, 1, 2)),
    9: ((4, 1, 2),),
}

STATUS = {  # the target's votes in the order of the chain → status
    (0,): "rejected_b1",
    (1,): "single_yes",
    (1, 0): "split_1_1",
    (1, 1, 0): "split_2_1",
    (1, 1, 1): "consensus_3_0",
}
STATUSES = tuple(STATUS.values())
VOTES = {"True": 1, "False": 0}


def read_votes(path: Path, log: ProblemLog) -> pd.DataFrame:
    """All votes of `binary.csv` as a ratings table with `step`: 1–3 on the target's chain, 0 for the contrastive vote.

    Args:
        path: `binary.csv` with the columns path, annotator, value, emotion.
        log: images whose votes fit no chain go here and are left out.

    Returns:
        Ratings table sorted by item and step, the contrastive vote last.
    """
    raw = read_csv(path, ["path", "annotator", "value", "emotion"])
    votes = pd.DataFrame(
        {
            "item": raw["path"],
            "rater": raw["annotator"],
            "kind": "human",
            "category": raw["emotion"].map({name: _canonical(name) for name in raw["emotion"].unique()}),
            "rating": raw["value"].map(VOTES),
        }
    )
    bad = _bad_rows(raw, votes, path.name, log)
    votes = votes[~votes["item"].isin(bad)].reset_index(drop=True)
    votes["step"] = _steps(votes)
    broken = _bad_chains(votes, path.name, log)
    votes = votes[~votes["item"].isin(broken)]
    contrastive_last = votes.assign(at=votes["step"].replace(0, 9)).sort_values(["item", "at"], kind="stable")
    return ratings_table(contrastive_last).reset_index(drop=True)


Vote = tuple[str, str, float, int]  # rater, emotion, 0 or 1, step


def votes_by_image(votes: pd.DataFrame) -> dict[str, list[Vote]]:
    """Image id → its votes, the target's in the order of the chain, the contrastive one last."""
    rows: dict[str, list[Vote]] = {item: [] for item in votes["item"].unique()}
    same: dict[Vote, Vote] = {}  # few distinct votes, each kept once: images are many, and travel to every process
    for item, *vote in votes[["item", "rater", "category", "rating", "step"]].itertuples(index=False, name=None):
        rows[item].append(same.setdefault(tuple(vote), tuple(vote)))
    return rows


POSITIVES_OPTION = "positives"  # of a build: which of these makes a label 1
# What makes an emotion present, from the votes on it: number of yes, number of no.
POSITIVES: Mapping[str, Callable[[int, int], bool]] = {
    "consensus": lambda yes, no: yes == 3 and not no,  # a whole chain, as the paper promises (§3)
    "majority": lambda yes, no: yes >= 2 and yes > no,
    "any": lambda yes, no: yes > 0,
}


def label(answers: Sequence[int], positives: str) -> int | None:
    """Whether an emotion is present: 0 if nobody saw it, 1 if the policy calls it present, else None.

    Args:
        answers: The votes on it, 0 or 1.
        positives: A policy of `POSITIVES`.

    Example:
        >>> [label((1, 1, 0), policy) for policy in POSITIVES]
        [None, 1, 1]
    """
    yes = sum(answers)
    if not yes:
        return 0
    return 1 if POSITIVES[positives](yes, len(answers) - yes) else None


def image_votes(votes: Sequence[Vote], positives: str = "consensus") -> dict[str, Any]:
    """The columns of one image of the `binary` config; the label of an emotion that was never asked is None."""
    *on_target, (_, contrastive, seen, _) = votes
    target = on_target[0][1]
    answers = tuple(int(vote) for _, _, vote, _ in on_target)
    labels: list[int | None] = [None] * len(NAMES)
    labels[INDEX[target]] = label(answers, positives)
    labels[INDEX[contrastive]] = label([int(seen)], positives)
    return {
        "target": target,
        "contrastive": contrastive,
        "status": STATUS[answers],
        "votes": [
            {"rater": rater, "emotion": emotion, "vote": bool(vote), "step": step}
            for rater, emotion, vote, step in votes
        ],
        "labels": labels,
    }


def _canonical(name: str) -> str | None:
    try:
        return canonical(name)
    except UnknownNameError:
        return None


def _bad_rows(raw: pd.DataFrame, votes: pd.DataFrame, where: str, log: ProblemLog) -> set[str]:
    """Items with a row that breaks the schema, each row in the log with the value as the file has it."""
    for item in (items := pd.Series(raw["path"].unique()))[~items.str.fullmatch("[0-9]{5}")]:
        try:
            log.add(where, f"image id {safe_name(item)!r} is not five digits", item)
        except MediaError as error:
            log.add(where, f"image id: {error}", item)
    bad = set(raw.loc[~raw["path"].str.fullmatch("[0-9]{5}"), "path"])
    for what, mask in faults(ratings_table(votes), categories=NAMES, scale=(0, 1), whole=True):
        for row in raw.index[mask]:
            cells = " ".join(f"{name}={raw.at[row, name]}" for name in ("path", "annotator", "value", "emotion"))
            log.add(f"{where} line {row + 2}", f"{what}: {cells}", raw.at[row, "path"])
            bad.add(raw.at[row, "path"])
    return bad


def _steps(votes: pd.DataFrame) -> pd.Series:
    """Step of every vote; -1 where the annotators fit no chain of their part."""
    part = votes["item"].astype(int) // PART_SIZE
    first = part.map({number: f"human-{chains[0][0]}" for number, chains in CHAINS.items()})
    per_emotion = votes.groupby(["item", "category"])["rating"].transform("size")
    is_target = per_emotion > 1
    # Two single votes: the target is what the part's first annotator saw; if both are theirs, the first in the file.
    single = votes.groupby("item")["rating"].transform("size") == 2
    opened = single & (per_emotion == 1) & (votes["rater"] == first)
    is_target |= opened & ~votes["item"].where(opened).duplicated()
    step = pd.Series(0, index=votes.index)
    step[is_target & ~single] = -1
    step[is_target & single & (per_emotion == 1)] = 1
    on_chain = votes[is_target & (per_emotion > 1)]
    number = pd.to_numeric(on_chain["rater"].str.extract("^human-([0-9]{1,3})$", expand=False)).fillna(-1).astype(int)
    asked = number.sort_values().astype(str).groupby([on_chain["item"], on_chain["category"]]).agg(",".join)
    raters = asked.reindex(pd.MultiIndex.from_frame(on_chain[["item", "category"]]))
    places = zip(part[on_chain.index], raters, number, strict=True)
    found = pd.Series([_POSITION.get(place, -1) for place in places], index=on_chain.index, dtype=int)
    return found.reindex(votes.index).fillna(step).astype(int)


# (part, sorted annotators as text, annotator) → step
_POSITION = {
    (part, ",".join(map(str, sorted(chain[:length]))), rater): chain.index(rater) + 1
    for part, chains in CHAINS.items()
    for chain in chains
    for length in range(1, len(chain) + 1)
    for rater in chain[:length]
}


def _bad_chains(votes: pd.DataFrame, where: str, log: ProblemLog) -> set[str]:
    """Items whose votes are not one target chain and one contrastive vote."""
    rules = {
        "its target's annotators fit no chain of its part": votes["step"] < 0,
        "it does not have exactly two emotions": votes.groupby("item")["category"].transform("nunique") != 2,
        "it does not have exactly one contrastive vote": (votes["step"] == 0).groupby(votes["item"]).transform("sum")
        != 1,
        "its votes on the target are in no known order": ~_answers(votes).isin(list(STATUS)),
    }
    bad: set[str] = set()
    for what, mask in rules.items():
        for item in votes.loc[mask & ~votes["item"].isin(bad), "item"].unique():
            rows = votes[votes["item"] == item]
            shown = "; ".join(f"{r} {c} {v:g}" for r, c, v in zip(rows.rater, rows.category, rows.rating, strict=True))
            log.add(f"{where} image {item}", f"{what}: {shown}", item)
            bad.add(item)
    return bad


def _answers(votes: pd.DataFrame) -> pd.Series:
    """For every row the tuple of the target's answers of its item, in the order of the chain."""
    chain = votes[votes["step"] != 0].sort_values("step")
    answers = chain["rating"].astype(int).groupby(chain["item"]).agg(tuple)
    return votes["item"].map(answers)
