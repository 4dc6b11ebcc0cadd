"""How much one visitor may ask for."""

import math
import os
import time
from collections import deque
from collections.abc import Callable
from threading import Lock

import gradio as gr

from errors import Refused

WINDOW = 60.0  # seconds
REMEMBERED = 10_000  # visitors


class RateLimit:
    """So many requests a minute for each visitor, in this process.

    Args:
        per_minute: How many.
        clock: Gives seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic):
        self.per_minute, self.clock = per_minute, clock
        self.times: dict[str, deque[float]] = {}
        self.lock = Lock()

    def check(self, visitor: str) -> None:
        """Count a request.

        Raises:
            Refused: this visitor had as many within the last minute; the request is not counted.
        """
        with self.lock:
            now = self.clock()
            self._forget(now)
            times = self.times.setdefault(visitor, deque())
            while times and times[0] <= now - WINDOW:
                times.popleft()
            if len(times) >= self.per_minute:
                wait = math.ceil(times[0] + WINDOW - now)
                raise Refused(
                    f"{self.per_minute} pictures and videos a minute are scored for one visitor. "
                    f"Try again in {wait} seconds, or run this Space on your own machine."
                )
            times.append(now)

    def _forget(self, now: float) -> None:
        if len(self.times) > REMEMBERED:
            self.times = {who: times for who, times in self.times.items() if times[-1] > now - WINDOW}


def visitor_of(request: gr.Request | None) -> str:
    """Whom requests are counted for: on the Hub the address that its proxy passes on, elsewhere the caller's."""
    if request is None or request.client is None:
        return "unknown"
    passed_on = request.headers.get("x-forwarded-for", "") if "SPACE_ID" in os.environ else ""
    return passed_on.split(",")[0].strip() or request.client.host
