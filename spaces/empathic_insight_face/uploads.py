"""What visitors send is read once and removed at once.

Gradio names an uploaded file by its content: two visitors with the same file share it on the disk. So uploads are
counted, and the file goes when the last of them was read. What is sent and never scored is swept away later, a copy
that Gradio makes for itself (of what comes as base64 over MCP) after a minute, and all of it when the Space stops.
"""

import base64
import json
import os
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from errors import Refused
from settings import MB

DATA_URI = "data:image/"
ORPHANED, PAUSE = 60, 15  # seconds


class Uploads:
    """Counts what was sent, hands out bytes, removes files."""

    def __init__(self, folder: Path):
        self.folder = folder.resolve()
        self.sent: Counter[str] = Counter()
        self.lock = Lock()

    def count(self, paths: list[str]) -> None:
        """Note that these files were sent once more."""
        with self.lock:
            self.sent.update(paths)

    def take(self, path: str, megabytes: float) -> bytes:
        """A file's bytes, or those of a data URI; a file is gone afterwards, unless another visitor sent the same one.

        Raises:
            Refused: too large, or no longer there.
        """
        if path.startswith(DATA_URI):
            return _of_data_uri(path, megabytes)
        try:
            if (size := os.path.getsize(path)) > megabytes * MB:
                raise Refused(
                    f"The file has {size / MB:,.1f} MB; up to {megabytes:g} MB are taken. Send a smaller copy."
                )
            return Path(path).read_bytes()
        except FileNotFoundError as error:
            raise Refused("The file is no longer here: it waited for too long. Send it again.") from error
        finally:
            self._release(path)

    def sweep(self, forget: float) -> None:
        """Remove what is older than `forget` seconds, and what nobody waits for and is older than `ORPHANED`."""
        for folder, folders, files in os.walk(self.folder, topdown=False):
            for name in files + folders:
                path = Path(folder, name)
                limit = forget if self.sent[str(path)] > 0 else ORPHANED
                with suppress(OSError):  # gone meanwhile, or a folder with something in it
                    if time.time() - path.stat().st_mtime > limit:
                        (path.rmdir if path.is_dir() else path.unlink)()

    def keep_sweeping(self, forget: float) -> None:
        """Sweep for as long as the process runs."""
        while True:
            time.sleep(PAUSE)
            self.sweep(forget)

    def _release(self, path: str) -> None:
        with self.lock:
            self.sent[path] -= 1
            if self.sent[path] > 0 or not Path(path).resolve().is_relative_to(self.folder):
                return
            del self.sent[path]
            Path(path).unlink(missing_ok=True)


def _of_data_uri(uri: str, megabytes: float) -> bytes:
    if len(uri) > megabytes * MB * 4 / 3 + 100:
        raise Refused(f"The picture is too large; up to {megabytes:g} MB are taken. Send a smaller copy.")
    try:
        return base64.b64decode(uri.partition(",")[2], validate=True)
    except ValueError as error:
        raise Refused("The picture is damaged and does not decode. Send it again.") from error


class CountUploads:
    """ASGI middleware: notes in `Uploads` the files that an answer of Gradio's upload route names."""

    def __init__(self, app: Any, uploads: Uploads):
        self.app, self.uploads = app, uploads

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass everything on; look at answers to POST …/upload."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith("/upload"):
            await self.app(scope, receive, send)
            return
        status, body = 0, b""

        async def watch(message: dict[str, Any]) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")
            if status == 200 and message["type"] == "http.response.body" and not message.get("more_body"):
                self.uploads.count(json.loads(body))  # before the visitor knows the path and can ask for a score
            await send(message)

        await self.app(scope, receive, watch)
