"""The Space of the Spread Ratio."""

from pathlib import Path

import evaluate
import gradio as gr
import pandas as pd
from matplotlib.figure import Figure
from page import bars, build, counts_of, headline, launch
from page_table import split_model

METRIC = evaluate.load(str(Path(__file__).with_name("spread_ratio.py")))

EXAMPLE = """item,category,Ann,Bo,Cem,Dua,model#1,model#2,model#3
clip 1,happy,3,2,1,3,2,2,3
clip 1,proud,0,1,2,1,1,1,1
clip 2,happy,0,0,1,3,1,0,1
clip 2,proud,3,2,3,1,2,2,2
clip 3,happy,1,2,0,1,1,2,1
clip 3,proud,0,0,0,0,0,0,0
clip 4,happy,2,3,3,1,3,2,3
clip 4,proud,1,0,2,2,1,1,2
"""


def run(table: pd.DataFrame, model: str, variant: str, bootstrap: float) -> tuple[str, pd.DataFrame, Figure]:
    """Spread Ratio of a pasted table: headline, variants and baselines, bars."""
    predictions, references = split_model(table, model)
    result = METRIC.compute(predictions=predictions, references=references, variant=variant, bootstrap=int(bootstrap))
    human = result["human_reference"]
    rows = [
        (f"model ({variant})", result["spread_ratio"], result.get("interval"), False),
        *((f"model ({name})", value, None, False) for name, value in result["variants"].items() if name != variant),
        ("humans against humans", human["spread_ratio"], human["interval"], True),
        *((f"baseline: {name.replace('_', ' ')}", value, None, True) for name, value in result["baselines"].items()),
    ]
    names, values, intervals, grey = zip(*rows, strict=True)
    details = pd.DataFrame(
        {
            "what": names,
            "Spread Ratio": values,
            "low": [interval[0] if interval else None for interval in intervals],
            "high": [interval[1] if interval else None for interval in intervals],
        }
    )
    counts = {"energy distance": result["energy_distance"]} | counts_of(result)
    text = headline("Spread Ratio", result["spread_ratio"], result.get("interval"), counts)
    return text, details, bars(names, values, intervals, label="Spread Ratio", reference=1, grey=grey)


PAGE = build(
    Path(__file__).parent,
    METRIC,
    "Spread Ratio",
    "Does a model disagree with itself as much as humans disagree with each other? 1 is human-like, 0 deterministic.",
    EXAMPLE,
    [
        gr.Textbox("model", label="Name of the model among the raters"),
        gr.Dropdown(["variance", "gmd", "profile", "choice"], value="variance", label="Variant"),
        gr.Slider(0, 2000, value=1000, step=100, label="Bootstrap resamples"),
    ],
    run,
)

if __name__ == "__main__":
    launch(PAGE)
