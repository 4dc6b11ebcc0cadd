"""Many annotators at once on two servers with one store (`make test-study`).

One server's clock jumps by hours. In the middle nothing can be written for a while, as on a full disk; then the other
server is killed, and started again.

Every annotator is a thread that asks, answers as the kind of study simulates, and sends an answer again, with the same
UUID and sometimes to the other server, until one acknowledges it: as the page does. At the end every acknowledged
answer must be in the store exactly once as it was given, and nothing else.
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil

from tests import patience
from tests.spaces.annotation.conftest import served, write_study

PAUSE = 0.2  # seconds before an answer is sent again
FULL = 2.0  # seconds that the disk is full


@dataclass
class Annotator:
    """One annotator: what was acknowledged, and how long each answer took."""

    study: Any
    servers: list[str]
    seed: int
    acknowledged: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    again: int = 0
    refused: int = 0
    token: str = ""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.http = httpx2.Client(timeout=patience.ANSWER, trust_env=False)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send until a server answers; a refusal is an error of this test."""
        while True:
            try:
                start = time.monotonic()
                server = self.rng.choice(self.servers)
                reply = self.http.post(f"{server}api/{path}", json=body or {}, headers={"x-token": self.token})
                if reply.status_code < 500:
                    assert reply.status_code == 200, reply.text
                    self.seconds += [time.monotonic() - start] if path == "answer" else []
                    found: dict[str, Any] = reply.json()
                    return found
                self.refused += 1
            except httpx2.TransportError:
                pass
            self.again += 1
            time.sleep(PAUSE)

    def join(self) -> dict[str, Any]:
        """Take part; returns the first turn."""
        self.token = self.post("join")["token"]
        return self.post("next")

    def answer(self, turn: dict[str, Any]) -> dict[str, Any]:
        """Answer a turn; returns the next."""
        task = turn["task"]
        question = self.study.question(self.study.items[task["item"]], task["step"], "anybody", task["sample"])
        raw = self.study.kind.simulate(question, self.rng)
        uuid = f"{self.rng.getrandbits(128):032x}"
        body = {"uuid": uuid, "task": task, "answer": raw, "seconds": 1.5, "touched": []}
        if self.rng.random() < 0.1:  # a double click
            self.post("answer", body)
        following = self.post("answer", body)
        self.acknowledged[uuid] = (task, raw)
        return following

    def work(self, goes_on: Callable[[], bool], pause: float = 0.0) -> None:
        """Answer while it goes on and there is something to answer."""
        turn = self.join()
        while goes_on() and turn["state"] == "task":
            turn = self.answer(turn)
            time.sleep(pause * self.rng.random())


def fill_disk(processes: list[subprocess.Popen]) -> None:
    """Let no file of the servers grow for a while; as on a full disk."""
    handles = [psutil.Process(process.pid) for process in processes]
    before = [handle.rlimit(psutil.RLIMIT_FSIZE) for handle in handles]
    for handle in handles:
        handle.rlimit(psutil.RLIMIT_FSIZE, (0, before[0][1]))
    time.sleep(FULL)
    for handle, limits in zip(handles, before, strict=True):
        handle.rlimit(psutil.RLIMIT_FSIZE, limits)


def play(
    folder: Path, annotators: int, goes_on: Callable[[int], bool], kill_at: Callable[[int], bool], items: int
) -> dict:
    """Let annotators work while everything happens to two servers; returns what was wrong and how it went.

    Args:
        folder: Where everything is written.
        annotators: How many.
        goes_on: Whether to go on, given how many answers were acknowledged.
        kill_at: Whether to fill the disk and to kill now, likewise.
        items: Of the study.
    """
    from service import Service
    from store import Store, sqlite_url
    from study import read_study

    file = write_study(folder / "study", "intensities", items=items, annotators=4, repeats=0.1, repeat_gap=3)
    store = folder / "study" / "try.sqlite"
    study = read_study(file)
    with ExitStack() as stack:
        first, process = stack.enter_context(served(file, folder / "a"))
        second, other = stack.enter_context(served(file, folder / "b", "jumping"))
        people = [Annotator(study, [first.url, second.url], number) for number in range(annotators)]

        def acknowledged() -> int:
            return sum(len(one.acknowledged) for one in people)

        work = {"goes_on": lambda: goes_on(acknowledged()), "pause": 0.2}
        threads = [threading.Thread(target=one.work, kwargs=work, daemon=True) for one in people]
        for thread in threads:
            thread.start()
        while not kill_at(acknowledged()) and any(thread.is_alive() for thread in threads):
            time.sleep(0.05)
        refused = sum(one.refused for one in people)
        fill_disk([process, other])
        refused = sum(one.refused for one in people) - refused
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        before = acknowledged()
        port = int(first.url.rsplit(":", 1)[1].strip("/"))
        stack.enter_context(served(file, folder / "c", port=port))
        for thread in threads:
            thread.join(patience.ANSWER)
        wrong = ["an annotator hangs"] if any(thread.is_alive() for thread in threads) else []
    answers = [one for one in Service(study, Store(sqlite_url(store), "try")).store.read() if one.event == "answer"]
    stored = {one.uuid.replace("-", ""): one for one in answers}
    given = {uuid: about for one in people for uuid, about in one.acknowledged.items()}
    wrong += ["one UUID twice"] * (len(answers) - len(stored))
    wrong += [f"acknowledged and not stored: {uuid}" for uuid in given.keys() - stored.keys()]
    wrong += [f"stored and not given: {uuid}" for uuid in stored.keys() - given.keys()]
    for uuid in given.keys() & stored.keys():
        (task, raw), one = given[uuid], stored[uuid]
        if (one.item, one.step, one.sample) != (task["item"], task["step"], task["sample"]) or one.data[
            "answer"
        ] != raw:
            wrong.append(f"stored otherwise than given: {uuid}")
    times = [seconds for one in people for seconds in one.seconds]
    return {
        "wrong": wrong,
        "answers": len(given),
        "before the kill": before,
        "refused on a full disk": refused,
        "sent again": sum(one.again for one in people),
        "median ms": round(1000 * statistics.median(times), 1),
    }


def main() -> int:
    """Play for a time, print what happened; returns 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotators", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    args = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="emohub-study-") as folder:
        found = play(
            Path(folder),
            args.annotators,
            lambda _: time.monotonic() - start < args.seconds,
            lambda _: time.monotonic() - start > args.seconds / 2,
            items=5000,
        )
    print(found)
    return bool(found["wrong"])


if __name__ == "__main__":
    sys.exit(main())
