"""The metrics of `metrics/`, as a user loads them."""

import warnings
from functools import cache
from typing import Any

import evaluate

from emohub.hub.folders import hub_folder
from emohub.report.item import Gap

REFUSED = "RatingsError"


def compute(metric: str, **given: Any) -> dict[str, Any]:
    """The result of a metric; what it warns of stands as counts in the result too.

    Raises:
        Gap: the metric refuses the ratings; its reason.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return dict(_load(metric).compute(**given))
        except ValueError as error:
            if type(error).__name__ != REFUSED:  # the class is the module's own, so it cannot be imported
                raise
            raise Gap(str(error).partition(".")[0]) from error


@cache
def _load(metric: str) -> Any:
    return evaluate.load(str(hub_folder("metrics", metric)))
