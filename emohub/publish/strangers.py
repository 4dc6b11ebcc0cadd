"""What a user types first, run in a fresh process with an empty cache and without this kit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emohub.hub import fresh
from emohub.hub.fresh import FreshProcessError
from emohub.hub.kinds import Kind

SECONDS = 1800
# One process a kind; each repo is told for itself, so that one that fails does not hide the others.
FRAME = """
import json

def main(repos):
    seen = {}
    for id, wanted in json.loads(repos).items():
        try:
            seen[id] = [True, visit(id, wanted)]
        except (Exception, SystemExit) as error:
            seen[id] = [False, [f"{type(error).__name__}: {error}"]]
    return seen
"""
# Kind → `visit`, which gets an id and the `config/split` names that the card promises, and gives back what it saw.
VISITS: dict[Kind, str] = {
    "dataset": """
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset

def visit(id, wanted):
    there = [f"{c}/{s}" for c in get_dataset_config_names(id) for s in get_dataset_split_names(id, c)]
    if missing := sorted({*wanted} - {*there}):
        raise ValueError(f"the card promises {missing}, the Hub's splits are {there}")
    for name in there:
        config, split = name.split("/")
        if not list(load_dataset(id, config, split=split, streaming=True).take(1)):
            raise ValueError(f"{name} has no row")
    return [f"one row each of {', '.join(there)}"]
""",
    "model": """
import math
from PIL import Image
from transformers import pipeline

def visit(id, wanted):
    answer = pipeline("image-classification", model=id, trust_remote_code=True)(Image.new("RGB", (64, 64)))
    if not answer or not all(math.isfinite(one["score"]) for one in answer):
        raise ValueError(f"the scores of a black picture are {answer}")
    return [f"pipeline gives {len(answer)} scores"]
""",
    "metric": """
import evaluate

def visit(id, wanted):
    return [f"evaluate.load gives {evaluate.load(id).name}"]
""",
}


@dataclass(frozen=True)
class Seen:
    """What a stranger saw, or why not."""

    ok: bool
    lines: tuple[str, ...]


def visit(kind: Kind, repos: Mapping[str, Sequence[str]], endpoint: str, token: str | None) -> dict[str, Seen]:
    """Load repos of one kind as a user would.

    Args:
        kind: A key of `VISITS`.
        repos: Id → the `config/split` names that its card promises.
        endpoint: The Hub.
        token: Of whoever loads; None is a stranger.

    Returns:
        What was seen of each id.
    """
    code, seconds = VISITS[kind] + FRAME, SECONDS * len(repos)
    try:
        done = fresh.run(code, json.dumps(repos), endpoint=endpoint, token=token, timeout=seconds)
    except FreshProcessError as error:
        return dict.fromkeys(repos, Seen(False, error.lines or (str(error),)))
    return {id: Seen(ok, tuple(lines)) for id, (ok, lines) in done.result.items()}
