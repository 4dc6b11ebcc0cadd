"""What evaluate promises of any metric holds for ours: collecting, processes, combining, named options."""

import importlib
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import evaluate
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

CLASSES = {
    "dominant_expression": "DominantExpression",
    "krippendorff_alpha": "KrippendorffAlpha",
    "rating_correlation": "RatingCorrelation",
    "spread_ratio": "SpreadRatio",
    "weighted_kappa": "WeightedKappa",
}
rng = np.random.default_rng(0)
RATINGS = rng.integers(0, 8, (4, 10)).astype(float)
# name → inputs of all items, and how to take some of the items (or raters, for α) of them.
INPUTS: dict[str, tuple[dict[str, Any], Callable[[str, Any, slice], Any]]] = {
    "dominant_expression": (
        {"predictions": rng.normal(size=(10, 3)), "references": rng.integers(0, 4, (3, 10, 3)).astype(float)},
        lambda name, array, part: array[part] if name == "predictions" else array[:, part],
    ),
    "krippendorff_alpha": ({"ratings": RATINGS}, lambda name, array, part: array[part]),
    "rating_correlation": (
        {"predictions": rng.normal(size=10), "references": RATINGS[0]},
        lambda name, array, part: array[part],
    ),
    "spread_ratio": ({"predictions": RATINGS[:3], "references": RATINGS}, lambda name, array, part: array[:, part]),
    "weighted_kappa": (
        {"predictions": RATINGS[0], "references": RATINGS[1]},
        lambda name, array, part: array[part],
    ),
}
PARTS = slice(0, 2), slice(2, None)


def make(name: str, **options: Any) -> Any:
    return getattr(importlib.import_module(f"metrics.{name}.{name}"), CLASSES[name])(**options)


def part_of(name: str, part: slice) -> dict[str, Any]:
    inputs, take = INPUTS[name]
    return {key: take(key, array, part) for key, array in inputs.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_options_are_named_in_the_signature(name: str) -> None:
    """As evaluate's own generic test asks of every metric."""
    parameters = inspect.signature(make(name)._compute).parameters.values()
    assert all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in parameters)
    assert {"bootstrap", "seed", "confidence", "resample", "common_items"} <= {one.name for one in parameters}


@pytest.mark.parametrize("name", CLASSES)
def test_direct_inputs_join_what_was_collected(name: str) -> None:
    """add_batch for some, compute with the others: all of them count, as in a plain `evaluate.Metric`."""
    metric = make(name)
    expected = metric.compute(**INPUTS[name][0])
    metric.add_batch(**metric._rows(part_of(name, PARTS[0])))
    assert metric.compute(**part_of(name, PARTS[1])) == expected
    assert metric.compute(**INPUTS[name][0]) == expected, "nothing of it stays"


@pytest.mark.parametrize("name", CLASSES)
def test_two_processes_give_one_result(name: str, tmp_path) -> None:
    """Each process gives its share; process 0 has the result of all, the other has none."""
    same = {"num_process": 2, "experiment_id": "two", "cache_dir": str(tmp_path)}

    def run(process: int) -> Any:
        metric = make(name, process_id=process, **same)
        return metric.compute(**part_of(name, PARTS[process]), bootstrap=5)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, (0, 1))
    assert second is None
    assert first == make(name).compute(**INPUTS[name][0], bootstrap=5)


def test_two_shards_of_opposite_agreement(tmp_path) -> None:
    """κ is 1 in one shard and −1 in the other, and 0 of both."""
    shards = [([1, 2, 3], [1, 2, 3]), ([1, 2, 3], [3, 2, 1])]

    def run(process: int) -> Any:
        metric = make("weighted_kappa", num_process=2, process_id=process, experiment_id="x", cache_dir=str(tmp_path))
        return metric.compute(predictions=shards[process][0], references=shards[process][1])

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, (0, 1))
    assert (first["weighted_kappa"], second) == (0, None)


TABLE = pd.DataFrame({"item": ["a"], "rater": ["x"], "rating": [1]})
CANNOT_JOIN = {
    "a table": ("krippendorff_alpha", {"ratings": TABLE}, r"must be an array \[raters, items\], not a table"),
    "many raters": ("weighted_kappa", {"ratings": RATINGS}, "predictions and references must be given, not ratings"),
    "one side": ("weighted_kappa", {"predictions": [1]}, r"references must be an array \[items\], not missing"),
    "samples": ("dominant_expression", {"predictions": np.ones((2, 2, 2)), "references": [[[1, 2]]]}, "shape is"),
    "raters": ("rating_correlation", {"predictions": [1, 2], "references": [[1, 2]]}, r"\[items\]; its shape is"),
}


@pytest.mark.parametrize(("name", "inputs", "message"), CANNOT_JOIN.values(), ids=CANNOT_JOIN)
def test_what_cannot_be_joined_is_a_clear_error(name: str, inputs: dict, message: str, tmp_path) -> None:
    for metric, when in (
        (make(name, num_process=2, process_id=0, cache_dir=str(tmp_path)), "with num_process=2"),
        (make(name), "after add or add_batch"),
    ):
        if when == "after add or add_batch":
            metric.add_batch(**metric._rows(part_of(name, PARTS[0])))
        with pytest.raises(ValueError, match=f"{when} .*{message}"):
            metric.compute(**inputs)


def test_combined_metrics_give_the_values_of_each() -> None:
    kappa, correlation = make("weighted_kappa"), make("rating_correlation")
    first, second = [1, 2, 3, 4, 4], [1, 2, 2, 4, 3]
    both = evaluate.combine([kappa, correlation])
    result = both.compute(predictions=first, references=second, bootstrap=5)
    expected = cohen_kappa_score(first, second, weights="quadratic")
    assert result["weighted_kappa"] == pytest.approx(expected)
    assert (
        result["rating_correlation"] == correlation.compute(predictions=first, references=second)["rating_correlation"]
    )
    both.add_batch(predictions=first, references=second)
    assert both.compute()["weighted_kappa"] == pytest.approx(expected)


def test_what_cannot_be_combined_says_why() -> None:
    both = evaluate.combine([make("weighted_kappa"), make("krippendorff_alpha")])
    with pytest.raises(
        ValueError, match="predictions=.* is not an argument of krippendorff_alpha; valid: ratings, level"
    ):
        both.compute(predictions=[1, 2], references=[2, 1])


def test_a_near_name_is_proposed() -> None:
    with pytest.raises(ValueError, match=r"boostrap=100 .*did you mean bootstrap\? Valid: ratings, predictions, "):
        make("weighted_kappa").compute(ratings=RATINGS, boostrap=100)
