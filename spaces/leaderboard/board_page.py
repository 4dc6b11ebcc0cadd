"""The page as HTML; names from data are escaped."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from board import Board
from board_settings import Settings

FOLDER = Path(__file__).parent / "web"


def render(board: Board, settings: Settings) -> str:
    """The whole page."""
    pages = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    entries = board.results.entries.values()
    return pages.get_template("board.html").render(
        settings=settings,
        board=board,
        results=board.results,
        kinds=sorted({entry.rater.kind for entry in entries}),
        protocols=sorted({entry.rater.protocol or "" for entry in entries}),
        table=lambda one: Markup(one.html()),  # Table escapes every cell
        data=Markup(_script(board.profiles)),
    )


def _script(value: object) -> str:
    """JSON inside of a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
