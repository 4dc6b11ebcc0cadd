"""What `model_cards/` holds: card templates, published figures, citations."""

import json
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emohub.hub.folders import hub_folder

RESULTS = "results"


def environment() -> Environment:
    """Templates of `model_cards/`; a name that is not given is an error, never an empty place in a card."""
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
    """What a paper reports: `model_cards/results/<name>.json`, every figure with the place where it stands."""
    return json.loads((hub_folder("model_cards", RESULTS) / f"{name}.json").read_text(encoding="utf-8"))


def citation(name: str) -> str:
    """How to cite a paper, as BibTeX: `model_cards/citations/<name>.bib`."""
    return (hub_folder("model_cards", "citations") / f"{name}.bib").read_text(encoding="utf-8").strip()


def cited(figure: dict[str, Any], form: str = "{}") -> str:
    """A published figure and where it stands in the paper.

    >>> cited({"value": 0.2, "where": "§3"}, "{:.2f}")
    '0.20 (§3)'
    """
    return f"{form.format(figure['value'])} ({figure['where']})"
