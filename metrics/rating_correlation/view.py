"""What the page of the rating correlation shows; runs in the processes that compute."""

from pathlib import Path

import evaluate
import pandas as pd
from matplotlib.figure import Figure
from page_result import bars, counts_of, headline
from page_table import split_model

METRIC = evaluate.load(str(Path(__file__).with_name("rating_correlation.py")))


def run(table: pd.DataFrame, model: str, resample: str, bootstrap: float) -> tuple[str, pd.DataFrame, Figure]:
    """ρ of a pasted table: headline, categories, bars."""
    predictions, references = split_model(table, model)
    result = METRIC.compute(
        predictions=predictions, references=references, resample=resample, bootstrap=int(bootstrap)
    )
    entries = result["per_category"]
    names = [name or "all ratings" for name in entries]
    values = [entry["rho"] for entry in entries.values()]
    intervals = [entry.get("interval") for entry in entries.values()]
    details = pd.DataFrame(
        {
            "category": names,
            "ρ": values,
            "low": [interval[0] if interval else None for interval in intervals],
            "high": [interval[1] if interval else None for interval in intervals],
            "items": [entry["n_items"] for entry in entries.values()],
            "status": [entry["status"] for entry in entries.values()],
        }
    )
    text = headline("Mean Spearman's ρ", result["rating_correlation"], result, counts_of(result))
    return (
        text,
        details,
        bars(names, values, intervals, label="Spearman's ρ with the human median", reference=1),
    )
