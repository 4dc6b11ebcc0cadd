"""The contents of `model_cards/`: card templates, published figures, citations."""

import json
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emohub.hub.folders import hub_folder

RESULTS = "results"


def environment() -> Environment:
    """Templates of `model_cards/`; an undefined name is an error, never an empty string in a card."""
    made = Environment(
        loader=FileSystemLoader(hub_folder("model_cards")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["published"] = published
    made.filters["of"] = cited
    return made


def published(name: str) -> dict[str, Any]:
    """Published figures of a paper: `model_cards/results/<name>.json`, each with its place in the paper."""
    return json.loads((hub_folder("model_cards", RESULTS) / f"{name}.json").read_text(encoding="utf-8"))


def citation(name: str) -> str:
    """BibTeX entry of a paper: `model_cards/citations/<name>.bib`."""
    return (hub_folder("model_cards", "citations") / f"{name}.bib").read_text(encoding="utf-8").strip()


def cited(figure: dict[str, Any], form: str = "{}") -> str:
    """A published figure and its place in the paper.

    >>> cited({"value": 0.2, "where": "§3"}, "{:.2f}")
    '0.20 (§3)'
    """
    return f"{form.format(figure['value'])} ({figure['where']})"
