"""The web server: Gradio's, with the page and its tables, and a function for programs."""

from typing import Any

from fastapi import HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response
from gradio import Server
from starlette.middleware.gzip import GZipMiddleware

from board import Board, make_board
from board_page import FOLDER, render
from board_settings import Settings
from guards import Guards
from results_source import Results, Source

STATIC = {"board.css": "text/css", "board.js": "text/javascript", "sort.js": "text/javascript"}
SERVED = r"/|/web/[a-z.]+|/tables/[\w-]+\.csv"


class Shown:
    """What is shown now."""

    board: Board
    page: str

    def __init__(self, settings: Settings):
        self.settings = settings
        self.source = Source(settings, self.make)

    def make(self, results: Results) -> None:
        """Show other results."""
        board = make_board(results)
        self.page = render(board, self.settings)
        self.board = board


def make_server(settings: Settings) -> Server:
    """A server that is ready to launch."""
    shown = Shown(settings)
    server = Server(docs_url=None, redoc_url=None, openapi_url=None, title=settings.title)

    @server.get("/")
    def page() -> HTMLResponse:
        shown.source.refresh()
        return HTMLResponse(shown.page)

    @server.get("/web/{name}")
    def static(name: str) -> FileResponse:
        if name not in STATIC:
            raise HTTPException(404, "There is no such file.")
        return FileResponse(FOLDER / name, media_type=STATIC[name])

    @server.get("/tables/{id}.csv")
    def table(id: str) -> Response:
        if (found := shown.board.table(id)) is None:
            raise HTTPException(404, "There is no such table.")
        headers = {"content-disposition": f'attachment; filename="{id}.csv"'}
        return Response(found.csv(), media_type="text/csv; charset=utf-8", headers=headers)

    @server.api(name="results")
    def results() -> list[dict[str, Any]]:
        """Every entry, as its file holds it, for programs."""
        return [entry.model_dump(mode="json") for entry in shown.board.results.entries.values()]

    server.add_middleware(Guards, served=SERVED)
    server.add_middleware(GZipMiddleware, minimum_size=1000)
    return server
