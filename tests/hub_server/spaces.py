"""Spaces: runtime, secrets, logs, and a runner that starts their apps as processes on this machine."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from emohub.hub.process import free_port
from tests.hub_server.access import HubOf, RepoOf, Writable
from tests.hub_server.store import DATE, Hub, Repo
from tests.hub_server.write import Body

routes = APIRouter()


@dataclass
class App:
    """A running app: a process with its log, or only a URL."""

    url: str
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    sha: str | None = None
    building: int = 1  # requests for the runtime that answer BUILDING

    @property
    def stage(self) -> str:
        if self.process is None:
            return "RUNNING"
        if self.building:
            self.building -= 1
            return "BUILDING"
        if self.process.poll() is not None:
            return "RUNTIME_ERROR"
        with socket.socket() as probe:
            return "APP_STARTING" if probe.connect_ex(("127.0.0.1", int(self.url.rsplit(":", 1)[1]))) else "RUNNING"


@dataclass
class Runner:
    """Starts the app of a Space at each commit or new secret, as the Hub does.

    Attributes:
        folder: Working directory.
        endpoint: URL of the Hub for the apps.
        ids: The Spaces to run, or None for all.
    """

    folder: Path
    endpoint: str
    ids: Collection[str] | None = None
    apps: dict[str, App] = field(default_factory=dict)

    def runs(self, repo: Repo) -> bool:
        return self.ids is None or repo.id in self.ids

    def start(self, repo: Repo) -> None:
        """Start the app, in place of an earlier one."""
        self.stop(repo.id)
        if "app.py" not in repo.head.files or not self.runs(repo):
            return
        root = Path(tempfile.mkdtemp(dir=self.folder))
        for path, file in repo.head.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(file.data)
        port = free_port()
        gradio = {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_ANALYTICS_ENABLED": "0"}
        hub = {"HF_ENDPOINT": self.endpoint, "HF_HOME": str(root / ".home"), "HF_HUB_DISABLE_XET": "1"}
        system = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        local = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "SPACE_ID": repo.id}
        env = {**system, **local, **hub, **gradio, **repo.secrets}
        log = root / ".log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=root, env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
        self.apps[repo.id] = App(f"http://127.0.0.1:{port}", log, process, repo.head.sha)

    def stop(self, id: str) -> None:
        app = self.apps.pop(id, None)
        if app is not None and app.process is not None:
            app.process.kill()
            app.process.wait()


@contextmanager
def running_apps(hub: Hub, endpoint: str, folder: Path, ids: Collection[str] | None = None) -> Iterator[Runner]:
    """Run the Spaces of a Hub until the end of the context."""
    runner = hub.runner = Runner(folder, endpoint, ids)
    try:
        yield runner
    finally:
        hub.runner = None
        for id in [*runner.apps]:
            runner.stop(id)


def app_of(hub: Hub, repo: Repo, base_url: str) -> App | None:
    """The app of a Space; a page of this server if no runner runs it, None if it has no app."""
    if hub.runner is None or not hub.runner.runs(repo):
        return App(f"{base_url}pages/{repo.id}")
    return hub.runner.apps.get(repo.id)


def space_info(hub: Hub, repo: Repo, base_url: str) -> dict[str, Any]:
    """What the info of a Space has beyond that of other repos."""
    app = app_of(hub, repo, base_url)
    name = repo.id.replace("/", "-").replace("_", "-").lower()
    return {"sdk": "gradio", "subdomain": name, "host": app.url if app else None}


@routes.get("/api/spaces/{org}/{name}/runtime")
async def runtime(request: Request, hub: HubOf, org: str, name: str) -> dict[str, Any]:
    repo = _space(hub, org, name)
    app = app_of(hub, repo, str(request.base_url))
    stage = "NO_APP_FILE" if app is None else app.stage
    hardware = {"current": "cpu-basic", "requested": "cpu-basic"}
    sha = repo.head.sha if app is None or app.sha is None else app.sha
    return {"stage": stage, "hardware": hardware, "storage": None, "gcTimeout": 172800, "sha": sha}


def _space(hub: Hub, org: str, name: str) -> Repo:
    if (repo := hub.repos.get(f"spaces/{org}/{name}")) is None:
        raise HTTPException(404, f"No Space {org}/{name}")
    return repo


@routes.get("/api/{kind}/{org}/{name}/secrets")
async def secrets(repo: Writable) -> dict[str, Any]:
    return {name: {"key": name, "updatedAt": DATE} for name in repo.secrets}


@routes.post("/api/{kind}/{org}/{name}/secrets")
async def set_secret(repo: Writable, hub: HubOf, body: Body) -> dict[str, bool]:
    repo.secrets[body["key"]] = body["value"]
    if hub.runner is not None:
        hub.runner.start(repo)
    return {"success": True}


@routes.get("/api/{kind}/{org}/{name}/logs/{log}")
async def logs(repo: RepoOf, hub: HubOf, log: str) -> StreamingResponse:
    app = hub.runner.apps.get(repo.id) if hub.runner else None
    text = app.log.read_text(errors="replace") if app and app.log and log == "run" else ""
    records = ({"data": line, "timestamp": DATE} for line in text.splitlines(keepends=True))
    events = (f"data: {json.dumps(record)}\n\n" for record in records)
    return StreamingResponse(events, media_type="text/event-stream")


@routes.get("/pages/{org}/{name}")
async def page(org: str, name: str) -> HTMLResponse:
    return HTMLResponse(f"<title>{org}/{name}</title>")


@routes.get("/pages/{org}/{name}/gradio_api/info")
async def page_api(org: str, name: str) -> dict[str, Any]:
    return {"named_endpoints": {}, "unnamed_endpoints": {}}
