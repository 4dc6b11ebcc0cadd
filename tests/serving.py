"""Servers of this process on 127.0.0.1."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Serve an ASGI application from a thread and yield its URL, e.g. `http://127.0.0.1:41234`."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # injected faults are expected
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
    # With the protocol named, asyncio sends small answers at once; without it, each waits 40 ms for Nagle.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:  # the socket listens already: an early request waits in its queue
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
