"""Counts of yes/no votes, which the card of a dataset and a report state."""

from collections.abc import Sequence

import pandas as pd

STEPS = {1: "Step 1", 2: "Step 2", 3: "Step 3", 0: "Contrastive"}


def count_votes(votes: pd.DataFrame, by: Sequence[str] = ("step",)) -> pd.DataFrame:
    """How many votes there are, and how many of them are yes.

    Args:
        votes: Rows with `step`, `rating` (1 is yes) and the columns of `by`.
        by: What is counted apart.

    Returns:
        `yes` and `n`, indexed by the values of `by`.
    """
    counts = votes.groupby(list(by))["rating"].agg(["sum", "size"]).astype(int)
    return counts.set_axis(["yes", "n"], axis=1)


def agreeing(step: int, yes: int, n: int) -> int:
    """Votes that agree with what was asked for: yes on the target's chain, no on the contrastive emotion (Table 2)."""
    return yes if step else n - yes
