"""Many seeded runs, and a table of what became of them."""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults import tiny
from tests.faults.scenario import KINDS, Outcome, World, play, record
from tests.hub_server import Faults, Hub, running


@contextmanager
def world(work: Path) -> Iterator[World]:
    """A Hub for stories."""
    (work / "objects").mkdir(parents=True)
    tokens = {tiny.OWNER: "owner", tiny.READER: "reader"}
    hub = Hub(work / "objects", tokens=tokens, page_size=3)
    faults = Faults(hub, slow=2.5)
    with running(hub, faults) as url:
        yield World(hub, faults, url)


def _share(seeds: range, kind: str | None) -> None:
    """One worker: its seeds, one line each."""
    with tempfile.TemporaryDirectory() as folder, world(Path(folder) / "hub") as stage:
        for seed in seeds:
            outcome = play(stage, seed, Path(folder), kind)
            print(record(outcome), flush=True)
            if outcome.broken:
                _explain(outcome)


def _explain(outcome: Outcome) -> None:
    for name, done in (("first", outcome.first), ("rerun", outcome.second)):
        print(f"--- seed {outcome.story.seed}, {name} run, status {done.status}\n{done.said}", file=sys.stderr)


def main() -> None:
    """Share the seeds among processes and add up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=224)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kind", choices=KINDS, help="only this kind of fault")
    parser.add_argument("--share", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    last = args.first + args.runs
    if args.share is not None:
        return _share(range(args.first + args.share, last, args.jobs), args.kind)
    start = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "tests.faults",
        f"--runs={args.runs}",
        f"--first={args.first}",
        f"--jobs={args.jobs}",
    ]
    workers = [
        subprocess.Popen(
            [*command, *([f"--kind={args.kind}"] if args.kind else []), f"--share={share}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in range(args.jobs)
    ]
    lines = [line for worker in workers for line in worker.communicate()[0].splitlines()]
    status = max(worker.returncode for worker in workers)
    raise SystemExit(_table(lines, args.runs, time.monotonic() - start) or status)


def _table(lines: list[str], runs: int, seconds: float) -> int:
    outcomes = [json.loads(line) for line in lines]
    table = collections.Counter((one["kind"], one["became"]) for one in outcomes)
    for (kind, became), count in sorted(table.items()):
        print(f"{kind:10} {became:24} {count:4}")
    broken = [one for one in outcomes if one["broken"]]
    for one in broken:
        print(f"seed {one['seed']} ({one['kind']}): {one['broken']}")
    met = sum(one["became"] != "fault not met" for one in outcomes)
    print(f"{len(outcomes)} runs, the fault happened in {met}, {len(broken)} broke a promise; {seconds:.0f} s")
    return int(bool(broken) or len(outcomes) != runs)


if __name__ == "__main__":
    main()
