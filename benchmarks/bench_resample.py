"""Intervals over raters, and over both, beside those over items: every metric, at the size of HQ.

    python -m benchmarks.bench_resample [--items 2500] [--draws 1000]

8 people of whom 4 rated each image, a model that was asked three times, 40 emotions. Every number is the seconds of
one `compute` with intervals; the ratio is to that with intervals over items. One thread.
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
from threadpoolctl import threadpool_limits

METRICS = Path(__file__).parents[1] / "metrics"
PEOPLE, PER_IMAGE, SAMPLES, EMOTIONS = 8, 4, 3, 40


def inputs(items: int) -> tuple[np.ndarray, np.ndarray]:
    """Ratings of people [raters, items, categories] and of a model [samples, items, categories], 0 to 7."""
    rng = np.random.default_rng(0)
    truth = np.maximum(rng.normal(0, 3, (1, items, EMOTIONS)), 0)
    people = np.clip(np.rint(truth + rng.normal(0, 1.5, (PEOPLE, items, EMOTIONS))), 0, 7)
    asked = np.argsort(rng.random((PEOPLE, items)), axis=0) < PER_IMAGE
    people[~asked] = np.nan
    return people, np.clip(np.rint(truth + rng.normal(0, 1, (SAMPLES, items, EMOTIONS))), 0, 7)


def main() -> None:
    """Print a line for each metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2_500)
    parser.add_argument("--draws", type=int, default=1_000)
    args = parser.parse_args()
    people, model = inputs(args.items)
    both = {"predictions": model, "references": people}
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "weighted_kappa": ("weighted_kappa", {"ratings": people}),
        "krippendorff_alpha": ("krippendorff_alpha", {"ratings": people}),
        "krippendorff_alpha, ordinal": ("krippendorff_alpha", {"ratings": people, "level": "ordinal"}),
        "rating_correlation": ("rating_correlation", both),
        "spread_ratio": ("spread_ratio", both),
        "dominant_expression": ("dominant_expression", both),
    }
    for what, (name, ratings) in given.items():
        metric, seconds = evaluate.load(str(METRICS / name)), {}
        for resample in ("items", "raters", "both"):
            start = time.perf_counter()
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                metric.compute(**ratings, bootstrap=args.draws, resample=resample)
            seconds[resample] = time.perf_counter() - start
        shown = ", ".join(f"{over} {took:.2f} s (× {took / seconds['items']:.2f})" for over, took in seconds.items())
        print(f"{what:28} {shown}", flush=True)


if __name__ == "__main__":
    main()
