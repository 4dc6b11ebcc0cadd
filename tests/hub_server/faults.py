"""Faults on demand: what goes wrong, at which request, before or after that request had its effect."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.hub_server.store import Hub

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
STATUSES = {"429": 429, "500": 500, "503": 503, "disk": 507}


@dataclass
class Fault:
    """One kind of fault.

    Attributes:
        kind: A key of `KINDS`.
        at: Number of the request that it meets, from 1; where the kind needs a certain request, the next such.
        times: How many requests in a row it meets.
        after: Whether the request has its effect first, and only the answer is lost.
        call: What a fault of kind "call" does, e.g. somebody else's commit.
    """

    kind: str
    at: int
    times: int = 1
    after: bool = False
    call: Callable[[], object] | None = None


@dataclass
class Faults:
    """Counts the requests, writes them down, and lets the armed fault happen."""

    hub: Hub
    fault: Fault | None = None
    pid: int = 0
    slow: float = 3.0
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
            if fault and due and APPLIES.get(fault.kind, _always)(scope):
                self.happened += 1
                await KINDS[fault.kind](self, fault, app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return guarded


def _always(scope: Scope) -> bool:
    return True


def _upload(scope: Scope) -> bool:
    return scope["method"] == "PUT" and scope["path"].startswith("/lfs/")


def _write(scope: Scope) -> bool:
    return _upload(scope) or (scope["method"] == "POST" and "/commit/" in scope["path"])


def _download(scope: Scope) -> bool:
    return scope["method"] == "GET"


APPLIES = {"disk": _write, "garbled": _upload, "rotten": _upload, "lies": _download}


async def _effect(fault: Fault, app: App, scope: Scope, receive: Any) -> None:
    """Let the request do its work and drop the answer."""

    async def drop(message: Any) -> None:
        pass

    if fault.after:
        await app(scope, receive, drop)


def _hang_up(receive: Any) -> None:
    receive.__self__.transport.abort()  # uvicorn's own cycle: the peer sees a reset


async def cut(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    await _effect(fault, app, scope, receive)
    _hang_up(receive)


async def status(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    await _effect(fault, app, scope, receive)
    code = STATUSES[fault.kind]
    headers = [(b"content-type", b"application/json"), *([(b"retry-after", b"0")] if code == 429 else [])]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    said = json.dumps({"error": f"a fault on demand: {fault.kind}"}).encode()
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else said})


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


async def garbled(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    """Bytes change on the way up: the storage sees it."""

    async def receive_other() -> Any:
        message = await receive()
        return {**message, "body": _flipped(message["body"])} if message.get("body") else message

    await app(scope, receive_other, send)


async def rotten(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    """The storage takes the bytes, and then loses some: only who downloads them sees it."""
    await app(scope, receive, send)
    parts = scope["path"].split("/")
    there = faults.hub.object(parts[5])
    if there.exists():
        there.write_bytes(_flipped(there.read_bytes()))


async def lies(faults: Faults, fault: Fault, app: App, scope: Scope, receive: Any, send: Any) -> None:
    """Bytes change on the way down."""

    async def send_other(message: Any) -> None:
        await send({**message, "body": _flipped(message["body"])} if message.get("body") else message)

    await app(scope, receive, send_other)


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 0xFF]) if data else data


KINDS = {
    "cut": cut,
    **dict.fromkeys(STATUSES, status),
    "timeout": slow,
    "kill": kill,
    "call": call,
    "garbled": garbled,
    "rotten": rotten,
    "lies": lies,
}
