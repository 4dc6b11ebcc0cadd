"""The leaderboard with 200 raters of EmoNet-Face HQ: size of the page and time to first paint in Chromium.

Beside it the same headline table in `gradio.Dataframe`, which is what a Space would use otherwise: first paint of the
application, and the time until the table can be seen. Medians of ten openings, each in a fresh context.

    python -m benchmarks.bench_leaderboard
"""

import gzip
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

from emohub.data.runs import write_json
from emohub.data.taxonomy import NAMES
from emohub.hub.folders import hub_folder
from emohub.hub.process import free_port
from emohub.results.entry import FORMAT, Entry, items_digest

RATERS, TRIES = 200, 10
SPACE = hub_folder("spaces", "leaderboard")
GROUPS = {
    "gender": ("man", "woman", "non-binary"),
    "age": tuple(map(str, range(20, 90, 10))),
    "ethnicity": ("African", "Asian", "European", "Latino", "Middle Eastern"),
}
BESIDE = """
import json, os, gradio as gr
rows = json.load(open("rows.json"))
with gr.Blocks() as page:
    gr.Dataframe(rows, headers=["Rater", "Value", "Low", "High", "Kind", "Protocol", "Items"], interactive=False)
page.launch(ssr_mode=False)
"""


def entry_of(number: int, rng: random.Random) -> Entry:
    """An invented entry: one in ten raters is a person who rated a part, one in ten a baseline."""
    kind = {0: "human", 1: "baseline"}.get(number % 10, "vlm" if number % 2 else "model")
    skill = {"human": 0.5, "baseline": 0.02}.get(kind, rng.uniform(0.05, 0.6))
    rated = 600 if kind == "human" else 2500

    def score(measure: str, by: str, part: str, value: float) -> dict:
        width = 0.02 if not by else 0.08
        whole = {} if by else {"method": "invented", "population": "invented"}
        ends = [value - width, value + width]
        return {
            "measure": measure,
            "by": by,
            "part": part,
            "id": f"{measure}.{by}.{part}.rater {number}",
            "value": value,
            "interval": ends,
            "no_interval": None,
            "n": rated,
            **whole,
        }

    scores = []
    for measure in ("hq_kappa_w", "hq_rho"):
        scores.append(score(measure, "", "", skill))
        scores += [score(measure, "emotion", name, skill + rng.gauss(0, 0.1)) for name in NAMES]
        for attribute, groups in GROUPS.items():
            scores += [score(measure, "group", f"{attribute}.{one}", skill + rng.gauss(0, 0.05)) for one in groups]
    return Entry.model_validate(
        {
            "format": FORMAT,
            "rater": {
                "name": f"rater {number}",
                "kind": kind,
                "group": "invented",
                "protocol": "zero-shot" if kind == "vlm" else None,
            },
            "dataset": {
                "name": "lab/emonet-face",
                "study": "EmoNet-Face HQ",
                "config": "hq_ratings",
                "revision": "0123456789abcdef" * 2 + "01234567",
            },
            "items": {
                "rated": rated,
                "total": 2500,
                "sha256": items_digest([str(number if kind == "human" else "all")]),
            },
            "ratings": None,
            "run": None,
            "settings": {"bootstrap": 1000, "seed": 42, "confidence": 0.95},
            "versions": ["numpy 2.4.6"],
            "scores": scores,
        }
    )


def write_entries(folder: Path, raters: int = RATERS) -> list[Entry]:
    """A results dataset of invented raters."""
    rng = random.Random(0)
    entries = [entry_of(number, rng) for number in range(raters)]
    for entry in entries:
        file = folder / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, entry.model_dump(mode="json"))
    return entries


def row_of(entry: Entry) -> list[object]:
    """The row of a rater in the first table."""
    score, rater = entry.scores[0], entry.rater
    return [rater.name, score.value, *(score.interval or ()), rater.kind, rater.protocol, entry.items.rated]


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[str]:
    """A Gradio application that answers."""
    port = free_port()
    address = {"GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", **environment}
    command, quiet = [sys.executable, "app.py"], subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=os.environ | address, stdout=quiet, stderr=quiet)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(600):
            try:
                urlopen(url).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def seconds(url: str, wanted: str) -> tuple[float, float]:
    """(first paint, until a text is seen), medians of several openings."""
    paints, seen = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(TRIES):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            started = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.get_by_text(wanted, exact=True).first.wait_for()
            seen.append(time.perf_counter() - started)
            page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
            page.context.close()
        browser.close()
    return statistics.median(paints), statistics.median(seen)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        entries = write_entries(folder / "results")
        beside = folder / "beside"
        beside.mkdir()
        rows = [row_of(entry) for entry in entries]
        (beside / "rows.json").write_text(json.dumps(rows))
        (beside / "app.py").write_text(BESIDE)
        with served(SPACE, SPACE_SETTINGS=json.dumps({"results": str(folder / "results")})) as url:
            page = urlopen(url).read()
            ours = seconds(url, "rater 2")
        with served(beside) as url:
            theirs = seconds(url, "rater 2")
    small = len(gzip.compress(page, 6))
    print(f"page of {RATERS} raters x {len(NAMES)} emotions: {len(page):,} bytes, {small:,} gzipped")
    print(f"leaderboard:      first paint {ours[0]:.2f} s, table seen after {ours[1]:.2f} s")
    print(f"gradio.Dataframe: first paint {theirs[0]:.2f} s, table seen after {theirs[1]:.2f} s")
    print(f"ratio: {theirs[0] / ours[0]:.1f} x to first paint, {theirs[1] / ours[1]:.1f} x until the table is seen")


if __name__ == "__main__":
    main()
