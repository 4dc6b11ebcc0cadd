"""One model beside its human references: its ratings on their items, averaged, and how many of them it covers."""

import warnings
from typing import Any

import numpy as np

from .checks import CoverageWarning, RatingsError
from .frames import TABLES, codes_of, frame_of, listed, require_columns
from .ratings import cell_means, numbers_of, read_ratings
from .table import Bools, Floats, Table, align


def read_model(predictions: Any, references: Table) -> tuple[Floats, int]:
    """One model's ratings, samples averaged, on the references' items and categories.

    Args:
        predictions: [items], [items, categories] or [samples, items, categories]; or a long table, repeated answers
            numbered in the column sample.
        references: what the model is compared with.

    Returns:
        ([items, categories], nan where there is no prediction; number of ratings of other items or categories).

    Raises:
        RatingsError: as `read_ratings`, or a table with several raters, or no shared item or category.
    """
    predictions = listed(predictions)
    frame = frame_of(predictions, "predictions")
    if frame is None:
        numbers = numbers_of(predictions, "predictions")
        if numbers.ndim not in (1, 2, 3):
            raise RatingsError(
                f"predictions have shape {list(numbers.shape)}; valid: [items], [items, categories], "
                f"[samples, items, categories]; or {TABLES}."
            )
        table = read_ratings(numbers if numbers.ndim == 3 else numbers[None], what="predictions")
    else:
        require_columns(frame, ("item", "rating"), "predictions")
        names = codes_of(frame, "rater", "predictions")[1] if "rater" in frame else ()
        if len(names) > 1:
            raise RatingsError(
                f"predictions hold {len(names)} raters, such as {list(names[:3])}; "
                "give one model at a time, and number its repeated answers in a column 'sample'."
            )
        table = read_ratings(frame.assign(rater="model"), what="predictions", samples=True)
    aligned = align(table, references)
    return cell_means(aligned, np.ones(len(aligned))), len(table) - len(aligned)


def compared_items(references: Table, answered: Bools, *, common_items: bool) -> tuple[Table, dict[str, Any]]:
    """The references on the items that a model answered, on request; otherwise a warning where it left some out.

    Args:
        references: the humans' ratings.
        answered: [items] whether the model has a rating of the item.
        common_items: whether the other items are taken away, so that baselines and human values are on the same ones.

    Returns:
        (the references, counts: `coverage` of the model and of each rater).

    Raises:
        RatingsError: the model answered none of the items.
    """
    rated = np.bincount(references.item, minlength=len(references.items)) > 0
    n_rated, n_answered = int(rated.sum()), int((rated & answered).sum())
    found = {"n_items": n_answered, "share": n_answered / n_rated}
    if n_answered < n_rated and not common_items:
        warnings.warn(
            f"The model has ratings of {n_answered:,} of the {n_rated:,} items that humans rated. Compare models on "
            "the same items; with common_items=True baselines and human values are on these items, too.",
            CoverageWarning,
            stacklevel=3,
        )
    kept = references.rows(answered[references.item]) if common_items else references
    if not len(kept):
        raise RatingsError("common_items=True leaves no item: the model has no rating of any that humans rated.")
    return kept, {"coverage": {"model": found, "raters": kept.coverage()}}
