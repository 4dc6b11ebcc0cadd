"""The Space of the dominant expression."""

from pathlib import Path

import evaluate
import gradio as gr
import pandas as pd
from matplotlib.figure import Figure
from page import bars, build, counts_of, headline, launch
from page_table import split_model

METRIC = evaluate.load(str(Path(__file__).with_name("dominant_expression.py")))

EXAMPLE = """item,category,Ann,Bo,Cem,model
clip 1,happy,3,2,3,2.4
clip 1,proud,1,1,2,1.9
clip 1,shy,0,0,1,0.2
clip 2,happy,0,1,0,1.2
clip 2,proud,2,3,3,1.0
clip 2,shy,1,0,0,0.6
clip 3,happy,1,0,1,0.1
clip 3,proud,0,0,0,0.4
clip 3,shy,3,3,2,2.8
clip 4,happy,2,2,1,1.5
clip 4,proud,2,2,1,1.7
clip 4,shy,0,0,0,0.3
"""


def run(
    table: pd.DataFrame, model: str, candidates: str, k: float, bootstrap: float
) -> tuple[str, pd.DataFrame, Figure]:
    """The scores of a pasted table: headline, scores beside baselines, bars."""
    predictions, references = split_model(table, model)
    result = METRIC.compute(
        predictions=predictions, references=references, candidates=candidates, k=int(k), bootstrap=int(bootstrap)
    )
    scores = result["scores"]
    rows = [
        (f"{spoken(name)}, {source}", entry[key], entry.get("interval") if key == "value" else None, grey)
        for name, entry in scores.items()
        for key, source, grey in (("value", "model", False), ("random", "random", True), ("prior", "prior", True))
    ]
    details = pd.DataFrame(
        {
            "score": [spoken(name) for name in scores],
            **{key: [entry[key] for entry in scores.values()] for key in ("value", "random", "prior")},
            "low": [entry["interval"][0] if bootstrap else None for entry in scores.values()],
            "high": [entry["interval"][1] if bootstrap else None for entry in scores.values()],
            "items": [entry["n_items"] for entry in scores.values()],
        }
    )
    counts = {"mean candidates": result["mean_candidates"]} | counts_of(result)
    text = headline("Top-1 (split)", result["dominant_expression"], result.get("interval"), counts)
    names, values, intervals, grey = zip(*rows, strict=True)
    return (
        text,
        details,
        bars(names, values, intervals, label="score (model, a random order, the prior)", grey=grey),
    )


def spoken(name: str) -> str:
    """The name of a score for people: top1_split → top-1 split."""
    return name.replace("_", " ").replace("top", "top-").replace("ndcg", "nDCG")


PAGE = build(
    Path(__file__).parent,
    METRIC,
    "Dominant expression",
    "Does a model name the category that humans see most? Every score is shown with a random order and the prior.",
    EXAMPLE,
    [
        gr.Textbox("model", label="Name of the model among the raters"),
        gr.Dropdown(["rated", "all"], value="rated", label="Candidates"),
        gr.Slider(1, 10, value=2, step=1, label="k of top-k"),
        gr.Slider(0, 2000, value=1000, step=100, label="Bootstrap resamples"),
    ],
    run,
)

if __name__ == "__main__":
    launch(PAGE)
