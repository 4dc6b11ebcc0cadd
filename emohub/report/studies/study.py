"""What all studies have in common: where they come from, who rated, and ratings that join them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import pandas as pd

from emohub.data.ratings import Scale
from emohub.errors import RatingsError, SourceError
from emohub.report.given import Given, rows_of
from emohub.report.repo import Repo

GROUPS = ("gender", "age", "ethnicity")
SUFFIXES = {" ZS": "zero-shot", " MS": "multi-shot"}  # of upstream's names of vision-language models


@dataclass(frozen=True, slots=True)
class Asked:
    """How a rater was asked.

    Attributes:
        protocol: Name of the protocol; empty where it answers no questions.
        asked: Questions; None where that is not known.
        parsed: Questions whose answer could be read.
        failures: Failure → how many.
        options: Of the protocol.
    """

    protocol: str = ""
    asked: int | None = None
    parsed: int | None = None
    failures: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Study:
    """One study of a report.

    Attributes:
        name: What it is called, for example "EmoNet-Face HQ".
        dataset: The repo's id on the Hub, or its folder's name.
        config: The config that was read.
        revision: The commit on the Hub; of a folder or file, a digest.
        given: Rater → the ratings that it was given with, of those that the dataset does not have itself.
        left_out: What was left out → how many.
    """

    paper: ClassVar[str] = "emonet-face"  # the dataset whose paper describes such studies

    name: str
    dataset: str
    config: str
    revision: str
    given: Mapping[str, Given] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def asked(self) -> dict[str, Asked]:
        """Rater → how it was asked, of those for whom a run says it."""
        return {rater: _asked(one) for rater, one in self.given.items() if one.run}

    @property
    def slug(self) -> str:
        """Its name as it stands in the names of files.

        >>> Study(name="EmoNet-Face HQ", dataset="d", config="c", revision="r").slug
        'emonet-face-hq'
        """
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def protocol(self, rater: str) -> str:
        """How a rater was asked, from its run or from its name; empty where neither says."""
        if rater in self.asked:
            return self.asked[rater].protocol
        return next((name for suffix, name in SUFFIXES.items() if rater.endswith(suffix)), "")


@dataclass(frozen=True, eq=False, kw_only=True)
class LongStudy(Study, ABC):
    """A study whose ratings are a long table; raters of changing items."""

    @property
    @abstractmethod
    def rows(self) -> pd.DataFrame:
        """One row per rating: at least item, rater and kind."""

    @cached_property
    def kind_of(self) -> dict[str, str]:
        """Rater → human, model, vlm or baseline."""
        pairs = self.rows[["rater", "kind"]].drop_duplicates().astype(str)
        return dict(sorted(zip(pairs["rater"], pairs["kind"], strict=True)))

    @cached_property
    def rated_items(self) -> frozenset[str]:
        """The items that anybody rated."""
        return frozenset(self.rows["item"].astype(str))

    def rated_by(self, rater: str) -> frozenset[str]:
        """The items that a rater rated."""
        return frozenset(self.rows.loc[self.rows["rater"] == rater, "item"].astype(str))


def joined(
    repo: Repo, given: Sequence[Given], scale: Scale, items: Collection[str], raters: Collection[str]
) -> tuple[list[pd.DataFrame], dict[str, Given], dict[str, int]]:
    """The ratings that were given with a dataset.

    Args:
        repo: The dataset.
        given: What was given.
        scale: Of the ratings.
        items: The dataset's own items.
        raters: The dataset's own raters.

    Returns:
        (the ratings of its items, each rater with its source, what was left out and how often).

    Raises:
        RatingsError: two sources rate under one name, or ratings break the schema.
        SourceError: ratings of another revision of the dataset.
    """
    parts: list[pd.DataFrame] = []
    sources: dict[str, Given] = {}
    left_out: dict[str, int] = {}
    names = set(raters)
    for one in given:
        _same_revision(repo, one)
        rows, others = rows_of(one.checked(scale), items)
        if others:
            left_out[f"ratings in {one.path} of items that the dataset does not have"] = others
        new = set(rows["rater"].unique())
        if twice := sorted(names & new):
            raise RatingsError(
                f"{one.path} rates as {', '.join(twice[:5])}, and so does another source. Give each its own name: "
                "`emohub rate --name NAME`, or change the column 'rater'."
            )
        names |= new
        sources |= dict.fromkeys(new, one)
        parts.append(rows)
    return parts, sources, left_out


def _asked(given: Given) -> Asked:
    counts = given.run["counts"]
    options = given.run["protocol"].get("options", {})
    return Asked(given.protocol, counts["asked"], counts["parsed"], counts["failures"], options)


def _same_revision(repo: Repo, given: Given) -> None:
    """Refuse ratings of other files than those that are reported on.

    Raises:
        SourceError: the revisions differ.
    """
    if not (rated := given.run.get("dataset")):
        return
    if (config := rated["config"]) not in repo.record["configs"]:
        raise SourceError(f"{given.path} rates the config {config!r}, which {repo.source} does not have.")
    rows = repo.rows(config)
    here, there = (rows.revision, rated["revision"]) if rows.revision else (rows.fingerprint, rated["fingerprint"])
    chosen = set(rated["splits"]) == set(rows.splits)
    if there and here != there and (chosen or rows.revision):
        raise SourceError(
            f"{given.path} rates {rated['source']}, config {config!r}, revision {there[:12]}; the revision of "
            f"{repo.source} is {here[:12]}, so the items may differ. Rate this one, or report on that one"
            + (f": --revision {there}." if rows.revision else ".")
        )


def people_of(repo: Repo, config: str) -> pd.DataFrame:
    """Item → who is shown as prompted, of a config with images; empty where the repo does not have it."""
    if not repo.first((config,)):
        return pd.DataFrame()
    table = repo.table(config, ("item", *GROUPS))
    table = table.set_index(table["item"].astype(str))
    return table[[name for name in GROUPS if name in table and table[name].notna().any()]]
