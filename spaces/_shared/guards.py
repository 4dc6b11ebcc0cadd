"""What every request passes: a limit on its size, the paths that are served, headers that browsers heed."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
LARGEST = 64 * 1024  # bytes of a body; the largest answer has 40 sliders and less than 4,000
# What Gradio needs to start, and what its clients ask for.
GRADIO = r"/config|/gradio_api/(startup-events|info|heartbeat/[\w-]+|queue/(join|data)|call/[\w/-]+|cancel|reset)"
# On the Hub a Space stands in a frame of the Hub's pages, and in nobody else's.
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; media-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self' https://huggingface.co https://*.hf.space",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guards:
    """ASGI middleware.

    Args:
        app: What it stands before.
        served: Expression of the paths of the Space's own pages.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], served: str):
        self.app = app
        self.served = re.compile(f"{served}|{GRADIO}")

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        """Refuse paths that are not served and bodies that are too large, before anything is read from them."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not self.served.fullmatch(scope["path"]):
            await _refuse(send, 404, "There is no such page.")
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > LARGEST:
            await _refuse(send, 413, f"The request is over {LARGEST:,} bytes.")
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST:  # a body without a stated length
                return {"type": "http.disconnect"}
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        await self.app(scope, limited, guarded)


async def _refuse(send: Any, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
