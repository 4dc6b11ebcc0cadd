"""Run many seeded faults in parallel, and print a table of the results."""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults import tiny
from tests.faults.scenario import KINDS, Outcome, Sandbox, run_scenario, to_json
from tests.faults.second_hub import SecondHub, running_second
from tests.hub_server import Faults, Hub, running
from tests.hub_server.tampering import OtherHost
from tests.serving import listening

TOKENS = {tiny.OWNER: "owner", tiny.READER: "reader"}


@contextmanager
def open_sandboxes(work: Path) -> Iterator[Callable[[int], Sandbox]]:
    """Both Hubs, and the choice between them by seed."""
    objects = [work / "first", work / "second"]
    for folder in objects:
        folder.mkdir(parents=True)
    first, second = Hub(objects[0], tokens=TOKENS, page_size=3), SecondHub(objects[1], tokens=TOKENS)
    elsewhere = OtherHost()
    with listening(elsewhere) as other:
        other = other.replace("127.0.0.1", "localhost")
        faults = [Faults(hub, slow=2.5, elsewhere=other) for hub in (first, second)]
        with running(first, faults[0]) as url, running_second(second, faults[1], elsewhere.headers) as second_url:
            sandboxes = [
                Sandbox(first, faults[0], url, elsewhere.headers),
                Sandbox(second, faults[1], second_url, elsewhere.headers),
            ]
            yield lambda seed: sandboxes[sum(divmod(seed, len(KINDS))) % 2]  # each kind meets both


def _share(seeds: range, kind: str | None) -> None:
    """One worker: its seeds, one line each."""
    with tempfile.TemporaryDirectory() as folder, open_sandboxes(Path(folder) / "hubs") as choose:
        for seed in seeds:
            outcome = run_scenario(choose(seed), seed, Path(folder), kind)
            print(to_json(outcome), flush=True)
            if outcome.violations:
                _explain(outcome)


def _explain(outcome: Outcome) -> None:
    for name, done in (("first", outcome.first), ("rerun", outcome.second)):
        print(f"--- seed {outcome.scenario.seed}, {name} run, status {done.status}\n{done.output}", file=sys.stderr)


def main() -> None:
    """Distribute the seeds over processes and collect the results."""
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
    command = [sys.executable, "-m", "tests.faults", *sys.argv[1:]]
    workers = [
        subprocess.Popen([*command, f"--share={share}"], stdout=subprocess.PIPE, text=True)
        for share in range(args.jobs)
    ]
    lines = [line for worker in workers for line in worker.communicate()[0].splitlines()]
    status = max(worker.returncode for worker in workers)
    raise SystemExit(_table(lines, args.runs, time.monotonic() - start) or status)


def _table(lines: list[str], runs: int, seconds: float) -> int:
    outcomes = [json.loads(line) for line in lines]
    table = collections.Counter((one["kind"], one["result"]) for one in outcomes)
    for (kind, result), count in sorted(table.items()):
        print(f"{kind:16} {result:24} {count:4}")
    failed = [one for one in outcomes if one["violations"]]
    for one in failed:
        print(f"seed {one['seed']} ({one['kind']}): {one['violations']}")
    injected = sum(one["result"] != "not injected" for one in outcomes)
    print(f"{len(outcomes)} runs, {injected} with a fault, {len(failed)} with a violation; {seconds:.0f} s")
    return int(bool(failed) or len(outcomes) != runs)


if __name__ == "__main__":
    main()
