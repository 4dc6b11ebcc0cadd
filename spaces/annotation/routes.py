"""The requests of the page: plain POST with JSON, a token in a header, nothing that a browser sends by itself.

Without cookies there is nothing that another site could make a browser send (CSRF). The session cookie of the Hub's
sign-in is read by one route alone, which demands a header that other sites cannot add.
"""

import hmac
import logging
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from assignment import Task
from ledger import Refused
from overview import overview
from pages import FOLDER, Pages
from service import Service
from sign_in import hub_user
from state import ANNOTATOR, OWNER

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
    answer: dict[Short, int | bool | Short | None] = Field(max_length=300)
    touched: list[Short] | None = Field(default=None, max_length=300)
    seconds: Annotated[float, Field(strict=False, allow_inf_nan=False)] = 0.0


class Deleting(_Body):
    """Whose data are deleted."""

    annotator: Annotated[str, Field(max_length=64)]


PROLIFIC = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")


def add_routes(app: FastAPI, service: Service, *, on_hub: bool) -> None:
    """Add every route of a study.

    Args:
        app: The server.
        service: The study.
        on_hub: Whether annotators sign in with the Hub.
    """
    pages = Pages(service, on_hub=on_hub)
    for routes in (_files(service, pages), _joining(service, on_hub), _annotator(service, pages), _owner(service)):
        app.include_router(routes)


def _files(service: Service, pages: Pages) -> APIRouter:
    """The pages, their files, and the media of items, each with a key of its own."""
    routes = APIRouter()

    @routes.get("/", response_class=HTMLResponse)
    def start() -> HTMLResponse:
        return pages.page("index.html")

    @routes.get("/owner", response_class=HTMLResponse)
    def owner() -> HTMLResponse:
        return pages.page("owner.html")

    @routes.get("/web/{name}")
    def static(name: str) -> Response:
        if name not in STATIC:
            raise Refused(404, "unknown", "There is no such file.")
        return FileResponse(FOLDER / name, media_type=STATIC[name], headers={"Cache-Control": "no-cache"})

    @routes.get("/media/{annotator}/{number}/{key}")
    def media(annotator: str, number: int, key: str) -> FileResponse:
        item = pages.items[number] if 0 <= number < len(pages.items) else ""
        if not hmac.compare_digest(key.encode(), service.media_key(annotator, item).encode()):
            raise Refused(403, "not yours", "This item was not given to you.")
        path, type_ = service.study.media_of(service.study.items[item])
        return FileResponse(path, media_type=type_, headers={"Cache-Control": "private, max-age=3600"})

    return routes


def _joining(service: Service, on_hub: bool) -> APIRouter:
    """Taking part."""
    routes, rules = APIRouter(), service.study.rules

    @routes.post("/api/join")
    def join(body: Joining, request: Request) -> dict[str, Any]:
        if rules.consent and not body.consent:
            raise Refused(403, "consent", "Taking part needs your consent: tick the box, or close the page.")
        user = hub_user(request)
        if on_hub and user is None and not body.prolific:
            raise Refused(401, "sign in", "Sign in with Hugging Face first.")
        if not rules.open and (user is None or user not in rules.annotator_names):
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

    return routes


def _annotator(service: Service, pages: Pages) -> APIRouter:
    """Questions and answers."""
    routes = APIRouter()

    def annotator_of(token: str) -> str:
        member = service.who(token)
        if service.role(member) != ANNOTATOR:
            raise Refused(403, "owner", "This is the owner's link, which answers nothing. Take part with another one.")
        return member

    @routes.post("/api/next")
    def next_question(token: Token) -> dict[str, Any]:
        annotator = annotator_of(token)
        return pages.turn(service.turn(annotator), annotator)

    @routes.post("/api/answer")
    def answer(body: Answering, token: Token) -> dict[str, Any]:
        annotator = annotator_of(token)
        task = Task(**body.task.model_dump())
        turn, feedback = service.answer(
            annotator, str(body.uuid), task, body.answer, seconds=body.seconds, touched=body.touched
        )
        return pages.turn(turn, annotator, feedback)

    @routes.post("/api/undo")
    def undo(token: Token) -> dict[str, Any]:
        annotator = annotator_of(token)
        return pages.turn(service.undo(annotator), annotator)

    return routes


def _owner(service: Service) -> APIRouter:
    """The owner's numbers, and deletion."""
    routes = APIRouter()

    def check_owner(token: str, request: Request) -> None:
        if token and service.role(service.who(token)) == OWNER:
            return
        if hub_user(request) not in service.study.rules.owners:
            raise Refused(403, "not owner", "Only the study's owner sees this page: open the owner's link.")

    @routes.post("/api/owner")
    def numbers(request: Request, token: Token = "") -> dict[str, Any]:
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
