"""The numbers that say how good a rater is: cards, `model-index`, `.eval_results/` and `eval.yaml` name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Headline:
    """One such number; higher is better.

    Attributes:
        task: Id of the task in the `eval.yaml` of a dataset repo, and so in a model's `.eval_results/`.
        record: Id of its record in a report, with `{rater}`.
        metric: Id of its metric: a folder of `metrics/`, or a metric of `evaluate`.
        name: For readers.
        dataset: Name of the dataset.
        config: Its config.
        split: Its split.
        measured: Whether `emohub build model` measures it.
    """

    task: str
    record: str
    metric: str
    name: str
    dataset: str
    config: str
    split: str = "test"
    measured: bool = False


RHO = Headline(
    task="hq_rho",
    record="hq.figure4.{rater}.rho",
    metric="rating_correlation",
    name="mean Spearman's ρ with the median of the human ratings",
    dataset="emonet-face",
    config="hq",
    measured=True,
)
KAPPA = Headline(
    task="hq_kappa_w",
    record="hq.table6.{rater}.mean",
    metric="weighted_kappa",
    name="mean weighted κ (quadratic) with the human raters",
    dataset="emonet-face",
    config="hq",
    measured=True,
)
AUC = Headline(
    task="binary_auc",
    record="binary.raters.{rater}.auc",
    metric="roc_auc",
    name="area under the ROC curve against the confirmed labels, mean over emotions",
    dataset="emonet-face",
    config="binary",
    split="validation",
)
TOP1 = Headline(
    task="chehre_top1",
    record="chehre.top1.{rater}",
    metric="dominant_expression",
    name="share of videos whose dominant expression was found, ties shared",
    dataset="chehre",
    config="videos",
)
HEADLINES = (RHO, KAPPA, AUC, TOP1)
MEASURED = tuple(one for one in HEADLINES if one.measured)


def headline_of(record: Mapping[str, Any]) -> Headline | None:
    """The headline that a record of a report is; None where it is another number.

    >>> headline_of({"id": "hq.table6.human-1.sd", "rater": "human-1"}) is None
    True
    >>> headline_of({"id": "hq.table6.human-1.mean", "rater": "human-1"}).task
    'hq_kappa_w'
    """
    found = (one for one in HEADLINES if record["id"] == one.record.format(rater=record["rater"]))
    return next(found, None)
