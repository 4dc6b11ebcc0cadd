"""What every module of this family needs: ratings in, resamples and intervals in between, plain numbers out.

It stands in `metrics/_shared`; each metric's folder links to it, and what leaves the checkout is a file.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]

COLUMNS = ("item", "rater", "rating")  # of a long table; `category` and `sample` may be there too
ROUNDING = 1e-12  # differences below this share of the terms that they come from are rounding, not variation
CHUNK = 1 << 22  # numbers in one temporary array: 32 MB of float64


class RatingsError(ValueError):
    """Ratings or options that cannot be used; the message shows the value received and the valid forms."""


class UndefinedWarning(UserWarning):
    """A result is undefined on these ratings; it is nan, and the counts beside it say how often and why."""


@dataclass(frozen=True)
class Numbered(Sequence[str]):
    """The names "0", "1", … of n things, made when asked for: strings would need more memory than their ratings."""

    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, at: Any) -> Any:
        return [str(number) for number in range(self.n)[at]] if isinstance(at, slice) else str(range(self.n)[at])


@dataclass(frozen=True)
class Table:
    """Ratings in long form, names replaced by their numbers: row r is one rating.

    Attributes:
        cell: [n] int64, what was rated by whom: (category · n_raters + rater) · n_items + item.
        rating: [n] finite float64.
        items: names of the items, in order of appearance; likewise `raters` and `categories`.
        raters: names of the raters; with samples, one for every (rater, sample).
        categories: names of what is rated; one empty name where the ratings have no categories.
    """

    cell: Ints
    rating: Floats
    items: Sequence[str]
    raters: tuple[str, ...]
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rating)

    @cached_property
    def item(self) -> Ints:
        """[n] index into `items`."""
        before = self.cell // len(self.items)
        before *= len(self.items)
        return np.subtract(self.cell, before, out=np.empty(len(self), dtype=np.int32), casting="unsafe")

    @cached_property
    def rater(self) -> Ints:
        """[n] index into `raters`."""
        row = self.cell // len(self.items)
        return row - row // len(self.raters) * len(self.raters)

    @cached_property
    def category(self) -> Ints:
        """[n] index into `categories`."""
        return self.cell // (len(self.items) * len(self.raters))

    def units(self) -> Ints:
        """[n] number of each rating's unit, one category of one item: item · n_categories + category."""
        if len(self.categories) == 1:
            return self.item
        return self.item * np.int64(len(self.categories)) + self.category

    def counts(self) -> dict[str, int]:
        """How many raters rated anything, how many items were rated, and how many ratings there are."""
        rows = np.bincount(self.cell // len(self.items), minlength=len(self.raters) * len(self.categories))
        return {
            "n_raters": int(rows.reshape(-1, len(self.raters)).any(axis=0).sum()),
            "n_items": int(np.count_nonzero(np.bincount(self.item))),
            "n_ratings": len(self),
        }

    def rows(self, mask: Bools) -> "Table":
        """The rows where `mask` [n] is true; all names stay."""
        return replace(self, cell=self.cell[mask], rating=self.rating[mask])

    def parts(self) -> list["Table"]:
        """The rows of each category; all names stay."""
        if len(self.categories) == 1:
            return [self]
        in_order = bool((self.cell[1:] > self.cell[:-1]).all())
        order = slice(None) if in_order else np.argsort(self.category, kind="stable")
        ends = np.cumsum(np.bincount(self.category, minlength=len(self.categories)))[:-1]
        split = np.split(self.cell[order], ends), np.split(self.rating[order], ends)
        return [replace(self, cell=cell, rating=rating) for cell, rating in zip(*split, strict=True)]

    def matrices(self) -> Iterator[Floats]:
        """Ratings of each category, [n_raters, n_items] with nan for gaps; all at once where most cells are full."""
        shape = len(self.raters), len(self.items)
        size = shape[0] * shape[1]
        if size * len(self.categories) > 4 * len(self):
            return (_filled(part.cell % size, part.rating, size).reshape(shape) for part in self.parts())
        return iter(_filled(self.cell, self.rating, size * len(self.categories)).reshape(-1, *shape))

    def matrix(self) -> Floats:
        """Ratings of a table with one category, [n_raters, n_items]; nan where there is none."""
        (cells,) = self.matrices()
        return cells


def _filled(cell: Ints, rating: Floats, size: int) -> Floats:
    found = np.full(size, np.nan)
    found[cell] = rating
    return found


def table_of(
    item: Ints,
    rater: Ints,
    category: Ints,
    rating: Floats,
    items: Sequence[str],
    raters: tuple[str, ...],
    categories: tuple[str, ...],
) -> Table:
    """A table from the numbers [n] of item, rater and category, and their names."""
    cell = (category * np.int64(len(raters)) + rater) * len(items) + item
    return Table(cell, rating, items, raters, categories)


def read_ratings(ratings: Any, *, what: str = "ratings", samples: bool = False) -> Table:
    """Ratings from an array or from a long table.

    Args:
        ratings: numbers [raters, items] or [raters, items, categories] with nan or None for gaps; or a table with the
            columns item, rater, rating and optionally category and sample: a mapping of columns, a pandas DataFrame,
            a `datasets.Dataset`, an Arrow table. A missing rating in a table is a gap.
        what: the argument's name, for messages.
        samples: whether a rater may have rated a cell more than once, each time with another `sample` number.

    Returns:
        The ratings that are there, as a `Table`.

    Raises:
        RatingsError: text, infinities, a wrong shape, missing columns, empty names, a cell rated twice, no rating.

    Example:
        >>> table = read_ratings({"item": ["a", "a", "b"], "rater": ["x", "y", "x"], "rating": [1, 2, None]})
        >>> len(table), table.items, table.raters
        (2, ('a', 'b'), ('x', 'y'))
        >>> read_ratings([[1, 2, float("nan")], [1, 3, 3]]).matrix()
        array([[ 1.,  2., nan],
               [ 1.,  3.,  3.]])
    """
    frame = _frame(ratings)
    table = _from_array(_numbers(ratings, what), what) if frame is None else _from_frame(frame, what, samples)
    if not len(table):
        raise RatingsError(f"{what} hold no rating: every value is missing. Give at least one.")
    return table


def _frame(ratings: Any) -> pd.DataFrame | None:
    if isinstance(ratings, pd.DataFrame):
        return ratings
    if hasattr(ratings, "to_pandas") and hasattr(ratings, "column_names"):
        return ratings.to_pandas()
    if isinstance(ratings, Mapping):
        try:
            columns = {name: c if hasattr(c, "__array__") else list(c) for name, c in ratings.items()}
            return pd.DataFrame({str(name): column for name, column in columns.items()})
        except (ValueError, TypeError) as error:
            raise RatingsError(f"The columns of the ratings table do not fit together: {error}.") from error
    return None


def _numbers(values: Any, what: str) -> Floats:
    """Values as float64, None as nan; text, complex numbers and infinities are errors."""
    try:
        raw = np.asarray(values) if hasattr(values, "__array__") else np.asarray(values, dtype=object)
        if raw.dtype.kind not in "biufO":
            raise TypeError(f"they are of type {raw.dtype}")
        if texts := [value for value in raw.flat if isinstance(value, str | bytes)] if raw.dtype == object else []:
            raise TypeError(f"found the text {texts[0]!r}")
        numbers = raw.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise RatingsError(f"{what} must be numbers in a full array, with nan or None for gaps: {error}.") from error
    if np.isinf(numbers).any():
        where = tuple(int(axis[0]) for axis in np.nonzero(np.isinf(numbers)))
        raise RatingsError(f"{what} must be finite: found {numbers[where]} at {list(where)}. Use nan for a gap.")
    return numbers


def _from_array(numbers: Floats, what: str) -> Table:
    if numbers.ndim not in (2, 3):
        raise RatingsError(
            f"{what} have shape {list(numbers.shape)}; valid: [raters, items], [raters, items, categories], or a "
            f"table with the columns {', '.join(COLUMNS)} and optionally category."
        )
    cells = numbers.reshape(*numbers.shape, 1) if numbers.ndim == 2 else numbers
    cells = np.ascontiguousarray(np.moveaxis(cells, 2, 0))
    cell, every = np.flatnonzero(~np.isnan(cells)), cells.ravel()
    categories, raters = (tuple(map(str, range(size))) for size in cells.shape[:2])
    rating = every[cell] if len(cell) < len(every) else every
    return Table(cell, rating, Numbered(cells.shape[2]), raters, categories if numbers.ndim == 3 else ("",))


def _from_frame(frame: pd.DataFrame, what: str, samples: bool) -> Table:
    if missing := [name for name in COLUMNS if name not in frame.columns]:
        raise RatingsError(f"{what} lack the columns {missing}; found {list(map(str, frame.columns))}.")
    column = frame["rating"]
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
    cells = column.to_numpy() if plain else column.astype(object).where(column.notna(), None).to_numpy()
    rating = _numbers(cells, f"{what}' column 'rating'")
    item, items = _codes(frame, "item", what)
    rater, raters = _codes(frame, "rater", what)
    category, categories = _codes(frame, "category", what) if "category" in frame else (np.zeros_like(item), ("",))
    if samples and "sample" in frame and frame["sample"].notna().any():
        sample, numbers = pd.factorize(frame["sample"].astype("object").where(frame["sample"].notna(), ""))
        rater, pairs = pd.factorize(rater * len(numbers) + sample)
        raters = tuple(f"{raters[pair // len(numbers)]}#{numbers[pair % len(numbers)]}" for pair in pairs)
    given = ~np.isnan(rating)
    table = table_of(item, rater, category, rating, items, raters, categories)
    table = table if given.all() else table.rows(given)
    _once(table, what, samples)
    return table


def _codes(frame: pd.DataFrame, column: str, what: str) -> tuple[Ints, tuple[str, ...]]:
    codes, names = pd.factorize(frame[column])
    if codes.min(initial=0) < 0:
        row = int(np.argmax(codes < 0))
        raise RatingsError(f"{what}' column {column!r} is empty in row {row}; every rating needs one.")
    return codes, tuple(map(str, names))


def _once(table: Table, what: str, samples: bool) -> None:
    """Raise if a rater rated a cell twice."""
    size = len(table.items) * len(table.raters) * len(table.categories)
    if size <= 4 * len(table) and np.bincount(table.cell).max() == 1:
        return
    repeated = pd.Series(table.cell).duplicated().to_numpy()
    if repeated.any():
        row = int(np.argmax(repeated))
        hint = "number repeated answers in a column 'sample'" if samples else "keep one of them"
        raise RatingsError(
            f"{what}: rater {table.raters[table.rater[row]]!r} rated category "
            f"{table.categories[table.category[row]]!r} of item {table.items[table.item[row]]!r} more than once "
            f"({int(repeated.sum()):,} such rows); {hint}."
        )


def align(predictions: Table, references: Table) -> Table:
    """The predictions on the references' items and categories, with the references' numbers.

    Raises:
        RatingsError: no item or no category has the same name on both sides.
    """
    numbers = []
    for what in ("items", "categories"):
        own, other = getattr(predictions, what), getattr(references, what)
        if own == other:
            numbers.append(np.arange(len(own)))
            continue
        number = {name: position for position, name in enumerate(other)}
        numbers.append(np.array([number.get(name, -1) for name in own], dtype=np.int64))
        if (numbers[-1] < 0).all():
            raise RatingsError(
                f"predictions and references share no {what}: {list(own[:3])} and {list(other[:3])} are the first. "
                "Use the same names on both sides."
            )
    item, category = numbers[0][predictions.item], numbers[1][predictions.category]
    names = references.items, predictions.raters, references.categories
    moved = table_of(np.maximum(item, 0), predictions.rater, np.maximum(category, 0), predictions.rating, *names)
    return moved.rows((item >= 0) & (category >= 0))


def read_model(predictions: Any, references: Table) -> tuple[Floats, int]:
    """One model's ratings, samples averaged, on the references' items and categories.

    Args:
        predictions: [items], [items, categories] or [samples, items, categories]; or a long table, repeated answers
            numbered in the column sample.
        references: what the model is compared with.

    Returns:
        ([items, categories], nan where the model said nothing; number of ratings of other items or categories).

    Raises:
        RatingsError: as `read_ratings`, or a table with several raters, or no shared item or category.
    """
    frame = _frame(predictions)
    if frame is None:
        numbers = _numbers(predictions, "predictions")
        if numbers.ndim not in (1, 2, 3):
            raise RatingsError(
                f"predictions have shape {list(numbers.shape)}; valid: [items], [items, categories], "
                "[samples, items, categories], or a long table."
            )
        table = read_ratings(numbers if numbers.ndim == 3 else numbers[None], what="predictions")
    else:
        if "rater" in frame and frame["rater"].nunique() > 1:
            raise RatingsError(
                f"predictions hold {frame['rater'].nunique()} raters, such as {list(frame['rater'].unique()[:3])}; "
                "give one model at a time, and number its repeated answers in a column 'sample'."
            )
        table = read_ratings(frame.assign(rater="model"), what="predictions", samples=True)
    aligned = align(table, references)
    return cell_means(aligned, np.ones(len(aligned))), len(table) - len(aligned)


def cell_means(table: Table, weight: Floats) -> Floats:
    """Weighted mean rating of each category of each item, [items, categories]; nan where there is none."""
    shape, cell = (len(table.items), len(table.categories)), table.units()
    total = totals(cell, weight, shape[0] * shape[1])
    return divide(totals(cell, weight * table.rating, total.size), total).reshape(shape)


def choice(name: str, value: Any, valid: tuple[str, ...]) -> str:
    """The value of an option that is one of a few words.

    >>> choice("level", "ordnial", ("nominal", "ordinal"))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    ratings.RatingsError: level='ordnial' is not known; valid: 'nominal', 'ordinal'.
    """
    if value not in valid:
        raise RatingsError(f"{name}={value!r} is not known; valid: {', '.join(map(repr, valid))}.")
    return str(value)


def check_bootstrap(bootstrap: Any, seed: Any, confidence: Any) -> None:
    """Raise unless an interval can be made of these: 0 or ≥ 2 resamples, a whole seed, 0 < confidence < 1."""
    whole = isinstance(bootstrap, int | np.integer) and not isinstance(bootstrap, bool)
    if not whole or bootstrap < 0 or bootstrap == 1:
        raise RatingsError(f"bootstrap={bootstrap!r} is not valid; give a whole number of resamples, 0 (none) or ≥ 2.")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise RatingsError(f"seed={seed!r} is not valid; give a whole number ≥ 0.")
    if not isinstance(confidence, float | int) or not 0 < confidence < 1:
        raise RatingsError(f"confidence={confidence!r} is not valid; give a number between 0 and 1, such as 0.95.")


def resamples(n: int, bootstrap: int, seed: int, *, width: int | None = None) -> Iterator[Floats]:
    """How often each of n things is drawn, resample by resample.

    A resample draws n times with replacement. Chunks keep memory bounded; the draws do not depend on their size.

    Args:
        n: number of things, items or raters.
        bootstrap: number of resamples.
        seed: seed of NumPy's default generator.
        width: numbers that the caller needs per resample, if more than n.

    Yields:
        [≤ bootstrap, n] float64 counts, every row summing to n.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // max(n, width or 1))
    for start in range(0, bootstrap, rows):
        counts = [np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(min(rows, bootstrap - start))]
        yield np.asarray(counts, dtype=np.float64)


def percentiles(draws: Floats, confidence: float) -> list[float]:
    """The percentile interval of the defined draws, [low, high]; nan where none is defined."""
    defined = draws[np.isfinite(draws)]
    if not defined.size:
        return [float("nan"), float("nan")]
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return [float(low), float(high)]


def totals(code: Ints, values: Floats, size: int) -> Floats:
    """Sum of the values of each code 0 … size − 1, [n] → [size]."""
    return np.asarray(np.bincount(code, weights=values, minlength=size), dtype=np.float64)


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, nan where the denominator is zero."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(
        numerator, denominator, out=np.full(numerator.shape, np.nan), where=(denominator != 0) & ~np.isnan(denominator)
    )


def mean_defined(values: Floats, axis: int = -1, weights: Floats | None = None) -> Floats:
    """(Weighted) mean of the values that are not nan along an axis; nan where there is none."""
    given = ~np.isnan(values)
    share = given if weights is None else given * weights
    return divide(
        np.where(given, values * (1.0 if weights is None else weights), 0.0).sum(axis), share.sum(axis) * 1.0
    )


def tell_undefined(count: int, what: str) -> None:
    """Warn that some of the results are undefined."""
    if count:
        warnings.warn(f"{what} (counted in the result)", UndefinedWarning, stacklevel=3)


class TakesTables:
    """Lets `compute` of an `evaluate.Metric` take arrays and tables as they are.

    evaluate would send every input through Arrow as Python lists, which is slow, loses the shape of arrays, knows no
    tables and has messages about types only. Inputs collected with `add` and `add_batch` still go that way.
    """

    _result: Callable[..., dict[str, Any]]

    def compute(self, *, predictions: Any = None, references: Any = None, **options: Any) -> dict[str, Any]:
        """Result as a dict of plain numbers; see the module's card for the inputs and options."""
        given = {"predictions": predictions, "references": references}
        inputs = {name: value for name, value in given.items() if value is not None}
        if inputs or "ratings" in options:
            return self._result(**inputs, **options)
        if getattr(self, "writer", None) is None:
            raise RatingsError("There is nothing to compute: give the ratings, or add them with add_batch before.")
        return super().compute(**options)  # type: ignore[misc]

    def _compute(self, **collected: Any) -> dict[str, Any]:
        """Result of what was collected; evaluate calls this."""
        return self._result(**self._arrange(**collected))

    def _arrange(self, **collected: Any) -> dict[str, Any]:
        """What was collected, in the shape that `_result` takes."""
        return collected
