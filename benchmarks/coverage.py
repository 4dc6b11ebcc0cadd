"""How often intervals that say 95 % hold the value of the population: metric × items × shape × population.

    python benchmarks/coverage.py --write          # the tables of docs/metrics.md and the cards; 20 minutes, 2 cores
    python benchmarks/coverage.py --studies 50 --metrics krippendorff_alpha

Every study is simulated with a known truth, rated, and given to the metric as a user would. A cell is the share of its
intervals that hold the truth, in percent, then how many of the studies got an interval at all where that is below 90 %
(the others got a reason). Beside it stand the percentile and the BCa interval of the same resamples, on all studies
where they are defined: what the metric would give without its rule. A cell that comes out below 92 % is measured again
with five times as many studies, and that counts: 400 know a share to ± 1.4 only. (SciPy's bootstrap resamples copies
of the items, not the counts with which the metrics compute, so its intervals would be of other resamples.)

Shapes: `normal` (ratings 0–7 around a normal true value), `skew` (a quarter of the items is not zero, as in
EmoNet-Face HQ), `rare` (6 %), `mixed` (the mean over ten categories of which 5 to 30 % are not zero).
Populations: `items` (the same four raters), `clusters` (of five items that are alike, the same four raters),
`raters` (the same items, eight raters drawn from many), `both` with four and with eight raters.
"""

import argparse
import importlib
import multiprocessing
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SHARES = {"normal": [1.0], "skew": [0.25], "rare": [0.06], "mixed": list(np.linspace(0.05, 0.3, 10))}
ITEMS = (30, 100, 500)
POPULATIONS = {
    "items": ("items", 4),
    "clusters": ("items", 4),
    "raters": ("raters", 8),
    "both, 4": ("both", 4),
    "both, 8": ("both", 8),
}
RESAMPLES = 200
CLUSTER = 5  # items
FLOOR = 92.0
AGAIN = 5  # times as many studies for a cell below the floor: 400 know a share to ± 1.4 only
START, END = "<!-- coverage -->", "<!-- /coverage -->"


@dataclass(frozen=True)
class World:
    """Raters with a bias and a noise each; items with a true value in each category."""

    shape: str
    bias: np.ndarray
    noise: np.ndarray

    @staticmethod
    def drawn(rng: np.random.Generator, shape: str, raters: int) -> "World":
        """Raters out of a population."""
        return World(shape, rng.normal(0, 0.5, raters), rng.uniform(0.7, 1.7, raters))

    def items(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """[items, categories] true values; below zero where there is nothing to see."""
        if self.shape == "normal":
            return rng.normal(3.5, 1.5, (n, 1))
        shown = rng.random((n, len(SHARES[self.shape]))) < SHARES[self.shape]
        return np.where(shown, rng.uniform(1.5, 6.5, shown.shape), -2.0)

    def clustered(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Likewise; five items in a row are of one cluster, and nearly the same."""
        of_clusters = np.repeat(self.items(rng, n // CLUSTER), CLUSTER, axis=0)
        return np.where(of_clusters < 0, of_clusters, of_clusters + rng.normal(0, 0.3, of_clusters.shape))

    def rated(self, rng: np.random.Generator, true: np.ndarray) -> np.ndarray:
        """[raters, items, categories] 0–7; where there is nothing to see, one rating in fifty is wrong."""
        seen = (
            true
            + self.bias[:, None, None]
            + self.noise[:, None, None] * rng.normal(size=(len(self.bias), *true.shape))
        )
        wrong = np.where(rng.random(seen.shape) < 0.02, rng.integers(1, 4, seen.shape), 0)
        return np.clip(np.round(np.where(true < 0, wrong, seen)), 0, 7)


Key = tuple[str, str, int, str]  # metric, shape, items, population
Found = dict[Key, tuple[dict[str, Any], float]]  # shares in percent, and the share of studies with an interval
Study = Callable[[World, np.random.Generator, np.ndarray], dict[str, Any]]


def agreement(world: World, rng: np.random.Generator, true: np.ndarray) -> dict[str, Any]:
    return {"ratings": world.rated(rng, true)}


def model_and_humans(world: World, rng: np.random.Generator, true: np.ndarray) -> dict[str, Any]:
    predicted = np.where(true < 0, rng.normal(0, 0.4, true.shape), true + rng.normal(0, 1.5, true.shape))
    return {"predictions": predicted, "references": world.rated(rng, true)}


def samples_and_humans(world: World, rng: np.random.Generator, true: np.ndarray) -> dict[str, Any]:
    model = World(world.shape, np.zeros(5), np.full(5, 0.8))
    return {"predictions": model.rated(rng, true), "references": world.rated(rng, true), "splits": 0}


def choice_of_five(world: World, rng: np.random.Generator, true: np.ndarray) -> dict[str, Any]:
    """Five candidates an item; the shape does not matter."""
    values = rng.normal(1.5, 1.5, (len(true), 5))
    humans = np.clip(np.round(World("normal", world.bias, world.noise).rated(rng, values)), 0, 3)
    return {"predictions": values + rng.normal(0, 1.5, values.shape), "references": humans, "k": 2}


METRICS: dict[str, tuple[Study, tuple[str, ...]]] = {
    "krippendorff_alpha": (agreement, ("normal", "skew", "rare", "mixed")),
    "weighted_kappa": (agreement, ("normal", "skew", "rare", "mixed")),
    "rating_correlation": (model_and_humans, ("normal", "skew", "rare", "mixed")),
    "spread_ratio": (samples_and_humans, ("normal", "skew", "rare")),
    "dominant_expression": (choice_of_five, ("normal",)),
}


def percentile_and_bca(call: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Both intervals of the first value of a call of `intervals`, from its own resamples of the items."""
    value, boot, n = call["values"][0], call["boot"], call["n_items"]
    drawn = np.concatenate([call["draw"](counts, None)[0] for counts in boot.item_draws(n)])
    drawn = drawn[~np.isnan(drawn)]
    away = value - np.concatenate([call["draw"](boot.without_items(n), None)[0]])
    away = np.nan_to_num(away - np.nanmean(away))
    spread = (away**2).sum()
    if len(drawn) < 20 or np.isnan(value) or not spread:
        return [np.nan, np.nan], [np.nan, np.nan]
    bias = stats.norm.ppf(np.clip((drawn < value).mean() + (drawn == value).mean() / 2, 0.001, 0.999))
    skew = (away**3).sum() / (6 * spread**1.5)
    tails = stats.norm.ppf([0.025, 0.975]) + bias
    corrected = stats.norm.cdf(bias + tails / (1 - skew * tails))
    return list(np.quantile(drawn, [0.025, 0.975])), list(np.quantile(drawn, corrected))


def truth(analyse: Any, name: str, study: Study, shape: str, named: str) -> float:
    """The value on very many items; where raters are a sample, the mean over many draws of as many raters."""
    rng, (population, raters) = np.random.default_rng(1), POPULATIONS[named]
    worlds = [fixed(shape, raters)] if population == "items" else [World.drawn(rng, shape, raters) for _ in range(60)]
    n = 60_000 if population == "items" else 6_000
    true = World.clustered if named == "clusters" else World.items
    return float(np.mean([analyse(**study(one, rng, true(one, rng, n)))[name] for one in worlds]))


def fixed(shape: str, raters: int) -> World:
    return World.drawn(np.random.default_rng(5), shape, raters)


def cell(task: tuple[str, str, int, str, int]) -> tuple[Any, ...]:
    """Coverage of one cell."""
    metric, shape, n, named, studies = task
    warnings.simplefilter("ignore")
    study, _ = METRICS[metric]
    module: Any = importlib.import_module(f"metrics.{metric}.{metric}")
    caller: Any = module if hasattr(module, "intervals") else importlib.import_module(f"metrics.{metric}.averages")
    population, raters = POPULATIONS[named]
    own, calls = caller.intervals, []

    def recorded(boot: Any, values: Any, draw: Any, **options: Any) -> Any:
        calls.append({"boot": boot, "values": values, "draw": draw} | options)
        return own(boot, values, draw, **options)

    caller.intervals = recorded
    of_all = truth(module.analyse, metric, study, shape, named) if population != "raters" else None
    hits: dict[str, list[bool]] = {"own": [], "percentile": [], "bca": []}
    for seed in range(studies):
        rng = np.random.default_rng([seed, n])
        world = fixed(shape, raters) if population == "items" else World.drawn(rng, shape, raters)
        true = world.clustered(rng, n) if named == "clusters" else world.items(rng, n)
        given = study(world, rng, true) | ({"clusters": list(np.arange(n) // CLUSTER)} if named == "clusters" else {})
        calls.clear()
        result = module.analyse(**given, bootstrap=RESAMPLES, seed=seed, resample=population)
        target = of_all
        if target is None:  # the same items, and the same answers of the model
            others = (World.drawn(rng, shape, raters) for _ in range(40))
            target = float(
                np.nanmean([module.analyse(**given | again(study, one, rng, true))[metric] for one in others])
            )
        within = {"own": result["interval"]}
        if named == "items":
            within["percentile"], within["bca"] = percentile_and_bca(calls[0])
        for kind, ends in within.items():
            if ends and not np.isnan(ends[0]):
                hits[kind].append(ends[0] <= target <= ends[1])
    caller.intervals = own
    shares = {kind: 100 * float(np.mean(held)) if len(held) >= studies / 10 else None for kind, held in hits.items()}
    return metric, shape, n, named, shares, len(hits["own"]) / studies


def again(study: Study, world: World, rng: np.random.Generator, true: np.ndarray) -> dict[str, Any]:
    """The ratings of other raters of the same items."""
    made = study(world, rng, true)
    return {name: made[name] for name in ("ratings", "references") if name in made}


def tasks(metrics: list[str], studies: int) -> list[tuple[str, str, int, str, int]]:
    """Every cell. Raters alone are measured at 100 items: the truth needs another forty studies per study.

    `choice_of_five` draws its candidates with the raters, and so has neither clusters nor the same items again.
    """
    return [
        (metric, shape, n, population, studies)
        for metric in metrics
        for shape in METRICS[metric][1]
        for population in POPULATIONS
        for n in ITEMS
        if metric != "dominant_expression" or population not in ("raters", "clusters")
        if population != "raters" or n == 100
    ]


def shown(share: float | None, given: float = 1.0) -> str:
    return "–" if share is None else f"{share:.0f}" + (f" (of {100 * given:.0f} %)" if given < 0.9 else "")


def low(found: Found) -> list[Key]:
    """The cells whose intervals hold the truth less often than the floor."""
    return [key for key, (shares, _) in found.items() if shares["own"] is not None and shares["own"] < FLOOR]


def rows_of(found: Found) -> list[list[str]]:
    """[metric, shape, population, three cells, percentile, BCa]; without those in which no study got an interval."""
    order = [(metric, shape, named) for metric in sorted(METRICS) for shape in SHARES for named in POPULATIONS]
    rows = []
    for key in order:
        cells = [found.get((*key[:2], n, key[2]), ({}, 1.0)) for n in ITEMS]
        if any(shares.get("own") is not None for shares, _ in cells):
            own = [shown(shares.get("own"), given) for shares, given in cells]
            others = [" / ".join(shown(shares.get(kind)) for shares, _ in cells) for kind in ("percentile", "bca")]
            rows.append([*key, *own, *(others if key[2] == "items" else ["", ""])])
    return rows


def table_of(rows: list[list[str]], first: int = 0) -> str:
    """The rows in Markdown, from one of their columns on."""
    head = ["metric", "shape", "population", *(f"N = {n}" for n in ITEMS), "percentile", "BCa"][first:]
    rows = [[f"`{row[0]}`", *row[1:]][first:] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])


def write(rows: list[list[str]]) -> None:
    """Put the tables between the marks of the docs and of the cards."""
    texts = {ROOT / "docs/metrics.md": table_of(rows)}
    for metric in METRICS:
        texts[ROOT / "metrics" / metric / "README.md"] = table_of([row for row in rows if row[0] == metric], 1)
    for path, text in texts.items():
        before, mark, rest = path.read_text("utf-8").partition(START)
        after = rest.partition(END)
        if not mark or not after[1]:
            raise ValueError(f"{path} has no {START} … {END} to write the table to.")
        path.write_text(f"{before}{mark}\n{text}{END}{after[2]}", "utf-8")


def main() -> int:
    """Measure, and print the table in Markdown; 1 if an interval covers less than the floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--metrics", nargs="*", default=list(METRICS), choices=list(METRICS))
    parser.add_argument("--populations", nargs="*", default=list(POPULATIONS), choices=list(POPULATIONS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the tables; needs all metrics and populations")
    options = parser.parse_args()
    every = [task for task in tasks(options.metrics, options.studies) if task[3] in options.populations]
    if options.write and len(every) < len(tasks(list(METRICS), 1)):
        parser.error("--write needs all metrics and populations")
    found: Found = {}
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for done, (*key, shares, given) in enumerate(pool.imap_unordered(cell, every), 1):
            found[tuple(key)] = shares, given
            print(f"{done}/{len(every)} {key}: {shares}", file=sys.stderr, flush=True)
        for *key, shares, given in pool.imap_unordered(cell, [(*key, AGAIN * options.studies) for key in low(found)]):
            found[tuple(key)] = shares, given
            print(f"again {key}: {shares}", file=sys.stderr, flush=True)
    rows = rows_of(found)
    print(table_of(rows))
    below = "; ".join(f"{key}: {found[key][0]['own']:.1f}" for key in low(found))
    print(f"Below {FLOOR:.0f} %: {below or 'none'} ({options.studies} studies a cell)")
    if options.write:
        write(rows)
    return bool(below)


if __name__ == "__main__":
    raise SystemExit(main())
