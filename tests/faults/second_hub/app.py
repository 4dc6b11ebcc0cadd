"""The ASGI applications of the second Hub and of its storage host."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.faults.second_hub.answers import ROUTES, Answer, Call
from tests.faults.second_hub.store import Refused, SecondHub
from tests.hub_server import Faults
from tests.hub_server.tampering import read_body
from tests.serving import listening


async def _respond(send: Any, scope: Any, answer: Answer) -> None:
    status, headers, body = answer
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = (b"content-length", str(len(data)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else data})


class HubApp:
    """The Hub."""

    def __init__(self, hub: SecondHub) -> None:
        self.hub = hub

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await read_body(receive)
        try:
            answer = self._answer(scope, body)
        except Refused as error:
            answer = error.status, error.headers, {"error": str(error)}
        await _respond(send, scope, answer)

    def _answer(self, scope: Any, body: bytes) -> Answer:
        path, headers = scope["raw_path"].decode(), dict(scope["headers"])
        user, query = self.hub.user(headers), parse_qs(scope["query_string"].decode())
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        for wanted, pattern, answer in ROUTES:
            if method == wanted and (found := re.fullmatch(pattern, path)):
                parts = found.groupdict()
                repo = self.hub.repo(parts.get("kind") or "models", parts["id"], user) if "id" in parts else None
                rest = unquote(parts.get("rest") or "")
                return answer(
                    self.hub, Call(user, query, body, f"http://{headers[b'host'].decode()}", path, repo, rest)
                )
        raise Refused(404, f"no {method} {path}")


class StorageApp:
    """The storage host: its addresses are signed, so that it must never get a token; `headers` are those it got."""

    def __init__(self, hub: SecondHub, headers: list[dict[bytes, bytes]]) -> None:
        self.hub, self.headers = hub, headers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers.append(dict(scope["headers"]))
        stored = self.hub.object(scope["path"].split("/")[-1])
        if scope["method"] == "PUT":
            data = await read_body(receive)
            if hashlib.sha256(data).hexdigest() != stored.name:
                return await _respond(send, scope, (400, [], b"<Code>BadDigest</Code>"))
            stored.write_bytes(data)
            return await _respond(send, scope, (200, [], b""))
        found = stored.exists()
        await _respond(send, scope, (200 if found else 403, [], stored.read_bytes() if found else b"<Code>NoSuchKey"))


@contextmanager
def running_second(hub: SecondHub, faults: Faults, headers: list[dict[bytes, bytes]]) -> Iterator[str]:
    """Serve the Hub and its storage host, which has another name and port and collects the headers that it gets."""
    with listening(faults.around(StorageApp(hub, headers))) as url:
        hub.storage = url.replace("127.0.0.1", "localhost")
        with listening(faults.around(HubApp(hub))) as endpoint:
            yield endpoint
