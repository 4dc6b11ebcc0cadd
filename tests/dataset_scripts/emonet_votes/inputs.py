"""Inputs and helpers of the tests of emonet votes."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from emohub.data.taxonomy import NAMES

HEADER = ("path", "annotator", "value", "emotion")


# What notes/emonet-face.md says, in its words.
FIRST_NOTE = "human-1 in parts 0, 1, 2, 6, 7; human-4 in 3, 4, 8, 9; human-6 in 5"


CHAINS_NOTE = "1,4,6 (1, 2); 4,6,1 (3, 4); 6,1,2 (5); 1,2,4 or 1,4,6 (6, 7); 4,6,1 or 4,1,2 (8); 4,1,2 (9)"


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


FIRST = {
    part: who
    for line in FIRST_NOTE.replace("parts ", "").split("; ")
    for who, parts in [line.split(" in ")]
    for part in _numbers(parts)
}


CHAINS = {
    part: [[f"human-{n}" for n in _numbers(chain)] for chain in chains.split(" or ")]
    for line in CHAINS_NOTE.split("; ")
    for chains, parts in [line.rstrip(")").split(" (")]
    for part in _numbers(parts)
}


STATUS = {"F": "rejected_b1", "T": "single_yes", "TF": "split_1_1", "TTF": "split_2_1", "TTT": "consensus_3_0"}


Vote = tuple[str, bool, str]  # annotator, yes, emotion


class Truth(NamedTuple):
    target: str
    contrastive: str
    steps: dict[tuple[str, str], int]  # (annotator, emotion) → step
    status: str
    chain: list[str]


def derive(item: str, votes: Sequence[Vote]) -> Truth:
    """Target, steps and status of one image, rule by rule as the notes give them."""
    part = int(item) // 2000
    per_emotion = Counter(emotion for _, _, emotion in votes)
    assert len(per_emotion) == 2
    if len(votes) == 2:
        target = next(emotion for who, _, emotion in votes if who == FIRST[part])
    else:
        (target,) = [emotion for emotion, count in per_emotion.items() if count > 1]
    (contrastive,) = set(per_emotion) - {target}
    assert per_emotion[contrastive] == 1
    on_target = {who: yes for who, yes, emotion in votes if emotion == target}
    if len(on_target) == 1:
        chain = list(on_target)
    else:
        (chain,) = {
            tuple(chain[: len(on_target)]) for chain in CHAINS[part] if set(chain[: len(on_target)]) == set(on_target)
        }
    steps = {(who, target): chain.index(who) + 1 for who in on_target}
    steps |= {(who, contrastive): 0 for who, _, emotion in votes if emotion == contrastive}
    answers = "".join("FT"[on_target[who]] for who in chain)
    return Truth(target, contrastive, steps, STATUS[answers], list(chain))


def check_columns(row: dict[str, Any], truth: Truth, votes: Sequence[Vote]) -> None:
    """One image of the `binary` config against the rules, its own votes and nothing else."""
    assert (row["target"], row["contrastive"], row["status"]) == (truth.target, truth.contrastive, truth.status)
    shown = [(vote["rater"], vote["vote"], vote["emotion"]) for vote in row["votes"]]
    assert sorted(shown) == sorted(votes)
    assert [vote["step"] for vote in row["votes"]] == [*range(1, len(votes)), 0]
    assert [who for who, _, _ in shown[:-1]] == truth.chain
    asked = {truth.target, truth.contrastive}
    for name, found in zip(NAMES, row["labels"], strict=True):
        answers = [yes for _, yes, emotion in votes if emotion == name]
        confirmed = answers == [True, True, True]
        assert found == (None if not answers else 0 if not any(answers) else 1 if confirmed else None)
        assert name in asked or found is None


@st.composite
def images(draw: st.DrawFn) -> tuple[str, list[tuple[str, bool, str]], Truth]:
    """A valid image: its id, its votes in any order that keeps the target first, and what it means."""
    part = draw(st.integers(0, 9))
    item = f"{2000 * part + draw(st.integers(0, 1999)):05d}"
    chains = CHAINS.get(part, [[FIRST[part]]])
    chain = draw(st.sampled_from(chains))
    chain = chain[: draw(st.integers(1, len(chain)))]
    last = draw(st.booleans()) and len(chain) != 2  # after two times yes there is a third vote
    answers = [*[True] * (len(chain) - 1), last]
    target, contrastive = draw(st.permutations(NAMES))[:2]
    votes = [(who, yes, target) for who, yes in zip(chain, answers, strict=True)]
    votes = draw(st.permutations(votes))
    other = draw(st.sampled_from([f"human-{n}" for n in range(1, 14)]))
    votes.insert(len(votes) if other == chain[0] else draw(st.integers(0, len(votes))), (
        other, draw(st.booleans()), contrastive
    ))  # fmt: skip
    steps = {(who, target): n for n, who in enumerate(chain, start=1)} | {(other, contrastive): 0}
    return item, votes, Truth(target, contrastive, steps, STATUS["".join("FT"[yes] for yes in answers)], list(chain))
