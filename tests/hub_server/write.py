"""The write side: repos, settings, uploads over LFS, commits, branches, tags."""

import base64
import hashlib
import json
import os
import re
from typing import Annotated, Any
from urllib.parse import unquote

import yaml
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from tests.hub_server.access import CommitOf, HubOf, RepoOf, User, Writable, error, may
from tests.hub_server.store import LFS_SUFFIXES, REGULAR, File, Hub, Repo, store_object

routes = APIRouter()
CARD = re.compile(r"\A---\r?\n(.*?)\r?\n---", re.DOTALL)


async def _json(request: Request) -> Any:
    return json.loads(await request.body())


Body = Annotated[Any, Depends(_json)]


# ---- Repos


@routes.post("/api/repos/create")
async def create(hub: HubOf, user: User, body: Body, request: Request) -> JSONResponse:
    kind = f"{body.get('type') or 'model'}s"
    id = f"{body.get('organization') or user}/{body['name']}"
    may(hub, user, id.split("/")[0])
    exists = f"{kind}/{id}" in hub.repos
    private = body.get("visibility") == "private" or bool(body.get("private"))
    if not exists:
        hub.create(kind, id, body.get("sdk") or "static", private)
    url = f"{request.base_url}{'' if kind == 'models' else f'{kind}/'}{id}"
    problem = {"error": "You already created this repo"} if exists else {}
    return JSONResponse({"url": url, "name": id, **problem}, 409 if exists else 200)


@routes.delete("/api/repos/delete")
async def delete(hub: HubOf, user: User, body: Body) -> dict[str, bool]:
    id = f"{body.get('organization') or user}/{body['name']}"
    may(hub, user, id.split("/")[0])
    if not hub.repos.pop(f"{body.get('type') or 'model'}s/{id}", None):
        raise error("RepoNotFound", f"No repository {id}")
    return {"success": True}


@routes.put("/api/{kind}/{org}/{name}/settings")
async def settings(repo: Writable, body: Body) -> dict[str, Any]:
    if "visibility" in body:
        repo.private = body["visibility"] == "private"
    repo.private = body.get("private", repo.private)
    repo.gated = body.get("gated", repo.gated)
    return {"private": repo.private, "gated": repo.gated}


@routes.get("/api/{kind}/{org}/{name}/auth-check")
async def auth_check(repo: RepoOf) -> dict[str, bool]:
    return {"ok": True}


@routes.get("/api/{kind}/{org}/{name}/auth-check/write")
async def auth_check_write(repo: Writable) -> dict[str, bool]:
    return {"ok": True}


@routes.post("/api/validate-yaml")
async def validate_yaml(body: Body) -> JSONResponse:
    found, problem = CARD.match(body["content"]), ""
    try:
        data = yaml.safe_load(found[1]) if found else {}
        problem = "" if isinstance(data, dict) else "the metadata are not a mapping"
    except yaml.YAMLError as failure:
        problem = f"the metadata are not valid YAML: {failure}"
    return JSONResponse({"errors": [{"message": problem}] if problem else [], "warnings": []}, 400 if problem else 200)


# ---- Uploads


@routes.post("/api/{kind}/{org}/{name}/preupload/{rev}")
async def preupload(repo: RepoOf, user: User, hub: HubOf, commit: CommitOf, body: Body, create_pr: int = 0) -> Any:
    if not create_pr:
        may(hub, user, repo.owner)

    def answer(file: dict[str, Any]) -> dict[str, Any]:
        binary = b"\0" in base64.b64decode(file["sample"])
        lfs = binary or file["size"] > REGULAR or file["path"].endswith(LFS_SUFFIXES)
        old = commit.files.get(file["path"])
        mode = {"uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
        return {"path": file["path"], **mode, "oid": old.etag if old else None}

    return {"files": [answer(file) for file in body["files"]]}


@routes.post("/{org}/{name}.git/info/lfs/objects/batch")
@routes.post("/{kind}/{org}/{name}.git/info/lfs/objects/batch")
async def batch(repo: Writable, hub: HubOf, request: Request, body: Body) -> dict[str, Any]:
    base = f"{request.base_url}lfs/{repo.kind}/{repo.id}"

    def answer(sha256: str, size: int) -> dict[str, Any]:
        if hub.object(sha256).exists():
            return {"oid": sha256, "size": size}
        upload: dict[str, Any] = {"href": f"{base}/{sha256}?X-Amz-Signature=secret-of-the-storage"}
        if hub.part_size and size > hub.part_size and "multipart" in body["transfers"]:
            parts = range(1, -(-size // hub.part_size) + 1)
            urls = {str(part): f"{base}/{sha256}/{part}?X-Amz-Signature=secret-of-the-storage" for part in parts}
            upload = {"href": f"{base}/{sha256}/complete", "header": {"chunk_size": str(hub.part_size), **urls}}
        verify = {"href": f"{base}/{sha256}/verify"}
        return {"oid": sha256, "size": size, "actions": {"upload": upload, "verify": verify}}

    return {"transfer": "basic", "objects": [answer(one["oid"], one["size"]) for one in body["objects"]]}


@routes.put("/lfs/{kind}/{org}/{name}/{sha256}")
async def put(hub: HubOf, request: Request, sha256: str) -> Response:
    """The storage accepts only content with the announced sha256."""
    half, digest = hub.object(f".{sha256}.{os.urandom(4).hex()}"), hashlib.sha256()
    try:
        with open(half, "wb") as file:
            async for chunk in request.stream():
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256:
            raise HTTPException(400, f"BadDigest: announced was {sha256}, the content has {digest.hexdigest()}")
        half.replace(hub.object(sha256))
    finally:
        half.unlink(missing_ok=True)
    return Response()


@routes.put("/lfs/{kind}/{org}/{name}/{sha256}/{part}")
async def put_part(hub: HubOf, request: Request, sha256: str, part: int) -> Response:
    data = await request.body()
    hub.object(f"{sha256}.{part}").write_bytes(data)
    return Response(headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})


@routes.post("/lfs/{kind}/{org}/{name}/{sha256}/complete")
async def complete(hub: HubOf, sha256: str, body: Body) -> dict[str, bool]:
    parts = [hub.object(f"{sha256}.{part['partNumber']}") for part in body["parts"]]
    if hub.object(sha256).exists():
        return {"success": True}
    data = b"".join(part.read_bytes() for part in parts)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise HTTPException(400, f"BadDigest: the parts do not have the sha256 {sha256}")
    store_object(hub.objects, data)
    for part in parts:
        part.unlink()
    return {"success": True}


@routes.post("/lfs/{kind}/{org}/{name}/{sha256}/verify")
async def verify(repo: Writable, hub: HubOf, sha256: str, body: Body) -> dict[str, bool]:
    stored = hub.object(sha256)
    if not stored.exists() or stored.stat().st_size != body["size"]:
        raise HTTPException(400, f"{sha256} was not uploaded completely")
    return {"success": True}


# ---- Commits


@routes.post("/api/{kind}/{org}/{name}/commit/{rev}")
async def commit(
    repo: RepoOf, head: CommitOf, hub: HubOf, user: User, request: Request, rev: str, create_pr: int = 0
) -> dict[str, Any]:
    if user is None or not create_pr:
        may(hub, user, repo.owner)
    lines = [json.loads(line) for line in (await request.body()).splitlines() if line.strip()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    parent = header.get("parentCommit")
    if parent and parent != head.sha and not create_pr:
        raise HTTPException(412, "A commit has happened since. Please refresh and try again.")
    files = dict(head.files)
    for line in lines:
        if line["key"] != "header":
            CHANGES[line["key"]](hub, files, line["value"])
    ref, pull = _ref(unquote(rev)), None
    if create_pr:
        pull = open_discussion(repo, user or "", header["summary"], pull_request=True)
        ref = f"refs/pr/{pull['num']}"
    created = repo.commit(files, header["summary"], user or "", ref)
    if hub.runner is not None and (repo.kind, ref) == ("spaces", "refs/heads/main"):
        hub.runner.start(repo)
    page = f"{request.base_url}{'' if repo.kind == 'models' else f'{repo.kind}/'}{repo.id}"
    url = f"{page}/discussions/{pull['num']}" if pull else None
    return {
        "success": True,
        "commitOid": created.sha,
        "commitUrl": f"{page}/commit/{created.sha}",
        "pullRequestUrl": url,
    }


def _ref(revision: str) -> str:
    return revision if revision.startswith("refs/") else f"refs/heads/{revision}"


def _add_file(hub: Hub, files: dict[str, File], value: dict[str, Any]) -> None:
    data = base64.b64decode(value["content"]) if value.get("encoding") == "base64" else value["content"].encode()
    files[value["path"]] = File.blob(data)


def _add_lfs(hub: Hub, files: dict[str, File], value: dict[str, Any]) -> None:
    stored = hub.object(value["oid"])
    if not stored.exists():
        raise HTTPException(400, f"LFS pointer pointed to a file that does not exist: {value['path']}")
    files[value["path"]] = File.lfs(stored, value["oid"], value.get("size") or stored.stat().st_size)


def _delete_file(hub: Hub, files: dict[str, File], value: dict[str, Any]) -> None:
    if files.pop(value["path"], None) is None:
        raise error("EntryNotFound", f"A file with this name doesn't exist: {value['path']}")


def _delete_folder(hub: Hub, files: dict[str, File], value: dict[str, Any]) -> None:
    for path in [path for path in files if path.startswith(f"{value['path'].rstrip('/')}/")]:
        del files[path]


CHANGES = {"file": _add_file, "lfsFile": _add_lfs, "deletedFile": _delete_file, "deletedFolder": _delete_folder}


@routes.post("/api/{kind}/{org}/{name}/super-squash/{branch}")
async def super_squash(repo: Writable, user: User, branch: str, body: Body) -> None:
    """One commit with the files as they are takes the place of the branch's history."""
    files = repo.head.files
    for commit in repo.history(ref := f"refs/heads/{branch}"):
        del repo.commits[commit.sha]
    del repo.refs[ref]
    repo.commit(files, body["message"], user or "", ref)


@routes.post("/api/{kind}/{org}/{name}/branch/{branch}")
async def branch(repo: Writable, branch: str, body: Body) -> dict[str, bool]:
    return _new_ref(repo, f"refs/heads/{unquote(branch)}", body.get("startingPoint", "main"))


@routes.post("/api/{kind}/{org}/{name}/tag/{rev}")
async def tag(repo: Writable, rev: str, body: Body) -> dict[str, bool]:
    return _new_ref(repo, f"refs/tags/{body['tag']}", unquote(rev))


@routes.delete("/api/{kind}/{org}/{name}/branch/{ref}")
async def delete_branch(repo: Writable, ref: str) -> dict[str, bool]:
    return _drop_ref(repo, f"refs/heads/{unquote(ref)}")


@routes.delete("/api/{kind}/{org}/{name}/tag/{ref}")
async def delete_tag(repo: Writable, ref: str) -> dict[str, bool]:
    return _drop_ref(repo, f"refs/tags/{unquote(ref)}")


def _new_ref(repo: Repo, ref: str, revision: str) -> dict[str, bool]:
    if ref in repo.refs:
        raise HTTPException(409, f"Reference already exists: {ref}")
    if (commit := repo.find(revision)) is None:
        raise error("RevisionNotFound", f"Invalid rev id: {revision}")
    repo.refs[ref] = commit.sha
    return {"success": True}


def _drop_ref(repo: Repo, ref: str) -> dict[str, bool]:
    if repo.refs.pop(ref, None) is None:
        raise error("RevisionNotFound", f"No {ref}")
    return {"success": True}


def open_discussion(repo: Repo, user: str, title: str, *, pull_request: bool) -> dict[str, Any]:
    repo.discussions.append(
        {
            "num": len(repo.discussions) + 1,
            "title": title,
            "author": {"name": user},
            "createdAt": "2025-01-01T00:00:00.000Z",
            "status": "draft" if pull_request else "open",
            "repo": {"name": repo.id, "type": repo.kind[:-1]},
            "isPullRequest": pull_request,
        }
    )
    if pull_request:
        repo.refs[f"refs/pr/{len(repo.discussions)}"] = repo.head.sha
    return repo.discussions[-1]
