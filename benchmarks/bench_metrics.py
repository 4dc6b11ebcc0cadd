"""κ_w and α beside what a user would call instead: scikit-learn in a loop over pairs, and the `krippendorff` package.

    python -m benchmarks.bench_metrics [--raters 22] [--items 2500] [--categories 40] [--measure 20] [--ratings N]

The table is as large as EmoNet-Face HQ: 22 raters, 2,500 items, 40 emotions, whole ratings 0–7, a fifth missing. Ours
is run in full (short runs five times, the median counts). The other side is measured on a part (`--measure` calls, ten
times as many for scikit-learn, spread over the table) and the rest is extrapolated from the median call, as the lines
say. Both sides run on one thread and are checked to agree. Memory is the highest resident set of a process that does
nothing else than make the table and compute, so that it includes Python, NumPy and evaluate.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

METRICS = Path(__file__).parents[1] / "metrics"
BOOTSTRAP = 1_000


def make_ratings(raters: int, items: int, categories: int) -> np.ndarray:
    """[raters, items, categories] whole ratings 0–7 around a truth, a fifth of the answers of each rater missing."""
    rng = np.random.default_rng(0)
    truth = np.maximum(rng.normal(0, 3, (1, items, categories)), 0)
    ratings = np.clip(np.rint(truth + rng.normal(0, 1.5, (raters, items, categories))), 0, 7)
    ratings[rng.random((raters, items)) < 0.2] = np.nan
    return ratings


def long_table(ratings: np.ndarray) -> pd.DataFrame:
    """The same ratings as a table with one row each and names as text."""
    rater, item, category = np.nonzero(~np.isnan(ratings))
    names = {"item": item, "rater": rater, "category": category}
    columns = {
        what: pd.Categorical.from_codes(codes, [f"{what} {number}" for number in range(codes.max() + 1)]).astype("str")
        for what, codes in names.items()
    }
    return pd.DataFrame(columns | {"rating": ratings[rater, item, category]})


def timed(call: Callable[[], Any], rounds: int = 1) -> tuple[Any, float]:
    """Result and seconds, the median of some rounds."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return result, median(seconds)


def our_kappa(args: argparse.Namespace) -> dict[str, Any]:
    """All pairs, all categories, with and without the bootstrap."""
    import evaluate

    metric, ratings = evaluate.load(str(METRICS / "weighted_kappa")), make_ratings(*args.size)
    pairwise_kappa = importlib.import_module(type(metric).__module__).pairwise_kappa
    matrices, bare = timed(lambda: [pairwise_kappa(ratings[:, :, category]) for category in range(args.size[2])], 5)
    _, plain = timed(lambda: metric.compute(ratings=ratings, scale=(0, 7)), 5)
    _, full = timed(lambda: metric.compute(ratings=ratings, scale=(0, 7), bootstrap=BOOTSTRAP))
    table = long_table(ratings)
    _, long = timed(lambda: metric.compute(ratings=table, scale=(0, 7)), 5)
    return {"bare": bare, "plain": plain, "long": long, "full": full, "value": float(matrices[0][0][0, 1])}


def our_alpha(args: argparse.Namespace) -> dict[str, Any]:
    """α of every category with the bootstrap, ordinal as well."""
    import evaluate

    metric, ratings = evaluate.load(str(METRICS / "krippendorff_alpha")), make_ratings(*args.size)
    point, plain = timed(lambda: metric.compute(ratings=ratings))
    seconds = {
        level: timed(partial(metric.compute, ratings=ratings, level=level, bootstrap=BOOTSTRAP))[1]
        for level in ("interval", "ordinal")
    }
    value = point["per_category"]["0"]["krippendorff_alpha"]
    return {"plain": plain, "full": seconds["interval"], "ordinal": seconds["ordinal"], "value": value}


def our_large_alpha(args: argparse.Namespace) -> dict[str, Any]:
    """α of one category with very many ratings, four of each item, real numbers."""
    import evaluate

    metric = evaluate.load(str(METRICS / "krippendorff_alpha"))
    rng = np.random.default_rng(0)
    ratings = rng.normal(0, 1, (4, args.ratings // 4))
    ratings += rng.normal(0, 1, args.ratings // 4)
    ratings = ratings.round(2, out=ratings)
    result, seconds = timed(lambda: metric.compute(ratings=ratings))
    return {"full": seconds, "value": result["krippendorff_alpha"]}


def sklearn_kappa(args: argparse.Namespace) -> dict[str, Any]:
    """Upstream's way: for every category and pair the shared items, then cohen_kappa_score."""
    from sklearn.metrics import cohen_kappa_score

    ratings = make_ratings(*args.size)
    calls = [(c, a, b) for c in range(args.size[2]) for a, b in combinations(range(args.size[0]), 2)]
    part = [calls[i] for i in np.linspace(0, len(calls) - 1, args.measure * 10).astype(int)]
    seconds, kappas = [], []
    for category, first, second in part:
        start = time.perf_counter()
        x, y = ratings[first, :, category], ratings[second, :, category]
        both = ~np.isnan(x) & ~np.isnan(y)
        x, y = x[both].astype(int), y[both].astype(int)
        kappas.append(float(cohen_kappa_score(x, y, weights="quadratic", labels=list(range(8)))))
        seconds.append(time.perf_counter() - start)
    return {"each": median(seconds), "calls": len(calls), "measured": len(part), "value": kappas[0]}


def package_alpha(args: argparse.Namespace) -> dict[str, Any]:
    """krippendorff.alpha of a category, and of resamples of its items."""
    import krippendorff

    ratings = make_ratings(*args.size)
    rng, seconds = np.random.default_rng(0), []
    for number in range(args.measure):
        category = ratings[:, :, number % args.size[2]]
        drawn = category[:, rng.integers(args.size[1], size=args.size[1])]
        call = partial(krippendorff.alpha, reliability_data=drawn, level_of_measurement="interval")
        seconds.append(timed(call)[1])
    each = median(seconds)
    check = krippendorff.alpha(reliability_data=ratings[:, :, 0], level_of_measurement="interval")
    return {"each": each, "calls": args.size[2] * (BOOTSTRAP + 1), "measured": args.measure, "value": float(check)}


SIDES = {call.__name__: call for call in (our_kappa, our_alpha, our_large_alpha, sklearn_kappa, package_alpha)}


def alone(name: str, argv: list[str]) -> dict[str, Any]:
    """Run one side in a process of its own; its result with the peak memory in MB."""
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    run = subprocess.run([sys.executable, __file__, *argv, "--side", name], capture_output=True, text=True, env=env)
    if run.returncode:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])


def main() -> None:
    """Measure both sides and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("raters", 22), ("items", 2_500), ("categories", 40), ("measure", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--ratings", type=int, default=10_000_000)
    parser.add_argument("--side", choices=SIDES)
    args = parser.parse_args()
    args.size = args.raters, args.items, args.categories
    if args.side:
        found = SIDES[args.side](args)
        print(json.dumps(found | {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    report(args, sys.argv[1:])


def line(what: str, ours: float, peer: str, slow: float) -> str:
    """One comparison."""
    return f"{what:50} ours {ours:7.2f} s   {peer} {slow:10,.1f} s   × {slow / ours:,.0f}"


def report(args: argparse.Namespace, argv: list[str]) -> None:
    """Run every side and compare."""
    pairs = args.raters * (args.raters - 1) // 2
    print(f"{args.raters} raters, {args.items:,} items, {args.categories} categories, {pairs} pairs; one thread")
    kappa, loop = alone("our_kappa", argv), alone("sklearn_kappa", argv)
    slow = loop["each"] * loop["calls"]
    told = f"{loop['measured']} of {loop['calls']:,} calls measured at {loop['each'] * 1e3:.2f} ms, extrapolated"
    print(line("κ_w of all pairs, array to array", kappa["bare"], "scikit-learn", slow))
    print(line("  evaluate's compute, table and checks too", kappa["plain"], "scikit-learn", slow))
    print(line("  compute from a long table of names", kappa["long"], "scikit-learn", slow))
    print(line(f"  compute with {BOOTSTRAP:,} resamples", kappa["full"], "scikit-learn", slow * (BOOTSTRAP + 1)))
    print(f"  peak memory {kappa['mb']:,.0f} MB; scikit-learn: {told}")
    alpha, package = alone("our_alpha", argv), alone("package_alpha", argv)
    for ours, theirs in ((kappa["value"], loop["value"]), (alpha["value"], package["value"])):
        if abs(ours - theirs) > 1e-10:
            raise SystemExit(f"The two sides disagree: {ours} and {theirs}")
    slow = package["each"] * package["calls"]
    print(line(f"α per category, compute with {BOOTSTRAP:,} resamples", alpha["full"], "krippendorff", slow))
    print(f"  (ordinal: ours {alpha['ordinal']:.2f} s; no bootstrap: ours {alpha['plain']:.2f} s)")
    print(
        f"  peak memory {alpha['mb']:,.0f} MB; krippendorff: {package['measured']} of {package['calls']:,} calls "
        f"measured at {package['each'] * 1e3:.1f} ms, extrapolated, {package['mb']:,.0f} MB"
    )
    large = alone("our_large_alpha", argv)
    print(
        f"α, {args.ratings:,} ratings  ours {large['full']:.1f} s, {large['mb']:,.0f} MB, value {large['value']:.4f}"
    )


if __name__ == "__main__":
    main()
