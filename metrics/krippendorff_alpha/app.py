"""The Space of Krippendorff's alpha."""

from pathlib import Path

import evaluate
import gradio as gr
import pandas as pd
from matplotlib.figure import Figure
from page import bars, build, counts_of, headline, launch

METRIC = evaluate.load(str(Path(__file__).with_name("krippendorff_alpha.py")))

EXAMPLE = """unit,A,B,C,D
1,1,1,,1
2,2,2,3,2
3,3,3,3,3
4,3,3,3,3
5,2,2,2,2
6,1,2,3,4
7,4,4,4,4
8,1,1,2,1
9,2,2,2,2
10,,5,5,5
11,,,1,1
12,,3,,
"""


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
    text = headline("Krippendorff's α", result["krippendorff_alpha"], result.get("interval"), counts_of(result))
    return text, details, bars(names, values, intervals, label=f"Krippendorff's α, {level}", reference=1)


PAGE = build(
    Path(__file__).parent,
    METRIC,
    "Krippendorff's alpha",
    "Agreement of any number of raters, with gaps, corrected for chance. The example is Krippendorff's own.",
    EXAMPLE,
    [
        gr.Dropdown(["nominal", "ordinal", "interval", "ratio"], value="ordinal", label="Level of measurement"),
        gr.Slider(0, 2000, value=1000, step=100, label="Bootstrap resamples"),
    ],
    run,
)

if __name__ == "__main__":
    launch(PAGE)
