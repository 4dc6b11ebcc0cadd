"""`emohub rate` against bare httpx2: the same questions to the same server, at the same concurrency.

    python -m benchmarks.bench_rate [--questions 10000] [--concurrency 32] [--rounds 3]

The server runs in a process of its own on 127.0.0.1 and answers every chat completion at once. Bare httpx2 is what
somebody would write by hand: an `AsyncClient`, as many tasks as questions at once, the picture encoded once, the
answer parsed as JSON and kept in a list. `emohub rate` reads the pictures from Parquet, renders and hashes every
question, writes each answer to its journal and reads it. Both are timed without the start of Python and its imports,
in a fresh process; sides take turns at going first, and the ratio is the median of the rounds' ratios. Memory is the
peak of the process of `rate`, for a quarter of the questions and for all.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.sources import answering

ROOT = Path(__file__).parents[1]
PER_ITEM = 40  # questions of the protocol `verify` about one image
YES, NO = ({"token": name, "logprob": math.log(share)} for name, share in (("Yes", 0.75), ("No", 0.25)))
CHOICE = {
    "index": 0,
    "finish_reason": "stop",
    "message": {"role": "assistant", "content": "Yes"},
    "logprobs": {"content": [{**YES, "top_logprobs": [YES, NO]}]},
}
BARE = """
import asyncio, base64, json, resource, sys, time
import httpx2
from emohub.data.parquet import find_rows, read_rows
from emohub.data.taxonomy import NAMES
dataset, url, concurrency, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
async def main():
    found = []
    def questions():
        for item, data in read_rows(find_rows(dataset, "hq").splits["test"]):
            picture = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
            for name in NAMES:
                yield picture, f"Does the face express {name}? Answer with one word, yes or no."
    waiting = questions()
    async def work(client):
        for picture, text in waiting:
            content = [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": text}]
            body = {"model": "m", "messages": [{"role": "user", "content": content}], "temperature": 0.0,
                    "max_tokens": 1, "logprobs": True, "top_logprobs": 20}
            response = await client.post(f"{url}/chat/completions", json=body)
            found.append(response.json()["choices"][0])
    limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx2.AsyncClient(limits=limits, trust_env=False, timeout=120) as client:
        await asyncio.gather(*(work(client) for _ in range(concurrency)))
    return len(found)
start = time.perf_counter()
count = asyncio.run(main())
seconds = time.perf_counter() - start
print(json.dumps([count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""
RATE = """
import json, resource, sys, time
from pathlib import Path
from emohub.rate.concurrent import Limits
from emohub.rate.run import rate_dataset
import emohub.rate.raters.openai, emohub.rate.protocols.verify
dataset, url, concurrency, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
start = time.perf_counter()
record = rate_dataset(dataset, "openai:m", Path(out), config="hq", protocol="verify", rater_options={"url": [url]},
                      limits=Limits(concurrency), with_probe=False)
seconds = time.perf_counter() - start
print(json.dumps([record["counts"]["parsed"], seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""
SIDES = {"bare httpx2": BARE, "emohub rate": RATE}


def make_dataset(source: Path, folder: Path, items: int) -> Path:
    """The demo's HQ, its images repeated under new ids until there are so many."""
    made = folder / f"emonet-face-{items}"
    (made / "hq").mkdir(parents=True)
    (file,) = (source / "hq").glob("*.parquet")
    table = pq.read_table(file)
    taken = table.take([number % len(table) for number in range(items)])
    ids = pa.array([f"{number:05d}" for number in range(items)])
    taken = taken.set_column(taken.schema.get_field_index("item"), "item", ids)
    pq.write_table(taken, made / "hq" / "test-00000-of-00001.parquet", row_group_size=32)
    (made / "build.json").write_bytes((source / "build.json").read_bytes())
    (made / "README.md").write_text(
        "---\nconfigs:\n- config_name: hq\n  data_files:\n  - split: test\n    path: hq/test-*\n---\n"
    )
    return made


def run(script: str, *arguments: object) -> tuple[int, float, int]:
    """Questions, seconds and peak memory in MB of one side."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    count, seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return count, seconds, memory


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dataset", type=Path, default=ROOT / "release/datasets/emonet-face", help="make demo makes it"
    )
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, answering(CHOICE, tokens=1) as url:
        dataset = make_dataset(given.dataset, Path(folder), given.questions // PER_ITEM)
        ratios, memory = [], 0
        for number in range(given.rounds):
            order = list(SIDES) if number % 2 else list(SIDES)[::-1]
            found = {name: run(SIDES[name], dataset, url, given.concurrency, f"{folder}/{number}") for name in order}
            assert {count for count, _, _ in found.values()} == {given.questions}
            rates = {name: count / seconds for name, (count, seconds, _) in found.items()}
            ratios.append(rates["emohub rate"] / rates["bare httpx2"])
            memory = found["emohub rate"][2]
            print("  ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()), f"ratio {ratios[-1]:.2f}")
        quarter = make_dataset(given.dataset, Path(folder), given.questions // PER_ITEM // 4)
        _, _, less = run(RATE, quarter, url, given.concurrency, f"{folder}/quarter")
        print(f"median ratio {statistics.median(ratios):.2f} of bare httpx2, {given.questions:,} questions")
        print(f"peak memory {memory} MB, {less} MB for a quarter of the questions")


if __name__ == "__main__":
    main()
