"""An OpenAI-compatible server on 127.0.0.1, of chat completions and of pictures, that misbehaves on demand."""

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG = 2.0  # seconds; tests give the client less
PICTURE_TOKENS, TEXT_TOKENS, ANSWER_TOKENS = 256, 100, 50


@dataclass(frozen=True)
class Asked:
    """One request, as the server understands it."""

    pictures: tuple[str, ...]  # SHA-256 of each
    mimes: tuple[str, ...]
    text: str
    system: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    nth: int  # how often this very question came before

    @property
    def key(self) -> str:
        return hashlib.sha256(repr((self.pictures, self.text, self.system)).encode()).hexdigest()


@dataclass
class Reply:
    """What is sent back."""

    status: int = 200
    body: Any = None  # JSON, or bytes as they are
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    cut: bool = False  # close in the middle of the body


def completion(content: str | None, *, finish: str = "stop", usage: bool = True, **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **message}
    found: dict[str, Any] = {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 0,
        "model": "local",
        "choices": [{"index": 0, "finish_reason": finish, "message": said}],
    }
    if usage:
        found["usage"] = {}  # filled in when it is known what was asked
    return found


Answer = Callable[[Asked], Reply]


class ChatServer:
    """Answers with what `answer` returns, and remembers what was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.count: Counter[str] = Counter()  # picture → requests that hold it
        self.under_way = self.most_under_way = 0
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Asked:
        if "messages" not in body:  # of images/generations, or of a text-to-image endpoint of the Hub
            return self._noted(Asked((), (), body.get("prompt") or body["inputs"], "", body, headers, 0))
        turns = {turn["role"]: turn["content"] for turn in body["messages"]}
        parts = turns["user"]
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        data = [base64.b64decode(url.partition(",")[2]) for url in urls]
        pictures = tuple(hashlib.sha256(one).hexdigest() for one in data)
        mimes = tuple(url.partition(":")[2].partition(";")[0] for url in urls)
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        return self._noted(Asked(pictures, mimes, text, turns.get("system", ""), body, headers, 0))

    def _noted(self, asked: Asked) -> Asked:
        with self._lock:
            asked = Asked(**{**asked.__dict__, "nth": self._seen[asked.key]})
            self._seen[asked.key] += 1
            self.asked.append(asked)
            self.count.update(asked.pictures)
        return asked


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, ChatServer]]:
    """A base address, and the server behind it."""
    chat = ChatServer(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet: two would wait for each other

        def do_POST(self) -> None:
            with chat._lock:
                chat.under_way += 1
                chat.most_under_way = max(chat.under_way, chat.most_under_way)
            try:
                self._reply()
            finally:
                with chat._lock:
                    chat.under_way -= 1

        def _reply(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if not self.path.endswith(("/v1/chat/completions", "/v1/images/generations", "/v1/text-to-image")):
                reply = Reply(404, {"error": {"message": "no such route"}})
            else:
                asked = chat.take(json.loads(data), dict(self.headers))
                reply = chat.answer(asked)
                if isinstance(reply.body, dict) and reply.body.get("usage") == {}:
                    tokens = TEXT_TOKENS + PICTURE_TOKENS * len(asked.pictures)
                    usage = {"prompt_tokens": tokens, "completion_tokens": ANSWER_TOKENS}
                    reply.body["usage"] = {**usage, "total_tokens": tokens + ANSWER_TOKENS}
            time.sleep(reply.wait)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if reply.cut else body)
            self.wfile.flush()
            if reply.cut:
                self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None: ...  # a client that was killed

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", chat
    finally:
        server.shutdown()
        server.server_close()
