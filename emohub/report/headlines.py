"""Which numbers of a report say how good a model is: cards, `model-index` and `.eval_results/` show these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Headline:
    """One such number.

    Attributes:
        end: How its id ends, after the rater's name.
        metric: Folder of its metric.
        name: For readers.
    """

    end: str
    metric: str
    name: str


# Item of a report → its headline.
HEADLINES = {
    "hq.figure4": Headline("rho", "rating_correlation", "mean Spearman's ρ with the median of the human ratings"),
    "hq.table6": Headline("mean", "weighted_kappa", "mean weighted κ (quadratic) with the human raters"),
}
METRICS = tuple(one.metric for one in HEADLINES.values())


def headline_of(record: Mapping[str, Any]) -> Headline | None:
    """The headline that a record of a report is; None where it is another number.

    >>> headline_of({"id": "hq.table6.human-1.sd", "rater": "human-1"}) is None
    True
    """
    found = (one for item, one in HEADLINES.items() if record["id"] == f"{item}.{record['rater']}.{one.end}")
    return next(found, None)
