"""Smoke test: load repos from the Hub as an anonymous user, in a fresh process with an empty cache, without emohub."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emohub.hub import fresh
from emohub.hub.kinds import Kind
from emohub.hub.process import FreshProcessError

SECONDS = 1800
# One process per kind; each repo has its own result, so that one failure does not hide the others.
FRAME = """
import json

def main(repos):
    results = {}
    for id, expected in json.loads(repos).items():
        try:
            results[id] = [True, load(id, expected)]
        except (Exception, SystemExit) as error:
            results[id] = [False, [f"{type(error).__name__}: {error}"]]
    return results
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
    code, seconds = SCRIPTS[kind] + FRAME, SECONDS * len(repos)
    try:
        done = fresh.run(code, json.dumps(repos), endpoint=endpoint, token=token, timeout=seconds)
    except FreshProcessError as error:
        return dict.fromkeys(repos, LoadResult(False, error.lines or (str(error),)))
    return {id: LoadResult(ok, tuple(lines)) for id, (ok, lines) in done.result.items()}
