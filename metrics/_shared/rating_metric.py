"""What an `evaluate.Metric` of this family does beside its formula: takes arrays and tables as they are."""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from functools import wraps
from itertools import zip_longest
from typing import Any

import datasets
import evaluate

from .checks import RatingsError
from .frames import frame_of, listed
from .ratings import numbers_of

Analyse = Callable[..., dict[str, Any]]


def metric_info(analyse: Analyse, citation: str, url: str, **features: Any) -> evaluate.MetricInfo:
    """The card data of a module: its description is that of the file with `analyse`, its inputs those of `analyse`."""
    return evaluate.MetricInfo(
        description=str(inspect.getdoc(inspect.getmodule(analyse))),
        citation=citation,
        inputs_description=str(analyse.__doc__),
        features=datasets.Features(features),
        reference_urls=[url],
    )


def collected_by_item(analyse: Analyse, *names: str) -> Analyse:
    """`analyse` for inputs that evaluate has collected item by item, while arrays are [raters, items, …].

    Args:
        analyse: takes [raters, items, …].
        names: the inputs that come as [items][raters]…, raters of any number: `None` fills the gaps.
    """

    @wraps(analyse)
    def compute(**given: Any) -> dict[str, Any]:
        return analyse(**given | {name: _raters_first(given[name]) for name in names})

    return compute


def _raters_first(items: list[list[Any]]) -> list[Any]:
    some = next((answer for item in items for answer in item), None)
    return list(zip_longest(*items, fillvalue=[None] * len(some) if isinstance(some, list) else None))


def _depth(feature: Any) -> int:
    return 1 + _depth(feature.feature) if hasattr(feature, "feature") else 1


class TakesTables:
    """Lets `compute` of an `evaluate.Metric` take arrays and tables as they are.

    evaluate would send every input through Arrow as Python lists, which is slow, loses the shape of arrays, has no
    place for tables and checks types only. Inputs collected with `add` and `add_batch` still go that way.
    """

    _compute: Analyse
    _by_item: tuple[str, ...] = ()  # inputs that are collected as [items][raters]…, see `collected_by_item`
    name: str
    features: datasets.Features
    num_process: int
    writer: Any

    def compute(self, *, predictions: Any = None, references: Any = None, **options: Any) -> dict[str, Any] | None:
        """Result as a dict of plain numbers; see the module's card for the inputs and options."""
        given = {"predictions": predictions, "references": references, **options}
        given = {name: value for name, value in given.items() if name in options or value is not None}
        inputs = {name: given.get(name) for name in self._check_names(given)}
        direct, alone = any(value is not None for value in inputs.values()), self.num_process == 1
        if self.writer is None and alone:
            if not direct:
                raise RatingsError("There is nothing to compute: give the ratings, or add them with add_batch before.")
            return inspect.unwrap(self._compute)(**given)
        rows = self._rows(inputs) if direct else {}
        return super().compute(**given | rows)  # type: ignore[misc]  # evaluate types neither

    def _rows(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Arrays as evaluate collects them, to join what `add` collected or what the other processes give.

        Raises:
            RatingsError: an input that cannot be joined: a table, another shape, none.
        """
        when = "after add or add_batch" if self.num_process == 1 else f"with num_process={self.num_process}"
        if other := [name for name, value in inputs.items() if value is not None and name not in self.features]:
            raise RatingsError(f"{when} {' and '.join(self.features)} must be given, not {other[0]}.")
        rows = {}
        for name, feature in self.features.items():
            shape = ["raters", "items", "categories"] if name in self._by_item else ["items", "categories"]
            shape = ["raters", "items"] if list(self.features) == ["ratings"] else shape
            valid = f"{when} {name} must be an array [{', '.join(shape[: _depth(feature)])}]"
            values = listed(inputs[name])
            if values is None or frame_of(values, name) is not None:
                raise RatingsError(
                    f"{valid}, not {'missing' if values is None else 'a table: compute it in one call'}."
                )
            numbers = numbers_of(values, name)
            if numbers.ndim != _depth(feature):
                raise RatingsError(f"{valid}; its shape is {list(numbers.shape)}.")
            rows[name] = (numbers.swapaxes(0, 1) if name in self._by_item else numbers).tolist()
        return rows

    def _check_names(self, given: dict[str, Any]) -> list[str]:
        """The names of the inputs.

        Raises:
            RatingsError: a name that is neither an input nor an option.
        """
        known = inspect.signature(self._compute).parameters
        for name in given:
            if name not in known:
                near = get_close_matches(name, known, 1)
                raise RatingsError(
                    f"{name}={given[name]!r:.60} is not an argument of {self.name}"
                    + (f"; did you mean {near[0]}? Valid" if near else "; valid")
                    + f": {', '.join(known)}."
                )
        return [name for name, one in known.items() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
