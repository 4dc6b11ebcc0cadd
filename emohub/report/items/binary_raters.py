"""BINARY: how well the scores of other raters tell confirmed images from rejected ones."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.record import ITEMS, best_first
from emohub.report.statistics import jackknife, mean_defined
from emohub.report.studies.votes import Votes
from emohub.report.table import Cell, Table

METHOD = "area under the ROC curve, mean over emotions; delete-a-group jackknife over images"
POOLED = "area under the ROC curve of all images and emotions together; delete-a-group jackknife over images"
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
    """One row per rater that is no human, the best first."""
    others = study.frame[study.frame["kind"] != "human"]
    if others.empty:
        raise Gap("there are no ratings but those of humans")
    certain = labels(study.first)
    rows: list[tuple[Cell, ...]] = []
    for rater in sorted(others["rater"].unique()):
        scores = others[others["rater"] == rater].groupby(["item", "category"], as_index=False)["rating"].mean()
        rows.append(_row(study, rater, certain.merge(scores, on=["item", "category"]), len(certain), settings))
    rows.sort(key=lambda row: best_first(row[1]))
    columns = ("Rater", "AUC, mean over emotions", "AUC, all", "Seen", "Not seen", "Without a score")
    yield Table("binary-raters", "Raters against the confirmed labels", columns, rows, NOTE)


def _row(study: Votes, rater: str, both: pd.DataFrame, n_certain: int, settings: Settings) -> tuple[Cell, ...]:
    items, item = np.unique(both["item"], return_inverse=True)
    category = both["category"].to_numpy()
    scores, label = both["rating"].to_numpy(float), both["label"].to_numpy()

    def values(chosen: np.ndarray) -> dict[str, float]:
        kept = chosen[item]
        each = [area(scores[kept & (category == one)], label[kept & (category == one)]) for one in set(category)]
        return {"mean": mean_defined(each), "all": area(scores[kept], label[kept])}

    made = jackknife(values, len(items), clusters=None, seed=settings.seed)
    cells = []
    for name, id, method in (("mean", "auc", METHOD), ("all", "auc_pooled", POOLED)):
        one = made.of({name: 1.0})
        cells.append(
            one.record(
                f"binary.raters.{rater}.{id}",
                settings.confidence,
                is_share=True,
                n=len(items),
                method=method,
                population=ITEMS,
                rater=rater,
            )
        )
    return (rater, *cells, int(label.sum()), int((1 - label).sum()), n_certain - len(both))


ITEM = Item("binary.raters", "Other raters against the labels", (Votes,), make, place=14)
