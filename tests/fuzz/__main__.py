"""Five minutes of damaged files: `python -m tests.fuzz --count 500 --seed 0`."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.fuzz.run import names, run


def main() -> int:
    """Run every target, print what went wrong, and return how much did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="cases of each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", choices=names(), action="append", help="only this target; repeatable")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    chosen = args.only or names()
    bad = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda name: run(name, args.seed, args.count, args.first), chosen)
        for name, found in zip(chosen, results, strict=True):
            print(f"{name}: {args.count} cases, {len(found)} bad", flush=True)
            for case in found:
                print(f"--- {name}, seed {case.seed}, case {case.number}\n{case.text}\n", flush=True)
            bad += len(found)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
