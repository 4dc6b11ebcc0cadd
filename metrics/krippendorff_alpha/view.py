"""What the page of Krippendorff's alpha shows; runs in the processes that compute."""

from pathlib import Path

import evaluate
import pandas as pd
from matplotlib.figure import Figure
from page_result import bars, counts_of, headline

METRIC = evaluate.load(str(Path(__file__).with_name("krippendorff_alpha.py")))


def run(table: pd.DataFrame, level: str, bootstrap: float) -> tuple[str, pd.DataFrame, Figure]:
    """α of a pasted table: headline, categories, bars."""
    result = METRIC.compute(ratings=table, level=level, bootstrap=int(bootstrap))
    entries = result["per_category"] | ({"all together": result["pooled"]} if result["n_categories"] > 1 else {})
    names = [name or "all ratings" for name in entries]
    intervals = [entry.get("interval") for entry in entries.values()]
    values = [entry["krippendorff_alpha"] for entry in entries.values()]
    details = pd.DataFrame(
        {
            "category": names,
            "α": values,
            "low": [interval[0] if interval else None for interval in intervals],
            "high": [interval[1] if interval else None for interval in intervals],
            "units": [entry.get("n_units", result["n_units"]) for entry in entries.values()],
        }
    )
    text = headline("Krippendorff's α", result["krippendorff_alpha"], result, counts_of(result))
    return text, details, bars(names, values, intervals, label=f"Krippendorff's α, {level}", reference=1)
