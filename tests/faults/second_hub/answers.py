"""What the second Hub answers: one function for each kind of request, and the table of routes."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.second_hub.store import Entry, Refused, SecondHub, SecondRepo, Snapshot, inline

LFS = (".parquet", ".safetensors")
PAGE = 2  # rows of a listing
Answer = tuple[int, list[tuple[bytes, bytes]], Any]  # status, headers, body


@dataclass
class Call:
    """One request: who sent it, to which repo, and what."""

    user: str | None
    query: dict[str, list[str]]
    body: bytes
    host: str
    path: str
    repo: SecondRepo | None = None
    rest: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ok(body: Any) -> Answer:
    return 200, [], body


def repo_of(call: Call) -> SecondRepo:
    assert call.repo is not None
    return call.repo


def snapshot_of(call: Call, revision: str) -> Snapshot:
    if (found := repo_of(call).find(revision)) is None:
        raise Refused(404, f"No revision {revision}", "RevisionNotFound")
    return found


def whoami(hub: SecondHub, call: Call) -> Answer:
    if call.user is None:
        raise Refused(401, "Not logged in")
    orgs = [{"name": name, "roleInOrg": "admin"} for name, users in hub.members.items() if call.user in users]
    return ok({"type": "user", "name": call.user, "orgs": orgs})


def create(hub: SecondHub, call: Call) -> Answer:
    body = call.json
    id, kind = f"{body.get('organization') or call.user}/{body['name']}", f"{body.get('type', 'model')}s"
    hub.require(call.user, id)
    url = {"url": f"{call.host}/{kind}/{id}" if kind != "models" else f"{call.host}/{id}"}
    if f"{kind}/{id}" in hub.repos:
        return 409, [], {**url, "message": "exists"}
    hub.create(kind, id, body.get("private") or body.get("visibility") == "private")
    return ok(url)


def settings(hub: SecondHub, call: Call) -> Answer:
    repo = repo_of(call)
    hub.require(call.user, repo.id)
    visibility = {"private": call.json["visibility"] == "private"} if "visibility" in call.json else {}
    for name, value in {**call.json, **visibility}.items():
        if name in ("private", "gated"):
            setattr(repo, name, value)
    return ok({})


def writable(hub: SecondHub, call: Call) -> Answer:
    hub.require(call.user, repo_of(call).id)
    return ok({})


def info(hub: SecondHub, call: Call) -> Answer:
    repo, snapshot = repo_of(call), snapshot_of(call, call.rest or "main")
    files = [{"rfilename": path} for path in snapshot.files]
    return ok({"id": repo.id, "sha": snapshot.sha, "private": repo.private, "gated": repo.gated, "siblings": files})


def refs(hub: SecondHub, call: Call) -> Answer:
    found: dict[str, list[dict[str, str]]] = {"heads": [], "tags": []}
    for ref, sha in repo_of(call).refs.items():
        found[ref.split("/")[1]].append({"name": ref.split("/", 2)[2], "ref": ref, "targetCommit": sha})
    return ok({"branches": found["heads"], "tags": found["tags"], "converts": []})


def commits(hub: SecondHub, call: Call) -> Answer:
    one = {"date": "2026-01-01T00:00:00Z", "message": "", "authors": []}
    history = repo_of(call).history(snapshot_of(call, call.rest))
    return ok([{**one, "id": snapshot.sha, "title": snapshot.title} for snapshot in history])


def tree(hub: SecondHub, call: Call) -> Answer:
    repo, snapshot = repo_of(call), snapshot_of(call, call.rest)
    expand = call.query.get("expand", [""])[0].lower() == "true"
    start = int(call.query.get("after", ["0"])[0])
    paths = sorted(snapshot.files)
    rows = [
        snapshot.files[path].row(path, repo.last_change(path, snapshot) if expand else None)
        for path in paths[start : start + PAGE]
    ]
    query = f"recursive=True&expand={expand}&after={start + PAGE}"
    more = f'<{call.host}{call.path}?{query}>; rel="next"'.encode()
    return 200, [(b"link", more)] if start + PAGE < len(paths) else [], rows


def resolve(hub: SecondHub, call: Call) -> Answer:
    repo = repo_of(call)
    if repo.gated and not hub.writes(call.user, repo.id):
        raise Refused(403 if call.user else 401, "Accept the terms first", "GatedRepo")
    revision, _, path = call.rest.partition("/")
    snapshot = snapshot_of(call, revision)
    if (file := snapshot.files.get(path)) is None:
        raise Refused(404, f"No file {path}", "EntryNotFound")
    headers = [(b"etag", f'"{file.etag}"'.encode()), (b"x-repo-commit", snapshot.sha.encode())]
    if file.stored is None:
        return 200, headers, file.data
    return 302, [*headers, (b"location", f"{hub.storage}/lfs/{file.etag}?signature=s".encode())], b""


# ---- Uploads and commits


def upload_modes(hub: SecondHub, call: Call) -> Answer:
    hub.require(call.user, repo_of(call).id)
    mode = {path: "lfs" if path.endswith(LFS) else "regular" for path in (one["path"] for one in call.json["files"])}
    return ok({"files": [{"path": path, "uploadMode": mode[path], "shouldIgnore": False} for path in mode]})


def batch(hub: SecondHub, call: Call) -> Answer:
    repo = repo_of(call)
    hub.require(call.user, repo.id)
    objects = []
    for one in call.json["objects"]:
        upload = {"href": f"{hub.storage}/lfs/{repo.kind}/{repo.id}/{one['oid']}?signature=s", "header": {}}
        stored = hub.object(one["oid"]).exists()
        objects.append({**one, **({} if stored else {"actions": {"upload": upload}})})
    return ok({"transfer": "basic", "objects": objects})


def commit(hub: SecondHub, call: Call) -> Answer:
    repo = repo_of(call)
    hub.require(call.user, repo.id)
    changes = [json.loads(line) for line in call.body.splitlines()]
    header = changes.pop(0)["value"]
    if header.get("parentCommit") not in (None, repo.head.sha):
        raise Refused(412, "The branch has moved on")
    files = dict(repo.head.files)
    for one in changes:
        value = one["value"]
        if one["key"] == "deletedFile":
            del files[value["path"]]
        elif one["key"] == "lfsFile":
            files[value["path"]] = Entry(value["size"], value["oid"], stored=hub.object(value["oid"]))
        else:
            files[value["path"]] = inline(base64.b64decode(value["content"]))
    made = repo.commit(files, header["summary"], str(call.user))
    return ok({"commitOid": made.sha, "commitUrl": f"{call.host}/{repo.id}/commit/{made.sha}"})


def tag(hub: SecondHub, call: Call) -> Answer:
    repo, ref = repo_of(call), f"refs/tags/{call.json['tag']}"
    hub.require(call.user, repo.id)
    if ref in repo.refs:
        raise Refused(409, "The tag exists")
    repo.refs[ref] = snapshot_of(call, call.rest).sha
    return ok({})


# ---- Collections


def collections(hub: SecondHub, call: Call) -> Answer:
    owner = call.query.get("owner", [""])[0]
    found = [one for one in hub.collections.values() if one["owner"]["name"] == owner]
    return ok([{key: value for key, value in one.items() if key != "position"} for one in found])


def collection(hub: SecondHub, call: Call) -> Answer:
    if call.rest not in hub.collections:
        raise Refused(404, f"No collection {call.rest}")
    return ok(hub.collections[call.rest])


def new_collection(hub: SecondHub, call: Call) -> Answer:
    owner, title = call.json["namespace"], call.json["title"]
    hub.require(call.user, owner)
    slug = f"{owner}/{hashlib.sha1(title.encode()).hexdigest()}"
    if slug in hub.collections:
        return 409, [], {"slug": slug}
    dates = {"lastUpdated": "2026-01-01T00:00:00Z", "upvotes": 0, "position": 0, "theme": "blue", "private": False}
    text = {"title": title, "description": call.json.get("description", "")}
    hub.collections[slug] = {"slug": slug, "owner": {"name": owner}, "items": [], **text, **dates}
    return ok(hub.collections[slug])


def new_item(hub: SecondHub, call: Call) -> Answer:
    hub.require(call.user, call.rest)
    items, item = hub.collections[call.rest]["items"], call.json["item"]
    if any((one["type"], one["id"]) == (item["type"], item["id"]) for one in items):
        raise Refused(409, "The item exists")
    items.append({"_id": str(len(items)), "position": len(items), **item})
    return ok(hub.collections[call.rest])


def describe(hub: SecondHub, call: Call) -> Answer:
    hub.require(call.user, call.rest)
    hub.collections[call.rest].update(call.json)
    return ok({"data": hub.collections[call.rest]})


ID = "(?P<id>[^/]+/[^/]+)"
REPO = f"/api/(?P<kind>models|datasets|spaces)/{ID}"
GIT = f"(?:/(?P<kind>datasets|spaces))?/{ID}"
ROUTES: list[tuple[str, str, Callable[[SecondHub, Call], Answer]]] = [
    ("GET", "/api/whoami-v2", whoami),
    ("POST", "/api/repos/create", create),
    ("POST", "/api/validate-yaml", lambda hub, call: ok({"errors": [], "warnings": []})),
    ("GET", "/api/collections", collections),
    ("POST", "/api/collections", new_collection),
    ("GET", "/api/collections/(?P<rest>[^/]+/[^/]+)", collection),
    ("PATCH", "/api/collections/(?P<rest>[^/]+/[^/]+)", describe),
    ("POST", "/api/collections/(?P<rest>[^/]+/[^/]+)/items", new_item),
    ("GET", REPO, info),
    ("GET", f"{REPO}/revision/(?P<rest>.+)", info),
    ("GET", f"{REPO}/refs", refs),
    ("GET", f"{REPO}/commits/(?P<rest>.+)", commits),
    ("GET", f"{REPO}/tree/(?P<rest>.+)", tree),
    ("GET", f"{REPO}/auth-check/write", writable),
    ("PUT", f"{REPO}/settings", settings),
    ("POST", f"{REPO}/preupload/main", upload_modes),
    ("POST", f"{REPO}/commit/main", commit),
    ("POST", f"{REPO}/tag/(?P<rest>.+)", tag),
    ("POST", r"(?:/(?P<kind>datasets|spaces))?/(?P<id>[^/]+/[^/]+?)\.git/info/lfs/objects/batch", batch),
    ("GET", f"{GIT}/resolve/(?P<rest>.+)", resolve),
]
