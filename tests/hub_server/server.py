"""The HTTP server on 127.0.0.1: faults first, then the routes."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from tests.hub_server import read, social, spaces, write
from tests.hub_server.faults import Faults
from tests.hub_server.store import Hub, Repo, folder
from tests.serving import listening


def build_app(hub: Hub, faults: Faults) -> Any:
    """The ASGI application."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.hub = hub

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, failure: HTTPException) -> JSONResponse:
        return JSONResponse({"error": failure.detail}, failure.status_code, failure.headers)

    @app.exception_handler(404)  # of an unknown route, e.g. for an id without a namespace, which has no code yet
    async def not_found(request: Request, failure: HTTPException) -> JSONResponse:
        return JSONResponse({"error": failure.detail}, 404, failure.headers or {"X-Error-Code": "RepoNotFound"})

    for module in (social, spaces, write, read):
        app.include_router(module.routes)

    async def by_raw_path(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Routing must see `refs%2Fpr%2F1` as one segment, so the path is decoded by the handlers, not before them.
        await app({**scope, "path": scope["raw_path"].decode("latin-1")}, receive, send)

    return faults.around(by_raw_path)


@contextmanager
def running(hub: Hub, faults: Faults | None = None) -> Iterator[str]:
    """Serve a Hub and yield the endpoint."""
    with listening(build_app(hub, faults or Faults(hub))) as endpoint:
        yield endpoint


@contextmanager
def serve(folders: Mapping[str, Path]) -> Iterator[str]:
    """Serve folders as public read-only repos, and yield the endpoint.

    A key is a dataset id, `org/name`; `models/org/name` and `spaces/org/name` are the other kinds.
    """
    with tempfile.TemporaryDirectory() as objects:
        hub = Hub(Path(objects))
        for key, root in folders.items():
            kind, id = key.split("/", 1) if key.count("/") == 2 else ("datasets", key)
            repo = hub.repos[f"{kind}/{id}"] = Repo(kind, id)
            repo.commit(folder(root), "Add files", "hub")
        with running(hub) as endpoint:
            yield endpoint
