"""Yes/no votes in chains, as in EmoNet-Face BINARY."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from emohub.data.ratings import Scale
from emohub.data.taxonomy import NAMES
from emohub.report.given import Given
from emohub.report.repo import Repo
from emohub.report.studies.study import LongStudy, joined, people_of

CONFIGS = ("binary_ratings", "binary")
SCALE = Scale(NAMES, (0.0, 1.0), whole=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Votes(LongStudy):
    """Votes on a target emotion, step by step, and on a contrastive one.

    Attributes:
        frame: One row per vote: item, rater, kind, category, rating (1 is yes), sample, step (1–3 on the target's
            chain, 0 contrastive).
        people: Item → age, gender, ethnicity as prompted; empty where that is not known.
        categories: The emotions.
    """

    frame: pd.DataFrame
    people: pd.DataFrame
    categories: tuple[str, ...] = NAMES

    @property
    def rows(self) -> pd.DataFrame:
        """All votes."""
        return self.frame

    @property
    def human(self) -> pd.DataFrame:
        """The votes of people."""
        return self.frame[self.frame["kind"] == "human"]

    @property
    def first(self) -> pd.DataFrame:
        """The same without repeats: of several answers of a rater to one question the first counts."""
        return self.human.sort_values("sample", kind="stable", na_position="first").drop_duplicates(
            ["item", "rater", "category"]
        )


def read(repo: Repo, given: Sequence[Given]) -> Votes | None:
    """The votes of a dataset repo with those that were given; None where the repo has none."""
    if repo.dataset != "emonet-face" or not (config := repo.first(CONFIGS)):
        return None
    columns = ("item", "rater", "kind", "category", "rating", "sample", "step", "votes")
    own = repo.table(config, columns)
    own = own if config == "binary_ratings" else _long(own)
    parts, sources, left_out = joined(repo, given, SCALE, set(own["item"].unique()), set(own["rater"].unique()))
    table = pd.concat([own, *parts], ignore_index=True).astype(
        {name: str for name in ("item", "rater", "kind", "category")}
    )
    for name in ("sample", "step"):
        table[name] = table[name].astype("Int32") if name in table else pd.array([None] * len(table), "Int32")
    return Votes(
        name="EmoNet-Face BINARY",
        dataset=repo.name,
        config=config,
        revision=repo.revision(config),
        given=sources,
        left_out=left_out,
        frame=table,
        people=people_of(repo, "binary"),
    )


def _long(rows: pd.DataFrame) -> pd.DataFrame:
    """The long table of the config with images, one row a vote."""
    each = [
        (item, one["rater"], "human", NAMES[one["emotion"]], float(one["vote"]), one["step"])
        for item, votes in zip(rows["item"], rows["votes"], strict=True)
        for one in votes
    ]
    return pd.DataFrame(each, columns=["item", "rater", "kind", "category", "rating", "step"])
