"""What the page of the dominant expression shows; runs in the processes that compute."""

from pathlib import Path

import evaluate
import pandas as pd
from matplotlib.figure import Figure
from page_result import bars, counts_of, headline
from page_table import split_model

METRIC = evaluate.load(str(Path(__file__).with_name("dominant_expression.py")))


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
            "low": [(entry.get("interval") or [None])[0] for entry in scores.values()],
            "high": [(entry.get("interval") or [None])[-1] for entry in scores.values()],
            "items": [entry["n_items"] for entry in scores.values()],
        }
    )
    counts = {"mean candidates": result["mean_candidates"]} | counts_of(result)
    text = headline("Top-1 (split)", result["dominant_expression"], result, counts)
    names, values, intervals, grey = zip(*rows, strict=True)
    return (
        text,
        details,
        bars(names, values, intervals, label="score (model, a random order, the prior)", grey=grey),
    )


def spoken(name: str) -> str:
    """The name of a score for people: top1_split → top-1 split."""
    return name.replace("_", " ").replace("top", "top-").replace("ndcg", "nDCG")
