"""The requests of the page: plain POST with JSON, a token in a header, nothing that a browser sends by itself.

Without cookies there is nothing that another site could make a browser send (CSRF). The session cookie of the Hub's
sign-in is read by one route alone, which demands a header that other sites cannot add.
"""

import hmac
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from assignment import Task
from overview import overview
from service import Refused, Service, Turn
from sign_in import hub_user
from state import ANNOTATOR, OWNER

FOLDER = Path(__file__).parent / "web"
STATIC = {"style.css": "text/css", "annotate.js": "text/javascript", "owner.js": "text/javascript"}
Short = Annotated[str, Field(max_length=200)]
LOG = logging.getLogger("annotation")
Token = Annotated[str, Header(alias="x-token", max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Joining(_Body):
    """Who takes part."""

    name: Annotated[str, Field(max_length=100)] = ""
    consent: bool = False
    demographics: dict[Short, Short] = Field(default_factory=dict, max_length=50)
    prolific: dict[Short, Short] = Field(default_factory=dict, max_length=3)


class TaskName(_Body):
    """Which question is answered."""

    item: Annotated[str, Field(max_length=500)]
    step: int
    sample: int
    attempt: int


class Answering(_Body):
    """An answer."""

    uuid: Annotated[UUID, Field(strict=False)]
    task: TaskName
    answer: dict[Annotated[str, Field(max_length=200)], int | bool | Annotated[str, Field(max_length=200)] | None] = (
        Field(max_length=300)
    )
    touched: list[Annotated[str, Field(max_length=200)]] | None = Field(default=None, max_length=300)
    seconds: Annotated[float, Field(strict=False, allow_inf_nan=False)] = 0.0


class Deleting(_Body):
    """Whose data are deleted."""

    annotator: Annotated[str, Field(max_length=64)]


PROLIFIC = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")


def make_routes(service: Service, *, on_hub: bool) -> APIRouter:
    """The routes of a study.

    Args:
        service: The study.
        on_hub: Whether annotators sign in with the Hub.
    """
    routes = APIRouter()
    pages = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rules, kind = service.study.rules, service.study.kind
    task_page = pages.get_template("task.html")
    numbers = {item: number for number, item in enumerate(service.study.items)}
    names = list(service.study.items)

    def show(turn: Turn, annotator: str, feedback: Mapping[str, Any] | None = None) -> dict[str, Any]:
        reply: dict[str, Any] = {
            "state": turn.state,
            "answered": turn.answered,
            "of": turn.of,
            "canUndo": turn.can_undo,
        }
        if feedback:
            reply["feedback"] = feedback
        if turn.task is None or turn.item is None:
            return reply | {"code": turn.code, "url": rules.completion_url.replace("{code}", turn.code)}
        media = f"media/{annotator}/{numbers[turn.item.id]}/{service.media_key(annotator, turn.item.id)}"
        type_ = service.study.media_of(turn.item)[1]
        html = task_page.render(question=turn.question, item=turn.item, media=media, video=type_.startswith("video/"))
        task = {name: getattr(turn.task, name) for name in ("item", "step", "sample", "attempt")}
        return reply | {"task": task, "html": html, "before": dict(turn.before.answer) if turn.before else None}

    def annotator_of(token: str) -> str:
        member = service.who(token)
        if service.role(member) != ANNOTATOR:
            raise Refused(403, "owner", "This is the owner's link, which answers nothing. Take part with another one.")
        return member

    def check_owner(token: str, request: Request) -> None:
        if token and service.role(service.who(token)) == OWNER:
            return
        if hub_user(request) not in (None, "") and hub_user(request) in rules.owners:
            return
        raise Refused(403, "not owner", "Only the study's owner sees this page: open the owner's link.")

    def page(name: str) -> HTMLResponse:
        about = {"rules": rules, "instructions": rules.instructions or kind.INSTRUCTIONS, "on_hub": on_hub}
        return HTMLResponse(pages.get_template(name).render(**about))

    @routes.get("/", response_class=HTMLResponse)
    def start() -> HTMLResponse:
        return page("index.html")

    @routes.get("/owner", response_class=HTMLResponse)
    def owner() -> HTMLResponse:
        return page("owner.html")

    @routes.get("/web/{name}")
    def static(name: str) -> Response:
        if name not in STATIC:
            raise Refused(404, "unknown", "There is no such file.")
        return FileResponse(FOLDER / name, media_type=STATIC[name], headers={"Cache-Control": "no-cache"})

    @routes.post("/api/join")
    def join(body: Joining, request: Request) -> dict[str, Any]:
        if rules.consent and not body.consent:
            raise Refused(403, "consent", "Taking part needs your consent: tick the box, or close the page.")
        user = hub_user(request)
        if on_hub and user is None and not body.prolific:
            raise Refused(401, "sign in", "Sign in with Hugging Face first.")
        named = user is not None and user in rules.annotator_names
        if not rules.open and not named:
            raise Refused(403, "closed", "This study is not open: its owner gives out links.")
        private = {
            "name": user or body.name.strip(),
            "demographics": {
                question: answer
                for question, answer in body.demographics.items()
                if answer in rules.demographics.get(question, ())
            },
            **{name: value for name, value in body.prolific.items() if name in PROLIFIC},
        }
        identity = f"hub|{user}" if user else _identity(body)
        return {"token": service.join(identity, proven=user is not None, private=private)}

    @routes.post("/api/next")
    def next_question(token: Token) -> dict[str, Any]:
        annotator = annotator_of(token)
        return show(service.turn(annotator), annotator)

    @routes.post("/api/answer")
    def answer(body: Answering, token: Token) -> dict[str, Any]:
        annotator = annotator_of(token)
        task = Task(**body.task.model_dump())
        turn, feedback = service.answer(
            annotator, str(body.uuid), task, body.answer, seconds=body.seconds, touched=body.touched
        )
        return show(turn, annotator, feedback)

    @routes.post("/api/undo")
    def undo(token: Token) -> dict[str, Any]:
        annotator = annotator_of(token)
        return show(service.undo(annotator), annotator)

    @routes.get("/media/{annotator}/{number}/{key}")
    def media(annotator: str, number: int, key: str) -> FileResponse:
        item = names[number] if 0 <= number < len(names) else ""
        if not hmac.compare_digest(key.encode(), service.media_key(annotator, item).encode()):
            raise Refused(403, "not yours", "This item was not given to you.")
        path, type_ = service.study.media_of(service.study.items[item])
        return FileResponse(path, media_type=type_, headers={"Cache-Control": "private, max-age=3600"})

    @routes.post("/api/owner")
    def numbers_of(request: Request, token: Token = "") -> dict[str, Any]:
        check_owner(token, request)
        return overview(service.study, service.snapshot(), service.store.everybody())

    @routes.post("/api/delete")
    def delete(body: Deleting, request: Request, token: Token = "") -> dict[str, Any]:
        check_owner(token, request)
        return {"answers": service.delete(body.annotator)}

    return routes


def _identity(body: Joining) -> str:
    """Who somebody says to be; empty where nothing is said."""
    if pid := body.prolific.get("PROLIFIC_PID"):
        return f"prolific|{pid}"
    return f"name|{body.name.strip().casefold()}" if body.name.strip() else ""


def refused(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that was refused; the log says which route and why, never what was sent."""
    assert isinstance(error, Refused)
    LOG.warning("refused %s: %s", request.url.path.split("/media/")[0], error.reason)
    return JSONResponse({"error": str(error), "reason": error.reason}, error.status)


def malformed(request: Request, error: Exception) -> JSONResponse:
    """The answer to a body of another form; it repeats nothing of what was sent."""
    assert isinstance(error, RequestValidationError)
    places = sorted(
        {".".join(str(part) for part in one["loc"][:2] if isinstance(part, str)) for one in error.errors()}
    )
    LOG.warning("malformed %s: %s", request.url.path, ", ".join(places)[:200])
    return JSONResponse({"error": "The request has another form than the page sends.", "reason": "malformed"}, 422)
