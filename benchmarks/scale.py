"""How time, memory and bytes grow with the number of items, from 1,000 to the 203,201 images of BIG.

    python -m benchmarks.scale [--sizes 1000 10000 100000 203201] [--out scale] [--only embed …]

Every command runs in a process of its own, on what the commands before it made at that size; what was measured is in
OUT/measured.jsonl at once, so the same command goes on after an interruption. Pictures are small (about 1 kB), so that
all of it fits on a disk. Seconds are those of the clock; CPU seconds are those of the process and its children, from
which growth is computed. Both need a quiet machine: beside other work the same step took up to twice the CPU seconds.
Memory is the largest proportional set size (PSS) of the process and its children, looked at five times a second.
"""

import argparse
import json
import math
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks import sources
from benchmarks.bench_publish import TOKEN, serving
from benchmarks.measuring import Measured, measure
from emohub.data.taxonomy import NAMES

SIZES = (1_000, 10_000, 100_000, 203_201)
EMOHUB = [sys.executable, "-m", "emohub.cli", "-q"]
STREAM = """
import sys
from datasets import load_dataset
rows = load_dataset(sys.argv[1], "big", split="train", streaming=True)
print(sum(1 for row in rows))
"""
METRIC = """
import sys
from pathlib import Path
import evaluate, pyarrow.parquet as pq
name, folder, *tables = sys.argv[1:]
given = dict((table, pq.read_table(Path(folder, table).with_suffix(".parquet"))) for table in tables)
evaluate.load(str(Path("metrics", name))).compute(**given)
"""


Environment = dict[str, str]


@contextmanager
def _alone(folder: Path) -> Iterator[Environment]:
    yield {}


@contextmanager
def _with_a_release(folder: Path) -> Iterator[Environment]:
    sources.make_release(folder)
    yield {}


@contextmanager
def _beside_a_hub(folder: Path) -> Iterator[Environment]:
    sources.make_release(folder)
    with serving() as url:
        yield {"HF_ENDPOINT": url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}


@contextmanager
def _beside_a_server(folder: Path) -> Iterator[Environment]:
    content = json.dumps(dict.fromkeys(NAMES[:25], 3))
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    with sources.answering(choice, tokens=200) as url:
        yield {"URL": url}


@dataclass(frozen=True)
class Step:
    """One command at one size.

    Attributes:
        name: What the table calls it.
        command: Its words; `{0}` is the folder of the size, `{URL}` a variable.
        makes: What it writes, in that folder.
        most: The most items that there can be of this kind.
        around: What runs beside it; gives variables.
    """

    name: str
    command: Sequence[str]
    makes: str = ""
    most: int = SIZES[-1]
    around: Callable[[Path], AbstractContextManager[Environment]] = _alone


def _build(config: str, *more: str) -> list[str]:
    configs = [word for name in (config, *more) for word in ("--config", name)]
    source, out = f"{{0}}/{sources.FOLDER[config]}", f"{{0}}/repo-{config}"
    return [*EMOHUB, "build", "dataset", "emonet-face", "--source", source, "--allow-partial", "--out", out, *configs]


def _emohub(words: str) -> list[str]:
    return [*EMOHUB, *words.split()]


def _metric(name: str, *tables: str) -> Step:
    return Step(name, [sys.executable, "-c", METRIC, name, "{0}/ratings", *tables])


STEPS = (
    Step("build big", _build("big"), "repo-big"),
    Step("build binary", _build("binary", "binary_ratings"), "repo-binary", sources.BINARY_MOST),
    Step("build hq", _build("hq", "hq_ratings"), "repo-hq", sources.HQ_MOST),
    Step("check", _emohub("check {0}/release"), around=_with_a_release),
    Step("publish", _emohub("publish {0}/release --yes --no-check --verify files"), around=_beside_a_hub),
    Step("stream with load_dataset", [sys.executable, "-c", STREAM, "{0}/repo-big"]),
    Step(
        "embed, tiny tower",
        _emohub("embed {0}/repo-big --config big --model {0}/../model --trust-remote-code --out {0}/embeddings"),
        "embeddings",
    ),
    Step(
        "train, 2 epochs",
        _emohub(
            "train --embeddings {0}/embeddings --dataset {0}/repo-big --backbone {0}/../model --size small --epochs 2 "
            "--out {0}/trained"
        ),
        "trained",
    ),
    Step("rate, at random", _emohub("rate {0}/repo-big --config big --rater random --out {0}/random"), "random"),
    Step(
        "rate, by a server",
        _emohub(
            "rate {0}/repo-big --config big --rater openai:scripted --url {URL} --protocol zero-shot --concurrency 32 "
            "--no-probe --yes "
            "--out {0}/answers"
        ),
        "answers",
        around=_beside_a_server,
    ),
    Step("report", _emohub("report {0}/repo-hq --out {0}/report"), "report", sources.HQ_MOST),
    _metric("weighted_kappa", "ratings"),
    _metric("krippendorff_alpha", "ratings"),
    _metric("rating_correlation", "predictions", "references"),
    _metric("spread_ratio", "predictions", "references"),
    _metric("dominant_expression", "predictions", "references"),
)


def run(step: Step, folder: Path, shared: Path) -> Measured:
    """One command at one size, in place of what an earlier one wrote."""
    if step.makes:
        shutil.rmtree(folder / step.makes, ignore_errors=True)
    with step.around(folder) as variables:
        places = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HF_HOME": str(shared / "home")}
        command = [word.format(folder, **variables) for word in step.command]
        one = measure(command, {**os.environ, **places, **variables})
    files = (folder / step.makes).rglob("*") if step.makes else ()
    return replace(one, written=sum(path.stat().st_size for path in files if path.is_file()))


def measured_before(file: Path) -> dict[tuple[str, int], Measured]:
    """What an earlier run measured."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    found = {}
    for line in lines:
        entry = json.loads(line)
        key = entry.pop("step"), entry.pop("items")
        found[key] = Measured(**entry)
    return found


def exponent(points: list[tuple[int, float]]) -> float:
    """The slope of log time over log items between the largest two sizes, fixed costs taken away.

    The fixed cost is what a straight line through the smallest two sizes leaves for no item, and at least 0; where it
    is nearly all, the command does not grow at these sizes, and the exponent is 0.
    """
    (n0, t0), (n1, t1), *_ = points
    fixed = max(0.0, t0 - n0 * (t1 - t0) / (n1 - n0))
    (low, before), (high, after) = points[-2:]
    if before < 1.05 * fixed:
        return 0.0
    return math.log((after - fixed) / (before - fixed)) / math.log(high / low)


def lines_of(found: dict[tuple[str, int], Measured]) -> Iterator[str]:
    """The table in Markdown."""
    yield "| command | items | seconds | CPU seconds | items/s | peak memory, MB | written, MB | exponent |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for step in STEPS:
        rows = sorted((items, one) for (name, items), one in found.items() if name == step.name)
        slope = f"{exponent([(items, one.cpu) for items, one in rows]):.2f}" if len(rows) > 2 else ""
        for at, (items, one) in enumerate(rows):
            yield (
                f"| {step.name if not at else ''} | {items:,} | {one.seconds:,.1f} | {one.cpu:,.1f} | "
                f"{items / one.seconds:,.0f} | {one.peak / 1e6:,.0f} | {one.written / 1e6:,.1f} | "
                f"{slope if at == len(rows) - 1 else ''} |"
            )


def main() -> None:
    """Measure what was not measured yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--out", type=Path, default=Path("scale"))
    parser.add_argument("--only", nargs="+", default=[], help="steps whose names begin so")
    args = parser.parse_args()
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    file = out / "measured.jsonl"
    found = measured_before(file)
    for items in sorted(args.sizes):
        for step in STEPS:
            wanted = not args.only or any(step.name.startswith(name) for name in args.only)
            count = min(items, step.most)
            if not wanted or (step.name, count) in found:
                continue
            sources.prepare(out / str(items), items, out)
            found[step.name, count] = one = run(step, out / str(items), out)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"step": step.name, "items": count, **asdict(one)}) + "\n")
            print(f"{step.name}, {count:,}: {one.seconds:.1f} s, {one.peak / 1e6:,.0f} MB", flush=True)
    print(f"\n{platform.processor() or platform.machine()}, {os.cpu_count()} cores\n")
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
