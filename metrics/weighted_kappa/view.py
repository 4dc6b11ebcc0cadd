"""What the page of weighted kappa shows; runs in the processes that compute."""

from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from page_result import counts_of, headline, number, visible

METRIC = evaluate.load(str(Path(__file__).with_name("weighted_kappa.py")))


def run(table: pd.DataFrame, weights: str, non_integer: str, bootstrap: float) -> tuple[str, pd.DataFrame, Figure]:
    """κ_w of a pasted table: headline, pairs, heat map."""
    result = METRIC.compute(ratings=table, weights=weights, non_integer=non_integer, bootstrap=int(bootstrap))
    details = pd.DataFrame(
        {
            "raters": " – ".join(pair["raters"]),
            "weighted kappa": pair["weighted_kappa"],
            "interval": " to ".join(map(number, pair.get("interval") or [])),
            "common ratings": pair["n_ratings"],
        }
        for pair in result["per_pair"]
    )
    text = headline("Weighted kappa", result["weighted_kappa"], result, counts_of(result))
    return text, details, heat_map(result)


def heat_map(result: dict[str, Any]) -> Figure:
    """κ_w of every pair of raters."""
    names = list(result["per_rater"])
    shown = [visible(name) for name in names]
    cells = np.full((len(names), len(names)), np.nan)
    for pair in result["per_pair"]:
        first, second = (names.index(name) for name in pair["raters"])
        cells[first, second] = cells[second, first] = pair["weighted_kappa"]
    side = min(12.0, 2.5 + 0.5 * len(names))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(cells, vmin=-1, vmax=1, cmap="RdBu")
    axes.set_xticks(range(len(names)), shown, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), shown)
    if len(names) <= 15:
        for (row, column), value in np.ndenumerate(cells):
            if row != column:
                text, ink = (
                    (number(float(value)), "white" if abs(value) > 0.5 else "black")
                    if value == value
                    else ("–", "black")
                )
                axes.text(column, row, text, ha="center", va="center", color=ink)
    axes.set_title("Agreement of every pair of raters", fontsize="medium")
    figure.colorbar(image, label="weighted kappa")
    return figure
