"""BINARY: how well the scores of other raters tell confirmed images from rejected ones."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.record import ITEMS, Record, best_first
from emohub.report.statistics import jackknife, mean_defined
from emohub.report.studies.votes import Votes
from emohub.report.table import Cell, Table

METHOD = "area under the ROC curve, mean over emotions; delete-a-group jackknife over images"
POOLED = "area under the ROC curve of all images and emotions together; delete-a-group jackknife over images"
ONE = "area under the ROC curve; delete-a-group jackknife over images"
EACH = "A dash: no confirmed or no rejected image has a score."
NOTE = (
    "The chance that a rater scores an emotion higher in an image in which three annotators in a row saw it than in "
    "one in which the only one asked did not; ½ is chance, ties count half. What one or two annotators saw, and what "
    "was never asked, is no label and left out."
)
CONFIRMED, REJECTED = 3, 0  # yes votes


def labels(votes: pd.DataFrame) -> pd.DataFrame:
    """Item, category and label of what is certain: 1 where three said yes and nobody no, 0 where nobody said yes."""
    sums = votes.groupby(["item", "category"])["rating"].agg(["sum", "size"]).reset_index()
    yes = (sums["sum"] == CONFIRMED) & (sums["size"] == CONFIRMED)
    kept = sums[yes | (sums["sum"] == REJECTED)]
    return kept[["item", "category"]].assign(label=yes[kept.index].astype(int))


def area(scores: np.ndarray, label: np.ndarray) -> float:
    """Area under the ROC curve; nan without both labels."""
    n, positive = len(label), int(label.sum())
    if positive in (0, n):
        return float("nan")
    u = stats.mannwhitneyu(scores[label == 1], scores[label == 0], method="asymptotic").statistic
    return float(u / (positive * (n - positive)))


def make(study: Votes, settings: Settings) -> Iterator[Output]:
    """One row per rater that is no human, the best first; then emotion by emotion."""
    others = study.frame[study.frame["kind"] != "human"]
    if others.empty:
        raise Gap("there are no ratings but those of humans")
    certain = labels(study.first)
    categories = [name for name in study.categories if (certain["category"] == name).any()]
    rows: list[tuple[Cell, ...]] = []
    columns: dict[str, list[Record]] = {}
    for rater in sorted(others["rater"].unique()):
        scores = others[others["rater"] == rater].groupby(["item", "category"], as_index=False)["rating"].mean()
        both = certain.merge(scores, on=["item", "category"])
        mean, pooled, *columns[rater] = _areas(both, rater, categories, settings)
        seen = int(both["label"].sum())
        rows.append((rater, mean, pooled, seen, len(both) - seen, len(certain) - len(both)))
    rows.sort(key=lambda row: best_first(row[1]))
    headings = ("Rater", "AUC, mean over emotions", "AUC, all", "Seen", "Not seen", "Without a score")
    yield Table("binary-raters", "Raters against the confirmed labels", headings, rows, NOTE)
    by_emotion = [(name, *of) for name, *of in zip(categories, *columns.values(), strict=True)]
    yield Table("binary-raters-emotions", "AUC in each emotion", ("Emotion", *columns), by_emotion, EACH, digits=2)


def _areas(both: pd.DataFrame, rater: str, categories: Sequence[str], settings: Settings) -> list[Record]:
    """AUC, mean over emotions, of all together, and in each emotion."""
    items, item = np.unique(both["item"], return_inverse=True)
    category = both["category"].to_numpy()
    scores, label = both["rating"].to_numpy(float), both["label"].to_numpy()

    def values(chosen: np.ndarray) -> dict[str, float]:
        kept = chosen[item]
        each = {f"auc.{one}": area(scores[of], label[of]) for one in categories for of in [kept & (category == one)]}
        return {"auc": mean_defined([*each.values()]), "auc_pooled": area(scores[kept], label[kept]), **each}

    made = jackknife(values, len(items), clusters=None, seed=settings.seed)
    return [
        made.of({name: 1.0}).record(
            f"binary.raters.{rater}.{name}",
            settings.confidence,
            is_share=True,
            n=int((category == name.partition(".")[2]).sum()) if "." in name else len(items),
            method={"auc": METHOD, "auc_pooled": POOLED}.get(name, ONE),
            population=ITEMS,
            rater=rater,
        )
        for name in made.names
    ]


ITEM = Item("binary.raters", "Other raters against the labels", (Votes,), make, place=14)
