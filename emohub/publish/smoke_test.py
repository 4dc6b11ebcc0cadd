"""Smoke test: load repos from the Hub as an anonymous user, in a fresh process with an empty cache, without emohub."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emohub.hub.kinds import Kind

SECONDS = 1800
# One process per kind; each repo has its own result, so that one failure does not hide the others.
FRAME = """
import json, sys
sys.modules["emohub"] = None  # importing it raises
results = {}
for id, expected in json.loads(sys.argv[1]).items():
    try:
        results[id] = [True, load(id, expected)]
    except (Exception, SystemExit) as error:
        results[id] = [False, [f"{type(error).__name__}: {error}"]]
print(json.dumps(results))
"""
# Kind → `load`, which gets an id and the `config/split` names of the card, and returns lines for the report.
SCRIPTS: dict[Kind, str] = {
    "dataset": """
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset

def load(id, expected):
    found = [f"{c}/{s}" for c in get_dataset_config_names(id) for s in get_dataset_split_names(id, c)]
    if missing := sorted({*expected} - {*found}):
        raise ValueError(f"{missing} of the card are missing; the Hub has {found}")
    for name in found:
        config, split = name.split("/")
        if not list(load_dataset(id, config, split=split, streaming=True).take(1)):
            raise ValueError(f"{name} has no rows")
    return [f"one row each of {', '.join(found)}"]
""",
    "model": """
import math
from PIL import Image
from transformers import pipeline

def load(id, expected):
    answer = pipeline("image-classification", model=id, trust_remote_code=True)(Image.new("RGB", (64, 64)))
    if not answer or not all(math.isfinite(one["score"]) for one in answer):
        raise ValueError(f"the scores of a black image are {answer}")
    return [f"pipeline returns {len(answer)} scores"]
""",
    "metric": """
import evaluate

def load(id, expected):
    return [f"evaluate.load returns {evaluate.load(id).name}"]
""",
}


@dataclass(frozen=True)
class LoadResult:
    """Whether a repo loaded, and what was loaded or the error."""

    ok: bool
    lines: tuple[str, ...]


def load_repos(
    kind: Kind, repos: Mapping[str, Sequence[str]], endpoint: str, token: str | None
) -> dict[str, LoadResult]:
    """Load repos of one kind as a user would.

    Args:
        kind: A key of `SCRIPTS`.
        repos: Id → the `config/split` names of its card.
        endpoint: URL of the Hub.
        token: None is an anonymous user.

    Returns:
        Id → its result.
    """
    with tempfile.TemporaryDirectory() as home:
        # Without PYTHONPATH and in an empty folder, nothing of this checkout is at hand.
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "PYTHON"))}
        mine = {"HF_HOME": home, "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        kept = {key: os.environ[key] for key in ("HF_HUB_DISABLE_XET",) if key in os.environ}
        secret = {"HF_TOKEN": token} if token else {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
        try:
            done = subprocess.run(
                [sys.executable, "-c", SCRIPTS[kind] + FRAME, json.dumps(repos)],
                cwd=Path(home),
                env={**clean, **mine, **kept, **secret},
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=SECONDS * len(repos),
            )
        except subprocess.TimeoutExpired:
            return dict.fromkeys(repos, LoadResult(False, (f"timeout after {SECONDS * len(repos)} s",)))
    if done.returncode:
        reason = tuple(done.stderr.strip().splitlines()[-3:]) or (f"exit status {done.returncode}",)
        return dict.fromkeys(repos, LoadResult(False, reason))
    results = json.loads(done.stdout.splitlines()[-1])
    return {id: LoadResult(ok, tuple(lines)) for id, (ok, lines) in results.items()}
