"""What a user types first, run in a fresh process with an empty cache and without this kit."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emohub.release.manifest import Kind

SECONDS = 1800
BEGIN = """
import json, sys
sys.modules["emohub"] = None  # importing it raises
id, *wanted = sys.argv[1:]
"""
# Kind → a script that gets the id and the `config/split` names, and prints what it saw as a JSON list.
SCRIPTS: dict[Kind, str] = {
    "dataset": """
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset
seen = []
there = [f"{c}/{s}" for c in get_dataset_config_names(id) for s in get_dataset_split_names(id, c)]
if missing := sorted({*wanted} - {*there}):
    raise SystemExit(f"the card promises {missing}, the Hub's splits are {there}")
for name in there:
    config, split = name.split("/")
    rows = list(load_dataset(id, config, split=split, streaming=True).take(1))
    if not rows:
        raise SystemExit(f"{name} has no row")
    seen.append(f"{name}: {len(rows[0])} columns")
print(json.dumps(seen))
""",
    "model": """
import math
from PIL import Image
from transformers import pipeline
answer = pipeline("image-classification", model=id, trust_remote_code=True)(Image.new("RGB", (64, 64)))
if not answer or not all(math.isfinite(one["score"]) for one in answer):
    raise SystemExit(f"the scores of a grey picture are {answer}")
print(json.dumps([f"pipeline: {len(answer)} labels"]))
""",
    "metric": """
import evaluate
metric = evaluate.load(id)
print(json.dumps([f"evaluate.load: {metric.name}"]))
""",
}


@dataclass(frozen=True)
class Seen:
    """What a stranger saw, or why not."""

    ok: bool
    lines: tuple[str, ...]


def visit(kind: Kind, id: str, splits: Sequence[str], endpoint: str, token: str | None) -> Seen:
    """Load one repo as a user would.

    Args:
        kind: A key of `SCRIPTS`.
        id: The repo.
        splits: The `config/split` names that the card promises.
        endpoint: The Hub.
        token: Of whoever loads; None is a stranger.
    """
    with tempfile.TemporaryDirectory() as home:
        # Without PYTHONPATH and in an empty folder, nothing of this checkout is at hand.
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "PYTHON"))}
        mine = {"HF_HOME": home, "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        kept = {key: os.environ[key] for key in ("HF_HUB_DISABLE_XET",) if key in os.environ}
        secret = {"HF_TOKEN": token} if token else {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
        try:
            done = subprocess.run(
                [sys.executable, "-c", BEGIN + SCRIPTS[kind], id, *splits],
                cwd=Path(home),
                env={**clean, **mine, **kept, **secret},
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            return Seen(False, (f"no end after {SECONDS} s",))
    if done.returncode:
        return Seen(False, tuple(done.stderr.strip().splitlines()[-3:]) or (f"exit status {done.returncode}",))
    return Seen(True, tuple(json.loads(done.stdout.splitlines()[-1])))
