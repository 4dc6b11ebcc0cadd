"""What cards are made from: templates (`model_cards/`), and what a dataset's folder says of its paper."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emohub.hub.folders import hub_folder, script_folder


def environment(*folders: Path) -> Environment:
    """Templates of `model_cards/` and of further folders.

    A name that is not given is an error, never an empty place in a card.
    """
    made = Environment(
        loader=FileSystemLoader([hub_folder("model_cards"), *folders]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["published"] = published
    made.filters["of"] = cited
    return made


def published(dataset: str) -> dict[str, Any]:
    """What a dataset's paper reports, every figure with the place where it stands: `published.json` in its folder."""
    return json.loads((script_folder(dataset) / "published.json").read_text(encoding="utf-8"))


def citation(dataset: str) -> str:
    """How to cite a dataset's paper, as BibTeX: `citation.bib` in its folder."""
    return (script_folder(dataset) / "citation.bib").read_text(encoding="utf-8").strip()


def cited(figure: dict[str, Any], form: str = "{}") -> str:
    """A published figure and where it stands in the paper.

    >>> cited({"value": 0.2, "where": "§3"}, "{:.2f}")
    '0.20 (§3)'
    """
    return f"{form.format(figure['value'])} ({figure['where']})"
