"""kill -9 a run at random moments until it ends; its tables equal those of a run that nobody disturbed.

`python -m tests.rate.kills --runs 200 --seed 1` does it 200 times, each with another server; a sample is in the tests.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.rate.behaviours import mixed
from tests.rate.chat_server import serving

ITEMS, CONCURRENCY = 16, 4
SLOW = 0.01  # seconds of an answer, so that a kill finds questions under way
LONGEST = 60.0  # seconds for a run that nobody kills: a hang, not a slow machine

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["emohub.rate.run", "emohub.rate.raters.openai", "emohub.rate.protocols.zero_shot"])


def rate_once(dataset: str, url: str, out: str) -> None:
    """One run, in a process of its own."""
    from emohub.rate.concurrent import Limits
    from emohub.rate.retries import RetryPolicy
    from emohub.rate.run import rate_dataset

    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    rate_dataset(
        dataset,
        "openai:demo",
        Path(out),
        config="hq",
        limit=ITEMS,
        protocol="zero-shot",
        rater_options={"url": [url], "timeout": 30.0},
        limits=Limits(CONCURRENCY, retries=RetryPolicy(tries=6, wait=0.01, longest=0.02)),
        with_probe=False,
    )


@dataclass(frozen=True)
class Killed:
    """What became of one run.

    Attributes:
        kills: How often it was killed.
        repeated: Items that were asked again though the journal had closed them.
        differences: Tables that are not those of the quiet run.
    """

    kills: int
    repeated: list[str]
    differences: list[str]


def kill_and_compare(dataset: str, folder: Path, seed: int) -> Killed:
    """One run under kills, and one without, against servers that behave alike."""
    rng = random.Random(seed)
    quiet, killed = folder / f"quiet-{seed}", folder / f"killed-{seed}"
    with serving(mixed(seed)) as (url, _):
        assert _run(dataset, url, quiet, None) == 0, "the quiet run failed"
    kills, count = 0, dict[str, int]()  # item → requests about it when the journal had closed it
    with serving(mixed(seed, slow=SLOW)) as (url, server):
        while (status := _run(dataset, url, killed, rng.uniform(0.0, 0.4))) != 0:
            assert status == -signal.SIGKILL, f"the run ended with {status}"
            kills += 1
            closed = _closed(killed / "journal.sqlite")
            for item, picture in closed.items():
                count.setdefault(item, server.count[picture])
            if kills >= 8:  # let it end
                assert _run(dataset, url, killed, None) == 0
                break
        repeated = [item for item in count if server.count[PICTURES[item]] != count[item]]
    names = ("ratings.parquet", "failures.parquet", "extras.parquet")
    differences = [name for name in names if not _same(quiet / name, killed / name)]
    return Killed(kills, repeated, differences)


def _run(dataset: str, url: str, out: Path, kill_after: float | None) -> int | None:
    process = _context.Process(target=rate_once, args=(dataset, url, str(out)))
    process.start()
    end = time.monotonic() + LONGEST
    if kill_after is not None:
        journal = out / "journal.sqlite"
        while process.is_alive() and not journal.exists() and time.monotonic() < end:
            time.sleep(0.002)
        process.join(kill_after)
        if process.is_alive():
            process.kill()
    process.join(LONGEST)
    assert process.exitcode is not None, "the run hangs"
    return process.exitcode


def _closed(journal: Path) -> dict[str, str]:
    """Item → the picture that was sent, of what the journal has closed."""
    if not journal.exists():
        return {}
    with closing(sqlite3.connect(journal)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'answers'").fetchone():
            return {}  # killed before the journal was begun
        rows = db.execute(
            "SELECT item FROM answers WHERE final AND NOT (failure IN ('HTTP error', 'timeout'))"
        ).fetchall()
    return {item: PICTURES[item] for (item,) in rows}


PICTURES: dict[str, str] = {}  # see `learn_pictures`


def learn_pictures(dataset: str) -> None:
    """Item → SHA-256 of its image, which is sent as it is."""
    import hashlib

    from emohub.data.parquet import find_rows, read_rows

    for item, data in read_rows(find_rows(dataset, "hq").splits["test"]):
        PICTURES[item] = hashlib.sha256(data).hexdigest()


def _same(one: Path, other: Path) -> bool:
    left, right = (pd.read_parquet(path).drop(columns=["attempts"], errors="ignore") for path in (one, other))
    return left.equals(right)


def main() -> None:
    """Many runs, and the sum of what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help="folder of a built emonet-face")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    learn_pictures(given.dataset)
    kills = faults = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seed, given.seed + given.runs):
            found = kill_and_compare(given.dataset, Path(folder), seed)
            kills += found.kills
            if found.repeated or found.differences:
                faults += 1
                print(f"seed {seed}: {found}")
    print(f"{given.runs} runs, {kills} kills, {faults} with a fault")
    raise SystemExit(faults > 0)


if __name__ == "__main__":
    main()
