"""Pull requests and collections."""

from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse

from tests.hub_server.access import HubOf, RepoOf, User, Writable, may
from tests.hub_server.store import Hub
from tests.hub_server.write import Body, open_discussion

routes = APIRouter()
PAGE = 10


@routes.get("/api/{kind}/{org}/{name}/discussions")
async def discussions(
    repo: RepoOf, p: int = 0, type: str = "all", status: str = "all", author: str | None = None
) -> dict[str, Any]:
    wanted = [
        one
        for one in repo.discussions
        if (type == "all" or one["isPullRequest"] == (type == "pull_request"))
        and (status == "all" or (one["status"] in ("open", "draft")) == (status == "open"))
        and author in (None, one["author"]["name"])
    ]
    return {"count": len(wanted), "start": p * PAGE, "discussions": wanted[p * PAGE : (p + 1) * PAGE]}


@routes.post("/api/{kind}/{org}/{name}/discussions")
async def discuss(repo: RepoOf, user: User, body: Body) -> dict[str, Any]:
    if user is None:
        raise HTTPException(401, "You must be logged in to do this.")
    return open_discussion(repo, user, body["title"], pull_request=bool(body.get("pullRequest")))


@routes.get("/api/{kind}/{org}/{name}/discussions/{num}")
async def discussion(repo: RepoOf, num: int) -> dict[str, Any]:
    if not 0 < num <= len(repo.discussions):
        raise HTTPException(404, f"No discussion {num}")
    changes = {"base": "refs/heads/main"}
    return {**repo.discussions[num - 1], "changes": changes, "filesWithConflicts": [], "events": [], "diff": ""}


@routes.post("/api/{kind}/{org}/{name}/discussions/{num}/status")
async def set_status(repo: RepoOf, user: User, num: int, body: Body) -> dict[str, Any]:
    one = repo.discussions[num - 1]
    if user != one["author"]["name"]:
        raise HTTPException(403, "Only its author may do this.")
    one["status"] = body["status"]
    event = {"id": "1", "type": "status-change", "createdAt": one["createdAt"], "author": one["author"]}
    return {"newStatus": {**event, "data": {"status": body["status"]}}}


@routes.post("/api/{kind}/{org}/{name}/discussions/{num}/merge")
async def merge(repo: Writable, user: User, num: int) -> dict[str, bool]:
    """As on the web page: apply to main what the pull request changed since its base."""
    branch = repo.commits[repo.refs[f"refs/pr/{num}"]]
    base = next(one for one in repo.history(f"refs/pr/{num}") if one in repo.history())
    changed = {path: file for path, file in branch.files.items() if base.files.get(path) != file}
    removed = {*base.files} - {*branch.files}
    files = {path: file for path, file in {**repo.head.files, **changed}.items() if path not in removed}
    repo.commit(files, f"{branch.title} (#{num})", user or "")
    repo.discussions[num - 1]["status"] = "merged"
    return {"success": True}


# ---- Collections


def _collection(hub: Hub, org: str, slug: str) -> dict[str, Any]:
    if (found := hub.collections.get(f"{org}/{slug}")) is None:
        raise HTTPException(404, f"No collection {org}/{slug}")
    return found


@routes.get("/api/collections")
async def collections(hub: HubOf, user: User, owner: str | None = None) -> list[dict[str, Any]]:
    found = [one for one in hub.collections.values() if owner in (None, one["owner"]["name"])]
    seen = [one for one in found if not one["private"] or hub.may_write(user, one["owner"]["name"])]
    hidden = {"position"}  # a list has no positions, and only the first four items
    return [{**{k: v for k, v in one.items() if k not in hidden}, "items": one["items"][:4]} for one in seen]


@routes.post("/api/collections")
async def create_collection(hub: HubOf, user: User, body: Body) -> JSONResponse:
    may(hub, user, body["namespace"])
    for one in hub.collections.values():
        if (one["owner"]["name"], one["title"]) == (body["namespace"], body["title"]):
            return JSONResponse({"error": "This collection already exists", "slug": one["slug"]}, 409)
    created = hub.collection(body["namespace"], body["title"], body.get("description", ""), bool(body.get("private")))
    return JSONResponse(created)


@routes.get("/api/collections/{org}/{slug}")
async def get_collection(hub: HubOf, org: str, slug: str) -> dict[str, Any]:
    return _collection(hub, org, slug)


@routes.patch("/api/collections/{org}/{slug}")
async def update_collection(hub: HubOf, user: User, org: str, slug: str, body: Body) -> dict[str, Any]:
    may(hub, user, org)
    found = _collection(hub, org, slug)
    found.update({key: value for key, value in body.items() if key in ("title", "description", "private", "theme")})
    return {"data": found}


@routes.delete("/api/collections/{org}/{slug}")
async def delete_collection(hub: HubOf, user: User, org: str, slug: str) -> dict[str, bool]:
    may(hub, user, org)
    _collection(hub, org, slug)
    del hub.collections[f"{org}/{slug}"]
    return {"success": True}


@routes.post("/api/collections/{org}/{slug}/items")
async def add_item(hub: HubOf, user: User, org: str, slug: str, body: Body) -> JSONResponse:
    may(hub, user, org)
    found, item = _collection(hub, org, slug), body["item"]
    if f"{item['type']}s/{item['id']}" not in hub.repos:
        return JSONResponse({"error": f"No {item['type']} {item['id']}"}, 404)
    if any((one["id"], one["type"]) == (item["id"], item["type"]) for one in found["items"]):
        return JSONResponse({"error": "This item is already in the collection"}, 409)
    place = len(found["items"])
    note = {"text": body["note"]} if body.get("note") else None
    found["items"].append({"_id": f"{place:024x}", **item, "position": place, "note": note})
    return JSONResponse(found)


@routes.patch("/api/collections/{org}/{slug}/items/{item}")
async def update_item(hub: HubOf, user: User, org: str, slug: str, item: str, body: Body) -> dict[str, bool]:
    may(hub, user, org)
    found = next((one for one in _collection(hub, org, slug)["items"] if one["_id"] == item), None)
    if found is None:
        raise HTTPException(404, f"No item {item}")
    if "note" in body:
        found["note"] = {"text": body["note"]}
    found["position"] = body.get("position", found["position"])
    return {"success": True}
