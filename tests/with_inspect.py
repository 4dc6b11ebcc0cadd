"""`make test-matrix`: Inspect runs our tasks on the demo release, over a local Hub, against a local chat server.

    python tests/with_inspect.py [--folder .matrix]

Inspect is installed beside the environment, since its pydantic and Gradio's exclude each other. The server refuses
some questions and withholds some answers. Every number must equal that of `emohub rate` and `emohub report` with the
same server, and what failed must be in the denominator.
"""

import argparse
import base64
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.data.emojis import ALL_LABELS
from emohub.rate.run import rate_dataset
from emohub.release.build import build_release
from emohub.report.item import Settings
from emohub.results.measures import MEASURES
from emohub.results.recompute import computed
from emohub.sample import write_sample
from tests.hub_server import serve
from tests.rate.behaviours import right
from tests.rate.chat_server import Asked, Reply, completion, serving

ROOT = Path(__file__).parents[1]
NEEDED = "inspect-ai==0.3.285"
CLOSE = 1e-9
FILTERED = {"error": {"message": "content_filter", "code": "content_filter", "type": "invalid_request_error"}}


QUESTIONS = """[release]
title = "Questions"
version = "1.0.0"
namespace = "demo-org"
[datasets.emonet-face-questions]
script = "emonet-face"
source = "emonet-face"
splits = "emonet-face/splits.csv"
configs = ["binary_questions"]
allow_partial = true
"""


def lot(asked: Asked, salt: str = "") -> int:
    """A number that follows from the question alone, from 0 to 99."""
    return int(hashlib.sha256((salt + asked.key).encode()).hexdigest(), 16) % 100


def verified(asked: Asked) -> Reply:
    """Yes or no with log-probabilities."""
    share = (lot(asked, "yes") + 1) / 102
    top = [
        {"token": word, "logprob": math.log(p), "bytes": None, "top_logprobs": []}
        for word, p in (("Yes", share), ("No", 1 - share))
    ]
    found = completion("Yes")
    found["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return Reply(body=found)


def labelled(asked: Asked) -> Reply:
    """A rating for every label that the question names."""
    labels = [one for one in ALL_LABELS if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", asked.text)]
    ratings = {label: (lot(asked, label)) % 4 for label in labels}
    return Reply(body=completion(json.dumps({"ratings": ratings})))


# task → (dataset, its config, protocol, how the server answers)
TASKS: dict[str, tuple[str, str, str, Callable[[Asked], Reply]]] = {
    "hq": ("emonet-face", "hq", "zero-shot", lambda asked: Reply(body=completion(json.dumps(right(asked))))),
    "binary": ("emonet-face", "binary", "verify", verified),
    "chehre": ("chehre", "videos", "label-ratings", labelled),
}


def misbehaving(answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """The same with refusals and withheld answers, the same ones each time."""

    def reply(asked: Asked) -> Reply:
        if (number := lot(asked)) < 8:
            return Reply(status=400, body=FILTERED)
        return Reply(body=completion("I'm sorry, but I can't help with that.")) if number < 16 else answer(asked)

    return reply


def with_inspect(place: Path, name: str, url: str, hub: str, work: Path) -> tuple[dict[str, float], int]:
    """(metric → value, how many samples were scored)."""
    options = ["-T", f"dataset=demo-org/{TASKS[name][0]}", "--max-retries", "0", "--no-score-display"]
    return run_inspect(place, f"emohub/{name}", url, hub, work / name, options)


def run_inspect(
    place: Path, task: str, url: str, hub: str, log: Path, options: list[str]
) -> tuple[dict[str, float], int]:
    """The same for any task."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(place), str(ROOT))),
        "HF_ENDPOINT": hub,
        "HF_HOME": str(log.parent / "home"),
        "LOCAL_BASE_URL": url,
        "LOCAL_API_KEY": "none",
        "INSPECT_DISPLAY": "none",
    }
    environment.pop("HF_HUB_OFFLINE", None)
    command = [sys.executable, "-m", "inspect_ai", "eval", task, *options]
    command += ["--model", "openai-api/local/tiny", "--log-dir", str(log), "--log-format", "json"]
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    (file,) = log.glob("*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    if found["status"] != "success":
        sys.exit(f"{task}: {found['error']}")
    (scores,) = found["results"]["scores"]
    return {key: one["value"] for key, one in scores["metrics"].items()}, scores["scored_samples"]


def with_emohub(dataset: Path, name: str, url: str, work: Path) -> dict[str, float]:
    """The same by `emohub rate` and `emohub report`."""
    _, config, protocol, _ = TASKS[name]
    out = work / f"{name}-rated"
    options = {"url": (url,)}
    record = rate_dataset(str(dataset), "openai:tiny", out, config=config, protocol=protocol, rater_options=options)
    records = computed(str(dataset), [out], Settings(bootstrap=2), whole=True).records()
    of = {one["id"]: one["value"] for one in records if one["rater"] == record["rater"]["name"]}
    named = {one.id: one.records[0].format(rater=record["rater"]["name"]) for one in MEASURES if one.records}
    found = {measure: of[id] for measure, id in named.items() if id in of}
    counts = record["counts"]
    return found | {"answered": counts["parsed"] / counts["asked"]}


def check(place: Path, release: Path, name: str, work: Path) -> tuple[str, bool]:
    """One task: the line to print about it, and whether all is well."""
    folder = release / "datasets" / TASKS[name][0]
    with serving(misbehaving(TASKS[name][3])) as (url, chat), serve({f"demo-org/{TASKS[name][0]}": folder}) as hub:
        ours, samples = with_inspect(place, name, url, hub, work)
        asked = len(chat.asked)
        theirs = with_emohub(folder, name, url, work)
    if name == "binary":  # `rate` asks about all 40 emotions, the task about those that are decided
        theirs["answered"] = ours["answered"]
    equal = all(abs(value - theirs[key]) < CLOSE for key, value in ours.items())
    shown = ", ".join(f"{key} {value:.4f}" for key, value in ours.items())
    well = equal and len(ours) > 1 and samples == asked and 0.5 < ours["answered"] < 1
    return f"inspect {name:7} {samples} samples, {shown}: {'equal' if equal else 'NOT EQUAL'}", well


def from_eval_yaml(place: Path, raw: Path, work: Path) -> tuple[str, bool]:
    """The questions, by nothing of ours but the repo on the Hub."""
    name = "demo-org/emonet-face-questions"
    (raw / "questions.toml").write_text(QUESTIONS, encoding="utf-8")
    build_release(raw / "questions.toml", work / "questions")
    folder = work / "questions" / "datasets" / "emonet-face-questions"
    right = pd.concat(map(pd.read_parquet, (folder / "binary_questions").glob("*.parquet")))
    said: list[bool] = []

    def reply(asked: Asked) -> Reply:
        said.append(lot(asked) < 60)
        return Reply(body=completion("Yes." if said[-1] else "no"))

    with serving(reply) as (url, chat), serve({name: folder}) as hub:
        found, samples = run_inspect(place, f"hf/{name}", url, hub, work / "hf", [])
        of = {asked.pictures[0]: yes for asked, yes in zip(chat.asked, said, strict=True)}
    sent = [hashlib.sha256(base64.b64decode(uri.partition(",")[2])).hexdigest() for uri in right["image_uri"]]
    share = sum(of[key] == (target == "yes") for key, target in zip(sent, right["target"], strict=True)) / len(right)
    well = samples == len(right) and abs(found["mean"] - share) < CLOSE
    return f"inspect hf/{name}: {samples} samples, mean {found['mean']:.4f}: {'equal' if well else 'NOT EQUAL'}", well


def main() -> None:
    """Install Inspect, build the demo's release, run the three tasks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", help="where Inspect is installed")
    place = parser.parse_args().folder / "inspect"
    if not (place / ".ready").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--target", str(place), "--upgrade", NEEDED], check=True)
        (place / ".ready").touch()
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder) / "raw")
        release = Path(folder) / "release"
        build_release(Path(folder) / "raw" / "release.toml", release)
        results = [check(place, release, name, Path(folder)) for name in TASKS]
        results.append(from_eval_yaml(place, Path(folder) / "raw", Path(folder)))
    print("\n" + "\n".join(line for line, _ in results))
    sys.exit(not all(well for _, well in results))


if __name__ == "__main__":
    main()
