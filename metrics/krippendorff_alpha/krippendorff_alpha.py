"""Krippendorff's α: agreement of any number of raters, with gaps, corrected for chance.

    α = 1 − D_o / D_e

D_o is the mean difference of two ratings of the same unit, D_e that of any two ratings:

    D_o = Σ_u 1/(m_u − 1) · Σ_{i≠j in u} δ²(x_i, x_j) / n        D_e = Σ_{i≠j} δ²(x_i, x_j) / (n·(n − 1))

m_u is the number of ratings of unit u, n their sum over units with at least two. δ² is 1[x ≠ y] (nominal), (x − y)²
(interval), ((x − y)/(x + y))² (ratio), or the squared difference of mid-ranks among all n ratings (ordinal). 1 is
perfect agreement, 0 what chance gives, below 0 is systematic disagreement.

The double sums are never formed where δ² is a squared distance: Σ_{i≠j} (x_i − x_j)² = 2·(m·Σx² − (Σx)²), so that
nominal, ordinal and interval α take time linear in the ratings (after sorting); ratio α also takes the square of the
number of distinct values, in bounded memory.

Source: Krippendorff, Content Analysis, ch. 12, and "Computing Krippendorff's Alpha-Reliability" (2011).
"""

import importlib
from typing import Any

import datasets
import evaluate
import numpy as np

from .alpha import LEVELS, Units, alpha_of_units, pairable
from .checks import RatingsError, choice, warn_undefined
from .frames import frame_of, listed
from .intervals import Bootstrap, Draw, intervals, percentile_interval, positives_of
from .rating_metric import TakesTables, metric_info
from .ratings import read_ratings
from .resampled import by_cell, raters_by_cell, resampled_alpha, resampled_raters, resampling_width
from .resampling import mean_defined, resamples
from .table import Floats, Ints, Table, only_common

ENGINES = ("own", "krippendorff")

CITATION = """\
@book{krippendorff2018content,
  title = {Content Analysis: An Introduction to Its Methodology}, edition = {4},
  author = {Krippendorff, Klaus}, publisher = {SAGE}, year = {2018}
}
@techreport{krippendorff2011computing,
  title = {Computing {Krippendorff's} Alpha-Reliability},
  author = {Krippendorff, Klaus}, institution = {University of Pennsylvania}, year = {2011},
  url = {https://repository.upenn.edu/asc_papers/43}
}
"""
FEATURES = {"ratings": datasets.Sequence(datasets.Value("float64"))}


def krippendorff_alpha(ratings: Any, *, level: str = "interval", engine: str = "own") -> float:
    """α of a raters × items matrix.

    Args:
        ratings: [raters, items] numbers, nan or None for gaps.
        level: "nominal", "ordinal", "interval" or "ratio".
        engine: "own", or "krippendorff" for the package of that name (GPL-3.0, imported only then).

    Returns:
        α; nan if no item has two ratings or all pairable ratings are equal.

    Example:
        Four observers, twelve units (Krippendorff 2011, sections C and D).

        >>> nan = float("nan")
        >>> observers = [
        ...     [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        ...     [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        ...     [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        ...     [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
        ... ]
        >>> {level: round(krippendorff_alpha(observers, level=level), 3) for level in LEVELS}
        {'nominal': 0.743, 'ordinal': 0.815, 'interval': 0.849, 'ratio': 0.797}
    """
    table = read_ratings(ratings)
    if len(table.categories) > 1:
        raise RatingsError("Give one category as [raters, items]; `analyse` takes several.")
    _check(table, level, engine)
    return _alpha(table, _units(table), level, engine)


def _check(table: Table, level: str, engine: str) -> None:
    choice("level", level, LEVELS)
    choice("engine", engine, ENGINES)
    if level == "ratio" and (table.rating < 0).any():
        raise RatingsError(
            f"level='ratio' needs ratings ≥ 0 (a true zero); the lowest is {table.rating.min():g}. Use 'interval'."
        )


def _alpha(table: Table, units: Units, level: str, engine: str) -> float:
    """α of a table in which every (item, category) is a unit."""
    return alpha_of_units(units, level) if engine == "own" else package_alpha(_unit_matrix(table)[0], level)


def _units(table: Table) -> Units:
    return pairable(table.units(), table.rating, per_item=len(table.categories))


def _unit_matrix(table: Table) -> tuple[Floats, Ints]:
    """[raters, units] with gaps and the item [units] of each, for the package."""
    unit, code = np.unique(table.units(), return_inverse=True)
    cells = np.full((len(table.raters), len(unit)), np.nan)
    cells[table.rater, code] = table.rating
    return cells, unit // len(table.categories)


def package_alpha(matrix: Floats, level: str) -> float:
    """α of [raters, units] by the `krippendorff` package; nan where it refuses because nothing varies."""
    try:
        package = importlib.import_module("krippendorff")
    except ImportError as error:
        raise RatingsError(
            "engine='krippendorff' needs the package of that name (GPL-3.0): pip install krippendorff. "
            "engine='own' gives the same values without it."
        ) from error
    pairable_values = matrix[:, (~np.isnan(matrix)).sum(0) > 1]
    if len(np.unique(pairable_values[~np.isnan(pairable_values)])) < 2:
        return float("nan")
    return float(package.alpha(reliability_data=matrix, level_of_measurement=level))


def analyse(
    ratings: Any,
    *,
    level: str = "interval",
    engine: str = "own",
    upstream: bool = False,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
    resample: str = "items",
    clusters: Any = None,
    common_items: bool = False,
) -> dict[str, Any]:
    """α of every category, their mean, and α of all (item, category) units together.

    Args:
        ratings: as `read_ratings` takes them.
        level: "nominal", "ordinal", "interval" or "ratio".
        engine: "own", or "krippendorff" for the package of that name (slower; items can be resampled, raters not).
        upstream: also give α as it was published for EmoNet-Face BINARY, under the name `upstream`: of target votes
            only (rows whose `step` is 0, where the table has that column, are left out and counted), with items taken
            as raters and raters as units. It measures something else. Its intervals always resample items.
        bootstrap: number of resamples for the intervals, see `intervals`; 0 gives none.
        seed: seed of the resamples.
        confidence: how often an interval shall hold the value of the population.
        resample: what is a sample of a population: "items", "raters" or "both".
        clusters: items that belong together (of one performer, of one prompt), as {item: cluster} or in the order of
            the items; they are resampled together.
        common_items: whether only what every rater rated is used.

    Returns:
        Plain numbers: `krippendorff_alpha` (mean over categories), `interval`, counts, `per_category`, `pooled`, and
        `coverage` (number and share of each rater's items), and `upstream` on request. Undefined values are nan and
        counted.

    Raises:
        RatingsError: fewer than two raters, options or ratings that cannot be used.
    """
    boot = Bootstrap(bootstrap, seed, confidence, resample)
    ratings = listed(ratings)
    table = read_ratings(ratings)
    if common_items:
        table = only_common(table, np.ones(len(table.raters), dtype=bool))
    _check(table, level, engine)
    if engine == "krippendorff" and resample != "items":
        raise RatingsError("engine='krippendorff' resamples items only; use engine='own' to resample raters.")
    if table.counts()["n_raters"] < 2:
        raise RatingsError(f"α needs at least two raters; there is only {table.raters[table.rater[0]]!r}.")

    parts = table.parts()
    tables = [*parts, table] if len(parts) > 1 else parts
    units = [_units(one) for one in tables]
    alphas = np.array([_alpha(*pair, level, engine) for pair in zip(tables, units, strict=True)])
    in_parts = alphas[: len(parts)]
    values = np.array([mean_defined(in_parts), *alphas])
    boot = boot.within(clusters, table.items)
    draw = _package_draw(tables, level) if engine == "krippendorff" else _own_draw(tables, units, level)
    width = max(resampling_width(one, level, len(table.items)) for one in units)
    whole, *entries = _entries(table, values, draw, boot, width)
    counts = [one.counts() | _pairable_counts(of_one) for one, of_one in zip(tables, units, strict=True)]
    undefined = int(np.isnan(in_parts).sum())
    warn_undefined(undefined, f"α is undefined for {undefined} categories: no item with two ratings, or no variation")
    result = {
        **whole,
        **counts[-1],
        "n_categories": len(parts),
        "n_undefined": undefined,
        "per_category": {name: entries[i] | counts[i] for i, name in enumerate(table.categories)},
        "pooled": entries[-1],
        "coverage": table.coverage(),
        "level": level,
        "engine": engine,
        **boot.population,
    }
    return result | ({"upstream": _upstream(ratings, level, boot)} if upstream else {})


def _pairable_counts(units: Units) -> dict[str, int]:
    return {"n_units": len(units.start), "n_pairable": int(units.count.sum())}


def _entries(table: Table, values: Floats, draw: Draw, boot: Bootstrap, width: int) -> list[dict[str, Any]]:
    """α with its interval: the mean over categories, each category and, of several, all together."""
    if not boot:
        return [{"krippendorff_alpha": float(alpha)} for alpha in values]
    positives, n_parts = positives_of(table), len(table.categories)
    middle = np.median(positives)

    def draw_all(of_items: Any, of_raters: Any) -> Floats:
        drawn = draw(of_items, of_raters)
        return np.vstack([mean_defined(drawn[:n_parts], axis=0), drawn])

    found = intervals(
        boot,
        values,
        draw_all,
        n_items=len(table.items),
        raters=np.bincount(table.rater, minlength=len(table.raters)),
        scale="tanh",
        positives=np.array([middle, *positives, *([middle] if n_parts > 1 else [])]),
        width=width,
    )
    return [{"krippendorff_alpha": float(alpha)} | one for alpha, one in zip(values, found, strict=True)]


def _own_draw(tables: list[Table], units: list[Units], level: str) -> Draw:
    """α of resamples, [tables, resamples]; all tables have the same items and raters."""
    who: list[Ints] = []

    def draw(of_items: Any, of_raters: Any) -> Floats:
        if of_raters is None:
            return np.stack([resampled_alpha(one, of_items, level) for one in units])
        who.extend(map(raters_by_cell, [] if who else tables))
        return np.stack([resampled_raters(one, of, of_raters, level) for one, of in zip(units, who, strict=True)])

    return draw


def _package_draw(tables: list[Table], level: str) -> Draw:
    matrices = [_unit_matrix(table) for table in tables]

    def draw(of_items: Any, _: Any) -> Floats:
        times = of_items.astype(np.int64)
        return np.array(
            [
                [package_alpha(np.repeat(matrix, row[item], axis=1), level) for row in times]
                for matrix, item in matrices
            ]
        )

    return draw


def _upstream(ratings: Any, level: str, boot: Bootstrap) -> dict[str, Any]:
    """α with items as raters and raters as units, of target votes only, all categories together and each by itself."""
    frame, n_left_out = frame_of(ratings, "ratings"), 0
    if frame is not None and "step" in frame:
        contrastive = frame["step"].eq(0).fillna(False).to_numpy(dtype=bool)
        ratings, n_left_out = frame[~contrastive], int(contrastive.sum())
    table = read_ratings(ratings)
    tables = [table, *table.parts()]
    units = [pairable(one.rater, one.rating) for one in tables]
    draws = _turned_draws(tables, units, level, boot) if boot else [None] * len(tables)
    whole, *parts = (
        {"krippendorff_alpha": alpha_of_units(one, level)}
        | (percentile_interval(drawn, boot.confidence) if boot else {})
        for one, drawn in zip(units, draws, strict=True)
    )
    return whole | {"n_left_out": n_left_out, "per_category": dict(zip(table.categories, parts, strict=True))}


def _turned_draws(tables: list[Table], units: list[Units], level: str, boot: Bootstrap) -> list[Any]:
    """α of resamples of the items, each rater a unit; an item drawn twice forms no pairs with itself."""
    whose = [by_cell(table.rater, table.rating, table.item) for table in tables]
    kept = [np.unique(items, return_inverse=True) for items in whose]  # the items of a category only
    found = [
        [resampled_raters(one, item, counts[:, items], level) for one, (items, item) in zip(units, kept, strict=True)]
        for counts in resamples(len(tables[0].items), boot.n, boot.seed)
    ]
    return list(np.concatenate(found, axis=1))


class KrippendorffAlpha(TakesTables, evaluate.Metric):
    """α as an `evaluate` metric."""

    _compute = staticmethod(analyse)

    def _info(self) -> evaluate.MetricInfo:
        return metric_info(analyse, CITATION, "https://repository.upenn.edu/asc_papers/43", **FEATURES)
