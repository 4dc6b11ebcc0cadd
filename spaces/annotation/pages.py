"""What the server shows: the two pages, and an annotator's turn as the page's script takes it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service import Service, Turn

FOLDER = Path(__file__).parent / "web"


class Pages:
    """The pages of a study; names and texts from data are escaped.

    Args:
        service: The study.
        on_hub: Whether annotators sign in with the Hub.
    """

    def __init__(self, service: Service, *, on_hub: bool):
        rules = service.study.rules
        self.service = service
        self.about = {
            "rules": rules,
            "instructions": rules.instructions or service.study.kind.INSTRUCTIONS,
            "on_hub": on_hub,
        }
        self.templates = Environment(
            loader=FileSystemLoader(FOLDER),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.items = list(service.study.items)
        self.numbers = {item: number for number, item in enumerate(self.items)}

    def page(self, name: str) -> HTMLResponse:
        """A whole page."""
        return HTMLResponse(self.templates.get_template(name).render(**self.about))

    def turn(self, turn: Turn, annotator: str, feedback: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A turn as JSON: the question as HTML, or the completion code."""
        reply: dict[str, Any] = {"state": turn.state, "answered": turn.answered, "of": turn.of}
        reply |= {"canUndo": turn.can_undo, **({"feedback": feedback} if feedback else {})}
        if turn.task is None or turn.item is None:
            url = self.service.study.rules.completion_url.replace("{code}", turn.code)
            return reply | {"code": turn.code, "url": url}
        key = self.service.media_key(annotator, turn.item.id)
        html = self.templates.get_template("task.html").render(
            question=turn.question,
            item=turn.item,
            media=f"media/{annotator}/{self.numbers[turn.item.id]}/{key}",
            video=self.service.study.media_of(turn.item)[1].startswith("video/"),
        )
        before = dict(turn.before.answer) if turn.before else None
        return reply | {"task": asdict(turn.task), "html": html, "before": before}
