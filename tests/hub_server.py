"""A small Hugging Face Hub on 127.0.0.1 that serves local folders to the real, unpatched clients (read side).

Point a fresh process at it with `HF_ENDPOINT`, `HF_HOME` (an empty folder) and `HF_HUB_DISABLE_XET=1`: all three are
read when `huggingface_hub` is first imported. Folders are read once, at the start: do not edit them while served.
"""

import hashlib
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse

DATE = "2025-01-01T00:00:00.000Z"


def error(code: str, message: str) -> HTTPException:
    return HTTPException(404, message, {"X-Error-Code": code})  # the code chooses the exception that the client raises


class File:
    """One file: binary content is stored as LFS (known by its sha256), text as a git blob, as on the Hub."""

    def __init__(self, source: Path) -> None:
        blob = source.read_bytes()
        self.source, self.size, self.lfs = source, len(blob), None
        if b"\0" in blob[:8000]:  # git's own rule for "binary"
            sha256 = hashlib.sha256(blob).hexdigest()
            blob = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {self.size}\n".encode()
            self.lfs = {"oid": sha256, "sha256": sha256, "size": self.size, "pointerSize": len(blob)}
        self.oid = hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()
        self.etag = self.lfs["sha256"] if self.lfs else self.oid


class Repo:
    """One commit on `main`, whose sha is the sha1 over all paths and contents."""

    def __init__(self, root: Path) -> None:
        root = root.resolve(strict=True)
        sources = sorted(path for path in root.rglob("*") if path.is_file())
        if outside := [path for path in sources if not path.resolve().is_relative_to(root)]:
            raise ValueError(f"{outside[0]} links to a file outside {root}; copy the file into the folder")
        self.files = {path.relative_to(root).as_posix(): File(path) for path in sources}
        self.folders = {parent.as_posix() for path in self.files for parent in Path(path).parents} - {"."}
        self.sha = self.tree_oid("")

    def below(self, folder: str) -> list[str]:  # at any depth; "" is the root
        return sorted(p for p in {*self.files, *self.folders} if not folder or p.startswith(f"{folder}/"))

    def tree_oid(self, folder: str) -> str:
        rows = "".join(f"{p}\0{self.files[p].oid}\n" for p in self.below(folder) if p in self.files)
        return hashlib.sha1(rows.encode()).hexdigest()

    def entry(self, path: str, expand: bool) -> dict[str, Any]:
        """One row of `tree` and `paths-info`."""
        commit = {"id": self.sha, "title": "Add files", "date": DATE} if expand else None
        if file := self.files.get(path):
            row = {"type": "file", "oid": file.oid, "size": file.size, "lfs": file.lfs}
        else:
            row = {"type": "directory", "oid": self.tree_oid(path), "size": 0}
        return {**row, "path": path, "lastCommit": commit}


def build_app(repos: Mapping[str, Repo]) -> FastAPI:
    """The HTTP side. Keys of `repos` are `{kind}/{org}/{name}`; every path parameter arrives percent-encoded."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)

    @app.exception_handler(404)  # an address that no route knows, such as an id with no namespace, has no code yet
    async def not_found(request: Request, exc: HTTPException) -> JSONResponse:
        return JSONResponse({"error": exc.detail}, 404, exc.headers or {"X-Error-Code": "RepoNotFound"})

    def find(org: str, name: str, rev: str = "main", kind: str = "models") -> Repo:
        repo = repos.get(f"{kind}/{org}/{name}")
        if repo is None:
            raise error(
                "RepoNotFound", f"No repository {kind}/{org}/{name}; served here: {', '.join(repos) or 'none'}"
            )
        if unquote(rev) not in ("main", "refs/heads/main", repo.sha):
            raise error("RevisionNotFound", f"Invalid rev id: {unquote(rev)}; valid: main, {repo.sha}")
        return repo

    Revision = Annotated[Repo, Depends(find)]

    @app.get("/api/{kind}/{org}/{name}")
    @app.get("/api/{kind}/{org}/{name}/revision/{rev}")
    def info(repo: Revision, org: str, name: str, blobs: bool = False) -> dict[str, Any]:
        siblings = [
            {"rfilename": path, **({"size": file.size, "blobId": file.oid, "lfs": file.lfs} if blobs else {})}
            for path, file in repo.files.items()
        ]
        state = {"private": False, "gated": False, "tags": [], "createdAt": DATE, "lastModified": DATE}
        return {"id": f"{org}/{name}", "author": org, "sha": repo.sha, **state, "siblings": siblings}

    @app.get("/api/{kind}/{org}/{name}/refs")
    def refs(repo: Revision) -> dict[str, list[dict[str, str]]]:
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.sha}
        return {"branches": [main], "tags": [], "converts": [], "pullRequests": []}

    @app.get("/api/{kind}/{org}/{name}/tree/{rev}")
    @app.get("/api/{kind}/{org}/{name}/tree/{rev}/{path:path}")
    def tree(repo: Revision, path: str = "", recursive: bool = False, expand: bool = False) -> list[dict[str, Any]]:
        top = unquote(path)
        if top not in {"", *repo.folders}:
            raise error("EntryNotFound", f"{top} is no folder of this revision")
        return [repo.entry(p, expand) for p in repo.below(top) if recursive or Path(p).parent == Path(top)]

    @app.post("/api/{kind}/{org}/{name}/paths-info/{rev}")
    async def paths_info(repo: Revision, request: Request) -> list[dict[str, Any]]:
        form = parse_qs((await request.body()).decode())
        expand = form.get("expand", [""])[0].lower() == "true"
        return [repo.entry(p, expand) for p in form.get("paths", []) if p in repo.files or p in repo.folders]

    @app.api_route("/{kind}/{org}/{name}/resolve/{rev}/{path:path}", methods=["GET", "HEAD"])
    @app.api_route("/{org}/{name}/resolve/{rev}/{path:path}", methods=["GET", "HEAD"])
    def resolve(repo: Revision, path: str) -> FileResponse:
        if not (file := repo.files.get(unquote(path))):  # listed at the start, so no path leaves the folder
            raise error("EntryNotFound", f"{unquote(path)} is not in this revision")
        return FileResponse(file.source, headers={"ETag": f'"{file.etag}"', "X-Repo-Commit": repo.sha})

    return app


@contextmanager
def serve(folders: Mapping[str, Path]) -> Iterator[str]:
    """Serve folders as repositories and yield the endpoint, e.g. `http://127.0.0.1:41234`.

    A key is a dataset id, `org/name`; `models/org/name` and `spaces/org/name` name the other kinds.
    """
    app = build_app({k if k.count("/") == 2 else f"datasets/{k}": Repo(root) for k, root in folders.items()})

    async def by_raw_path(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Routing must see `refs%2Fpr%2F1` as one segment, so the path is decoded by the handlers, not before them.
        await app({**scope, "path": scope["raw_path"].decode("latin-1")}, receive, send)

    server = uvicorn.Server(uvicorn.Config(by_raw_path, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:  # the socket listens already: an early request waits in its queue
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
