"""Fault injection: which fault, at which request, before or after the request is executed."""

import asyncio
import json
import os
import re
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.hub_server import tampering
from tests.hub_server.store import Hub

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
STATUSES = {"429": 429, "500": 500, "503": 503, "no_space": 507, "expired": 401}


@dataclass
class Fault:
    """One kind of fault.

    Attributes:
        kind: A key of `KINDS`.
        at: Number of the request, from 1; kinds in `APPLIES` wait for the next matching request.
        times: Number of consecutive requests.
        after: Whether the request is executed and only the answer is lost.
        call: What a fault of kind "call" does, e.g. a commit by somebody else.
    """

    kind: str
    at: int
    times: int = 1
    after: bool = False
    call: Callable[[], object] | None = None


@dataclass
class Faults:
    """Counts and logs the requests, and injects the armed fault."""

    hub: Hub
    fault: Fault | None = None
    pid: int = 0
    slow: float = 3.0
    elsewhere: str = ""  # URL of another host
    count: int = 0
    happened: int = 0
    log: list[tuple[str, str, str | None]] = field(default_factory=list)

    def arm(self, fault: Fault | None, pid: int = 0) -> None:
        self.fault, self.pid, self.count, self.happened = fault, pid, 0, 0
        self.log.clear()

    def around(self, app: App) -> App:
        async def guarded(scope: Scope, receive: Any, send: Any) -> None:
            self.count += 1
            token = dict(scope["headers"]).get(b"authorization", b"").decode().partition(" ")[2]
            self.log.append((scope["method"], scope["raw_path"].decode(), self.hub.tokens.get(token)))
            fault = self.fault
            due = fault and self.happened < fault.times and self.count >= fault.at
            if fault and due and _applies(fault, scope):
                self.happened += 1
                await KINDS[fault.kind](self, fault, app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return guarded


# Kind → methods and paths that it affects; other kinds affect every request.
UPLOAD, COMMIT = "PUT /lfs/", "POST .*/commit/"
APPLIES = {
    "no_space": f"{UPLOAD}|{COMMIT}",
    "corrupt_upload": UPLOAD,
    "corrupt_storage": UPLOAD,
    "corrupt_download": "GET ",
    "dropped_file": COMMIT,
    "false_digest": "GET .*/tree/",
    "lost_object": "POST .*/info/lfs/objects/batch",
    "tls": "POST .*/info/lfs/objects/batch",
}


def _applies(fault: Fault, scope: Scope) -> bool:
    expired = fault.kind != "expired" or b"authorization" in dict(scope["headers"])
    return expired and bool(re.match(APPLIES.get(fault.kind, ""), f"{scope['method']} {scope['path']}"))


async def _effect(fault: Fault, app: App, scope: Scope, receive: Any) -> None:
    """Execute the request if the fault is `after` it, and drop the answer."""

    async def drop(message: Any) -> None:
        pass

    if fault.after:
        await app(scope, receive, drop)


def _hang_up(receive: Any) -> None:
    receive.__self__.transport.abort()  # of uvicorn: the peer sees a connection reset


async def disconnect(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    await _effect(fault, app, scope, receive)
    _hang_up(receive)


async def status(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    await _effect(fault, app, scope, receive)
    code = STATUSES[fault.kind]
    headers = [(b"content-type", b"application/json"), *([(b"retry-after", b"0")] if code == 429 else [])]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    body = json.dumps({"error": f"injected fault: {fault.kind}"}).encode()
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def slow(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    await _effect(fault, app, scope, receive)
    await asyncio.sleep(faults.slow)
    _hang_up(receive)


async def kill(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    await _effect(fault, app, scope, receive)
    os.kill(faults.pid, signal.SIGKILL)
    _hang_up(receive)


async def call(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    if fault.call:
        fault.call()
    await app(scope, receive, send)


async def corrupt_upload(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    """An upload is damaged in transfer; the storage notices it."""

    async def receive_damaged() -> Any:
        message = await receive()
        return {**message, "body": _flipped(message["body"])} if message.get("body") else message

    await app(scope, receive_damaged, send)


async def corrupt_storage(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    """The storage damages an uploaded file; only a download shows it."""
    await app(scope, receive, send)
    parts = scope["path"].split("/")
    stored = faults.hub.object(parts[5])
    if stored.exists():
        stored.write_bytes(_flipped(stored.read_bytes()))


async def corrupt_download(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    """A download is damaged in transfer."""

    async def send_damaged(message: Any) -> None:
        await send({**message, "body": _flipped(message["body"])} if message.get("body") else message)

    await app(scope, receive, send_damaged)


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 0xFF]) if data else data


KINDS = {
    "disconnect": disconnect,
    **dict.fromkeys(STATUSES, status),
    "timeout": slow,
    "kill": kill,
    "call": call,
    "corrupt_upload": corrupt_upload,
    "corrupt_storage": corrupt_storage,
    "corrupt_download": corrupt_download,
    "dropped_file": tampering.dropped_file,
    "false_digest": tampering.false_digest,
    "lost_object": tampering.lost_object,
    "tls": tampering.tls,
    "redirect": tampering.redirect,
}
