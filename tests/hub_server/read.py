"""The read side: info, tree, paths, refs, commits, files. Every path parameter arrives percent-encoded."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from tests.hub_server.access import CommitOf, Content, HubOf, RepoOf, User, error
from tests.hub_server.spaces import space_info
from tests.hub_server.store import DATE

routes = APIRouter()


@routes.get("/api/whoami-v2")
async def whoami(hub: HubOf, user: User) -> dict[str, Any]:
    if user is None:
        raise HTTPException(401, "Invalid username or password.")
    orgs = [{"name": org, "roleInOrg": "write"} for org, members in hub.members.items() if user in members]
    return {"type": "user", "name": user, "orgs": orgs, "auth": {"type": "access_token"}}


@routes.get("/api/{kind}/{org}/{name}")
@routes.get("/api/{kind}/{org}/{name}/revision/{rev}")
async def info(request: Request, hub: HubOf, repo: RepoOf, commit: CommitOf, blobs: bool = False) -> dict[str, Any]:
    siblings = [
        {"rfilename": path, **({"size": file.size, "blobId": file.oid, "lfs": file.pointer()} if blobs else {})}
        for path, file in commit.files.items()
    ]
    state = {"private": repo.private, "gated": repo.gated, "tags": [], "createdAt": DATE, "lastModified": DATE}
    more = space_info(hub, repo, str(request.base_url)) if repo.kind == "spaces" else {}
    return {"id": repo.id, "author": repo.owner, "sha": commit.sha, **state, **more, "siblings": siblings}


@routes.get("/api/{kind}/{org}/{name}/refs")
async def refs(repo: RepoOf) -> dict[str, list[dict[str, str]]]:
    folders = {
        "branches": "refs/heads/",
        "tags": "refs/tags/",
        "pullRequests": "refs/pr/",
        "converts": "refs/convert/",
    }
    return {
        group: [
            {"name": ref.removeprefix(start), "ref": ref, "targetCommit": sha}
            for ref, sha in repo.refs.items()
            if ref.startswith(start)
        ]
        for group, start in folders.items()
    }


@routes.get("/api/{kind}/{org}/{name}/commits/{rev}")
async def commits(repo: RepoOf, commit: CommitOf) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    sha: str | None = commit.sha
    while sha:
        one = repo.commits[sha]
        found.append({"id": sha, "title": one.title, "message": "", "date": DATE, "authors": [{"user": one.author}]})
        sha = one.parent
    return found


@routes.get("/api/{kind}/{org}/{name}/tree/{rev}")
@routes.get("/api/{kind}/{org}/{name}/tree/{rev}/{path:path}")
async def tree(
    request: Request,
    hub: HubOf,
    repo: RepoOf,
    commit: CommitOf,
    path: str = "",
    recursive: bool = False,
    expand: bool = False,
    cursor: int = 0,
) -> JSONResponse:
    top = unquote(path)
    if top not in {"", *commit.folders}:
        raise error("EntryNotFound", f"{top} is not a folder of this revision")
    found = [repo.entry(commit, p, expand) for p in commit.below(top) if recursive or Path(p).parent == Path(top)]
    end = cursor + hub.page_size
    query = urlencode({"recursive": recursive, "expand": expand, "cursor": end})
    link = {"Link": f'<{request.base_url}{request.scope["path"][1:]}?{query}>; rel="next"'} if end < len(found) else {}
    return JSONResponse(found[cursor:end], headers=link)


@routes.post("/api/{kind}/{org}/{name}/paths-info/{rev}")
async def paths_info(repo: RepoOf, commit: CommitOf, request: Request) -> list[dict[str, Any]]:
    form = parse_qs((await request.body()).decode())
    expand = form.get("expand", [""])[0].lower() == "true"
    return [repo.entry(commit, p, expand) for p in form.get("paths", []) if p in commit.files or p in commit.folders]


@routes.api_route("/{kind}/{org}/{name}/resolve/{rev}/{path:path}", methods=["GET", "HEAD"])
@routes.api_route("/{org}/{name}/resolve/{rev}/{path:path}", methods=["GET", "HEAD"])
async def resolve(request: Request, repo: Content, commit: CommitOf, path: str) -> Response:
    if not (file := commit.files.get(unquote(path))):  # only listed files, so that no path leaves the folder
        raise error("EntryNotFound", f"{unquote(path)} is not in this revision")
    headers = {"ETag": f'"{file.etag}"', "X-Repo-Commit": commit.sha}
    if isinstance(file.source, Path):
        return FileResponse(file.source, headers=headers)
    return _part(request, file.source, headers)


def _part(request: Request, data: bytes, headers: dict[str, str]) -> Response:
    """Bytes, or the range of them that was asked for."""
    headers = {**headers, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    asked = request.headers.get("range", "").removeprefix("bytes=")
    if not asked:
        return Response(data, headers=headers)
    first, _, last = asked.partition("-")
    start = int(first) if first else max(0, len(data) - int(last))
    stop = min(int(last) + 1, len(data)) if first and last else len(data)
    if start >= stop:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, headers)
