"""Two sets of labels for each item, from two tables of ratings, as App. B.3 of the EmoNet-Face paper compares them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from emohub.errors import EmohubError
from emohub.rate.target import Target
from emohub.report.given import Given, read_given
from emohub.report.studies.intensities import SCALE
from emohub.report.studies.preference import HUMAN

TOP = 5  # labels of a set: "the human median of the five highest-rated emotions" (B.3)


class LabelSets:
    """The highest labels of each item in two tables.

    Attributes:
        of: Item → name of the set → its labels, the highest first.
        left_out: How many items have no label above 0 in one of the tables, or the same labels in both.
    """

    def __init__(self, paths: Sequence[Path], target: Target):
        if len(paths) != 2:
            raise EmohubError(f"A preference study compares two tables, not {len(paths)}: give --set twice.")
        scale = target.rated.scale if target.is_video else SCALE
        given = [read_given(path) for path in paths]
        names = [_name(one) for one in given]
        if names[0] == names[1]:
            raise EmohubError(f"Both tables are of {names[0]!r}. Change the column 'rater' of one of them.")
        tops = [_tops(one.checked(scale)) for one in given]
        items = [item.id for item in target.items]
        both = {item: {name: top.get(item, []) for name, top in zip(names, tops, strict=True)} for item in items}
        self.of = {
            item: sets for item, sets in both.items() if all(sets.values()) and sets[names[0]] != sets[names[1]]
        }
        self.left_out = len(items) - len(self.of)
        if not self.of:
            raise EmohubError(
                f"None of the {len(items):,} items has two different sets of labels in {paths[0]} and {paths[1]}."
            )


def _name(given: Given) -> str:
    """Whose ratings they are: "human", or the model."""
    kinds, raters = set(given.frame["kind"]), sorted(set(given.frame["rater"]))
    if kinds == {HUMAN}:
        return HUMAN
    if len(raters) > 1:
        raise EmohubError(
            f"{given.path} has {len(raters)} raters, {', '.join(raters[:5])}. A set of labels is that of all humans, "
            "or of one model: keep the rows of one of them."
        )
    return str(raters[0])


def _tops(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Item → its highest labels by the median of all raters, those of 0 left out; ties in the order of the names."""
    medians = frame.groupby(["item", "category"])["rating"].median().reset_index()
    above = medians[medians["rating"] > 0].sort_values(["item", "rating", "category"], ascending=[True, False, True])
    return {str(item): its["category"].head(TOP).to_list() for item, its in above.groupby("item")}
