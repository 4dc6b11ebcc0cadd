"""Sources of cards: the templates of `model_cards/`, published figures and citations of the datasets' folders."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emohub.errors import printable
from emohub.hub.folders import hub_folder, script_folder
from emohub.hub.json_files import read_json


def environment(*folders: Path) -> Environment:
    """Templates of `model_cards/` and of further folders; an undefined name is an error, never an empty string."""
    made = Environment(
        loader=FileSystemLoader([hub_folder("model_cards"), *folders]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["published"] = published
    made.filters["of"] = cited
    made.filters["code"] = code
    return made


def code(value: object) -> str:
    """A value from a file as a span of code, which no Markdown or HTML in it leaves.

    >>> code("a`<b>*c*")
    '`a<b>*c*`'
    """
    return f"`{printable(value, 200).replace('`', '')}`"


def published(dataset: str) -> dict[str, Any]:
    """Published figures of a dataset's paper, each with its place in the paper: `published.json` in its folder."""
    return read_json(script_folder(dataset) / "published.json")


def citation(dataset: str) -> str:
    """BibTeX entry of a dataset's paper: `citation.bib` in its folder."""
    return (script_folder(dataset) / "citation.bib").read_text(encoding="utf-8").strip()


def cited(figure: dict[str, Any], form: str = "{}") -> str:
    """A published figure and its place in the paper.

    >>> cited({"value": 0.2, "where": "§3"}, "{:.2f}")
    '0.20 (§3)'
    """
    return f"{form.format(figure['value'])} ({figure['where']})"
