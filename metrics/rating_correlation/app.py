"""The Space of the rating correlation."""

from pathlib import Path

import evaluate
import gradio as gr
import pandas as pd
from matplotlib.figure import Figure
from page import bars, build, counts_of, headline, launch
from page_table import split_model

METRIC = evaluate.load(str(Path(__file__).with_name("rating_correlation.py")))

EXAMPLE = """item,category,Ann,Bo,Cem,model
face 1,joy,6,5,7,5.2
face 2,joy,0,1,0,0.4
face 3,joy,3,2,2,2.9
face 4,joy,5,5,4,3.8
face 5,joy,1,0,0,1.1
face 1,awe,1,0,2,0.3
face 2,awe,0,0,0,0.8
face 3,awe,4,6,5,2.2
face 4,awe,2,3,1,2.6
face 5,awe,7,5,6,4.0
"""


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
    text = headline("Mean Spearman's ρ", result["rating_correlation"], result.get("interval"), counts_of(result))
    return (
        text,
        details,
        bars(names, values, intervals, label="Spearman's ρ with the human median", reference=1),
    )


PAGE = build(
    Path(__file__).parent,
    METRIC,
    "Rating correlation",
    "Spearman's ρ of a model's ratings with the median of the humans', per category and on average.",
    EXAMPLE,
    [
        gr.Textbox("model", label="Name of the model among the raters"),
        gr.Dropdown(["categories", "items", "raters", "both"], value="items", label="What is resampled"),
        gr.Slider(0, 2000, value=1000, step=100, label="Bootstrap resamples"),
    ],
    run,
)

if __name__ == "__main__":
    launch(PAGE)
