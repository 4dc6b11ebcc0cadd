"""The metrics of `metrics/`, as a user loads them."""

import warnings
from functools import cache
from typing import Any

import evaluate

from emohub.hub.folders import hub_folder


def compute(metric: str, **given: Any) -> dict[str, Any]:
    """The result of a metric; what it warns of stands as counts in the result too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(_load(metric).compute(**given))


@cache
def _load(metric: str) -> Any:
    return evaluate.load(str(hub_folder("metrics", metric)))
