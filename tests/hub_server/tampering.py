"""Faults of a dishonest or misconfigured Hub: answers and requests that are changed on the way."""

import json
from typing import Any

Message = dict[str, Any]


async def read_body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _replay(body: bytes, receive: Any) -> Any:
    """A `receive` that gives this body first."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


async def _answer(app: Any, scope: Any, receive: Any) -> tuple[Message, bytes]:
    """The start and the body of the honest answer."""
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _send(send: Any, start: Message, body: bytes) -> None:
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


async def dropped_file(faults: Any, fault: Any, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """A commit succeeds, and one of its files is not in it."""
    lines = (await read_body(receive)).splitlines(keepends=True)
    files = [line for line in lines if json.loads(line)["key"] in ("file", "lfsFile") and b'"README.md"' not in line]
    kept = [line for line in lines if line not in files[:1]]
    await app(scope, _replay(b"".join(kept), receive), send)


async def false_digest(faults: Any, fault: Any, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """A listing has wrong digests."""
    start, body = await _answer(app, scope, receive)
    rows = json.loads(body)
    for row in rows if isinstance(rows, list) else ():
        row["oid"] = row["oid"][::-1]
        if row.get("lfs"):
            row["lfs"] = {**row["lfs"], "oid": row["lfs"]["oid"][::-1]}
    await _send(send, start, json.dumps(rows).encode())


async def lost_object(faults: Any, fault: Any, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """The Hub claims to have every LFS object already."""
    start, body = await _answer(app, scope, receive)
    batch = json.loads(body)
    objects = [{key: value for key, value in one.items() if key != "actions"} for one in batch.get("objects", ())]
    await _send(send, start, json.dumps({**batch, "objects": objects}).encode())


async def tls(faults: Any, fault: Any, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """The addresses of uploads are https, and no TLS server is there."""
    start, body = await _answer(app, scope, receive)
    await _send(send, start, body.replace(b'"http://', b'"https://'))


async def redirect(faults: Any, fault: Any, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """A redirect to a page of another host, as by a captive portal."""
    location = f"{faults.elsewhere}{scope['raw_path'].decode()}".encode()
    await send({"type": "http.response.start", "status": 307, "headers": [(b"location", location)]})
    await send({"type": "http.response.body", "body": b""})


class OtherHost:
    """An ASGI application that writes down the headers of what reaches it, and answers with a page."""

    def __init__(self) -> None:
        self.headers: list[dict[bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers.append(dict(scope["headers"]))
        body = b"" if scope["method"] == "HEAD" else b"<title>Log in to the network</title>"
        await _send(send, {"type": "http.response.start", "status": 200, "headers": []}, body)
