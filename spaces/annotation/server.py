"""The web server: Gradio's, with the study's own page and routes."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from gradio import Server

from guards import Guards
from ledger import Refused
from routes import add_routes, malformed, refused
from service import Service
from sign_in import attach

SERVED = r"/|/owner|/web/[a-z.]+|/media/.+|/api/[a-z]+|/login/(huggingface|callback)|/logout"


def make_server(service: Service) -> Server:
    """A server that is ready to launch."""
    server = Server(docs_url=None, redoc_url=None, openapi_url=None, title=service.study.rules.title)
    add_routes(server, service, on_hub=attach(server))
    server.add_exception_handler(Refused, refused)
    server.add_exception_handler(RequestValidationError, malformed)
    server.add_middleware(Guards, served=SERVED)

    @server.api(name="study")
    def study() -> dict[str, Any]:
        """What this study is about; for programs, and without anything about its annotators."""
        rules = service.study.rules
        return {"name": rules.name, "title": rules.title, "kind": rules.kind, "items": len(service.study.order)}

    return server
