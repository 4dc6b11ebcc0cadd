"""What the page of the Spread Ratio shows; runs in the processes that compute."""

from pathlib import Path

import evaluate
import pandas as pd
from matplotlib.figure import Figure
from page_result import bars, counts_of, headline
from page_table import split_model

METRIC = evaluate.load(str(Path(__file__).with_name("spread_ratio.py")))


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
    text = headline("Spread Ratio", result["spread_ratio"], result, counts)
    return text, details, bars(names, values, intervals, label="Spread Ratio", reference=1, grey=grey)
