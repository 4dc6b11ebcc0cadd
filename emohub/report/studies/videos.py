"""Ratings of the labels of each video's emoji by changing raters, as in Chehre."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from emohub.data.emojis import ALL_LABELS, EMOJIS, Emoji, emoji
from emohub.data.ratings import COLUMNS, Scale
from emohub.errors import RatingsError
from emohub.rate.reading import resolve
from emohub.report.given import Given
from emohub.report.raters import in_order
from emohub.report.repo import Repo
from emohub.report.studies.study import LongStudy, joined

LABELS, MATCHES = "label_ratings", "emoji_ratings"
CONFIGS = (LABELS, "videos", MATCHES)
COMPUTED = {  # a report's own rows, and what kind of rater they stand for
    "random": "baseline",
    "prior": "baseline",
    "one human": "human",
    "half of the humans": "human",
    "humans": "human",
}
SCALES = {LABELS: Scale(ALL_LABELS, (0.0, 3.0)), MATCHES: Scale(tuple(one.name for one in EMOJIS), (0.0, 3.0))}


@dataclass(frozen=True, eq=False, kw_only=True)
class Videos(LongStudy):
    """Label ratings and emoji matches of videos.

    Attributes:
        labels: One row per rating of a label, 0–3: item, rater, kind, category, rating, sample.
        matches: One row per rating of how well a video fits its emoji, 0–3, likewise.
        emojis: Item → its emoji.
        performers: Item → who performs; videos of one performer belong together.
    """

    paper = "chehre"

    labels: pd.DataFrame
    matches: pd.DataFrame
    emojis: dict[str, Emoji]
    performers: dict[str, str]

    @property
    def rows(self) -> pd.DataFrame:
        """The label ratings."""
        return self.labels

    @property
    def human(self) -> pd.DataFrame:
        """The label ratings of people."""
        return self.labels[self.labels["kind"] == "human"]

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The raters of labels that are no people."""
        others = self.labels[self.labels["kind"] != "human"][["rater", "kind"]].drop_duplicates()
        return in_order(dict(zip(others["rater"], others["kind"], strict=True)))

    def of(self, rater: str) -> pd.DataFrame:
        """The label ratings of one rater."""
        return self.labels[self.labels["rater"] == rater]


def read(repo: Repo, given: Sequence[Given]) -> Videos | None:
    """The ratings of a dataset repo with those that were given; None where the repo has none."""
    if repo.dataset != "chehre" or not (config := repo.first(CONFIGS)):
        return None
    of = {kind: [one for one in given if _rates(one) == kind] for kind in (LABELS, MATCHES)}
    tables, sources, left_out = dict[str, pd.DataFrame](), dict[str, Given](), dict[str, int]()
    for kind in (LABELS, MATCHES):
        own = _own(repo, kind)
        _check_names(of[kind])
        parts, more, others = joined(repo, of[kind], SCALES[kind], set(own["item"]), set(own["rater"]))
        tables[kind] = pd.concat([own, *parts], ignore_index=True) if parts else own
        sources, left_out = more | sources, left_out | others
    items = pd.unique(pd.concat([tables[LABELS]["item"], tables[MATCHES]["item"]]))
    return Videos(
        name="Chehre",
        dataset=repo.name,
        config=config,
        revision=repo.revision(config),
        given=sources,
        left_out=left_out,
        labels=tables[LABELS],
        matches=tables[MATCHES],
        emojis={item: emoji(item.rpartition("_")[2]) for item in items},
        performers={item: repo.builder.split_key(item) for item in items},
    )


def _rates(given: Given) -> str:
    """Which of the two a table rates: by its run, else by its categories."""
    if rated := given.run.get("dataset"):
        return str(rated["ratings"])
    names = given.frame["category"].dropna().unique()
    return MATCHES if len(names) and resolve(str(names[0]), SCALES[MATCHES].categories) else LABELS


def _check_names(given: Sequence[Given]) -> None:
    """Refuse raters that would stand under the name of a row that a report computes.

    Raises:
        RatingsError: there is one.
    """
    for one in given:
        if taken := sorted(set(one.frame["rater"]) & {*COMPUTED}):
            raise RatingsError(
                f"{one.path} rates as {taken[0]!r}, which is a row that the report computes itself. Leave these "
                "ratings out, or give them another name: `emohub rate --name NAME`."
            )


def _own(repo: Repo, kind: str) -> pd.DataFrame:
    """The dataset's own ratings of a kind, from the long config, else from the videos' rows."""
    if repo.first((kind,)):
        table = repo.table(kind, COLUMNS)
        return table.astype({name: str for name in ("item", "rater", "kind", "category")})
    if not repo.first(("videos",)):
        return pd.DataFrame(columns=list(COLUMNS))
    rows = repo.table("videos", ("item", "emoji_code", "labels", "ratings", "emoji_match"))
    each = []
    for row in rows.to_dict("records"):
        item = str(row["item"])
        if kind == MATCHES:
            name = emoji(str(row["emoji_code"])).name
            each += [(item, one["rater"], "human", name, float(one["rating"])) for one in row["emoji_match"]]
            continue
        each += [
            (item, one["rater"], "human", label, float(value))
            for one in row["ratings"]
            for label, value in zip(row["labels"], one["values"], strict=True)
        ]
    return pd.DataFrame(each, columns=["item", "rater", "kind", "category", "rating"]).assign(sample=np.nan)
