"""Load on a running Space: many clients at once, good and bad files; memory and disk must stay flat.

    python -m tests.spaces.load --clients 40 --requests 2000

It starts the Space with a tiny model, so that what is measured is the Space and not the tower.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil

from tests.spaces.conftest import ROOT, SPACE, start
from tests.spaces.odd_files import BAD, GOOD
from tests.spaces.tiny_model import write_tiny_model

KINDS = {
    **{f"{name}.jpg": (SPACE / "examples" / f"{name}.jpg").read_bytes() for name in ("anger", "group", "landscape")},
    **{name: GOOD[name]() for name in ("sixteen.png", "animated.gif")},
    **{name: BAD[name][0]() for name in ("corrupt.jpg", "bomb.png", "text.png")},
}
UNUSED = 10  # every so often a file is sent and never scored
SETTINGS = {"requests_per_minute": 1_000_000, "waiting": 1000, "forget_minutes": 0.5}


async def ask(client: httpx.AsyncClient, url: str, number: int) -> tuple[str, float]:
    """Send one file and wait for its answer: what became of it, and the seconds that took."""
    name = list(KINDS)[number % len(KINDS)]
    data = KINDS[name] + number.to_bytes(4, "big")  # else all clients share one file
    begun = time.monotonic()
    sent = await client.post(f"{url}gradio_api/upload", files={"files": (name, data)})
    if number % UNUSED == 0:
        return "unused", time.monotonic() - begun
    file = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
    called = await client.post(f"{url}gradio_api/call/predict", json={"data": [file, False]})
    answer = await client.get(f"{url}gradio_api/call/predict/{called.json()['event_id']}")
    kind = "scored" if "event: complete" in answer.text else "refused" if "event: error" in answer.text else "lost"
    return kind, time.monotonic() - begun


def state(pid: int, folder: Path) -> dict[str, float]:
    """Resident memory of the server in MB, its child processes, files and MB in its temporary folder."""
    server = psutil.Process(pid)
    temporary = [path for path in (folder / "temp").rglob("*") if path.suffix != ".lock"]
    files = [path.stat().st_size for path in temporary if path.is_file()]
    return {
        "memory": server.memory_info().rss / 1e6,
        "children": len(server.children(recursive=True)),
        "files": len(files),
        "disk": sum(files) / 1e6,
    }


async def load(url: str, pid: int, folder: Path, clients: int, requests: int) -> tuple[Counter[str], list, list]:
    """Ask `requests` times over `clients` connections; outcomes, seconds, and states along the way."""
    numbers, outcomes, seconds, states = iter(range(requests)), Counter[str](), list[float](), [state(pid, folder)]

    async def one() -> None:
        async with httpx.AsyncClient(timeout=600) as client:
            for number in numbers:
                kind, took = await ask(client, url, number)
                outcomes[kind] += 1
                seconds.append(took)
                if len(seconds) % max(1, requests // 10) == 0:
                    states.append(state(pid, folder))
                    print(f"{len(seconds):>6}", {k: round(v, 1) for k, v in states[-1].items()}, flush=True)

    await asyncio.gather(*(one() for _ in range(clients)))
    return outcomes, seconds, states


def main() -> int:
    """Run the load and say whether memory and disk stayed flat."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--requests", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_tiny_model(folder / "model")
        command = [sys.executable, "-m", "emohub.cli", "space", "--model", str(folder / "model")]
        space, process = start(
            command, folder, folder / "run", PYTHONPATH=str(ROOT), SPACE_SETTINGS=json.dumps(SETTINGS)
        )
        try:
            outcomes, seconds, states = asyncio.run(
                load(space.url, space.pid, folder / "run", given.clients, given.requests)
            )
            time.sleep(90)  # what was sent and never used goes after half a minute, looked at every quarter
            last = state(space.pid, folder / "run")
        finally:
            process.terminate()
            process.wait()
    print(dict(outcomes), f"median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    print("at the end", {k: round(v, 1) for k, v in last.items()})
    middle = states[len(states) // 3]["memory"]
    flat = last["memory"] < 1.15 * middle + 50 and last["files"] == 0 and last["children"] == 0
    print("flat" if flat and not outcomes["lost"] else "NOT FLAT")
    return 0 if flat and not outcomes["lost"] else 1


if __name__ == "__main__":
    sys.exit(main())
