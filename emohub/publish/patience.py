"""Requests to the Hub that wait and try again: one HTTP client below everything that huggingface_hub sends.

`huggingface_hub` repeats only some of its requests by itself (uploads, listings), never a commit, a new repo or a tag,
and waits for an answer without end. Here every request has a limit and is repeated, which is safe because each is
either the same twice over or guarded: a commit by its parent, a repo or a tag by its name. Opening a pull request is
the exception. Bodies that stream from a file are left to `huggingface_hub`, which rewinds and repeats them, and so are
requests to which it gives a limit of its own, since it has its own way to do without the answer.
"""

import logging
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.utils import parse_ratelimit_headers
from huggingface_hub.utils._http import hf_request_event_hook  # what every client of the Hub must carry

from emohub.errors import PublishError

TRANSIENT = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError)
STATUSES = (408, 429, 500, 502, 503, 504)
NOT_DONE = (429, 503)  # the Hub says that it did not do it

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait.

    Attributes:
        tries: How often a request is sent at most.
        wait: Seconds before the second try; doubled before each further one, with some chance in it.
        longest: Seconds that one wait lasts at most, unless the Hub names a time.
        timeout: Seconds without a byte after which a request counts as lost.
    """

    tries: int = 6
    wait: float = 1.0
    longest: float = 60.0
    timeout: float = 120.0

    @classmethod
    def from_environment(cls) -> "Patience":
        """The defaults, or what EMOHUB_HUB_TRIES, _WAIT, _LONGEST and _TIMEOUT say.

        Raises:
            PublishError: one of them is no positive number.
        """
        given = {}
        for name, kind in {"tries": int, "wait": float, "longest": float, "timeout": float}.items():
            key = f"EMOHUB_HUB_{name.upper()}"
            if value := os.environ.get(key):
                try:
                    given[name] = kind(value)
                except ValueError as error:
                    raise PublishError(f"{key} is {value!r}; give a number, e.g. {key}=5.") from error
                if given[name] <= 0:
                    raise PublishError(f"{key} is {value!r}; give a number above 0.")
        return cls(**given)

    def before(self, attempt: int, response: httpx2.Response | None) -> float:
        """Seconds to wait before try `attempt` (2 is the first repetition)."""
        if (named := _named_wait(response)) is not None:
            return named + random.uniform(0, self.wait)
        return min(self.longest, self.wait * 2 ** (attempt - 2)) * random.uniform(0.5, 1)


def _named_wait(response: httpx2.Response | None) -> float | None:
    """The seconds that the Hub asks for, through `Retry-After` or its own rate-limit headers."""
    if response is None:
        return None
    limit = parse_ratelimit_headers(response.headers)
    if response.status_code == 429 and limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    after = response.headers.get("retry-after", "")
    return float(after) if after.isdigit() else None


class PatientClient(httpx2.Client):
    """A client that repeats what got no answer, or an answer that says "later".

    Raises:
        PublishError: a request got no better answer in all its tries.
    """

    def __init__(self, patience: Patience) -> None:
        hooks: dict[str, list[Callable[..., Any]]] = {"request": [hf_request_event_hook]}
        super().__init__(event_hooks=hooks, follow_redirects=True, timeout=patience.timeout)
        self.patience = patience

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send, as the base class does, and repeat."""
        limits = request.extensions.get("timeout") or {}
        if not any(limits.values()):  # huggingface_hub would wait without end
            request.extensions = {**request.extensions, "timeout": self.timeout.as_dict()}
        elif limits != self.timeout.as_dict():
            return super().send(request, **options)
        if not isinstance(request.stream, httpx2.ByteStream):
            return super().send(request, **options)
        for attempt in range(1, self.patience.tries + 1):
            response, trouble = None, ""
            try:
                response = super().send(request, **options)
                if response.status_code not in STATUSES or not _repeatable(request, response):
                    return response
                response.read()
                trouble = f"answered {response.status_code}"
            except TRANSIENT as error:
                trouble = f"gave no answer ({type(error).__name__})"
                if not _repeatable(request, None):
                    raise PublishError(_lost(request, trouble, 1)) from error
            if attempt < self.patience.tries:
                seconds = self.patience.before(attempt + 1, response)
                log.warning("The Hub %s to %s; again in %.1f s", trouble, _named(request), seconds)
                time.sleep(seconds)
        raise PublishError(_lost(request, trouble, self.patience.tries))


def _repeatable(request: httpx2.Request, response: httpx2.Response | None) -> bool:
    """Whether sending it twice does no more than sending it once."""
    opens = request.method == "POST" and request.url.path.endswith("/discussions")
    return not opens or (response is not None and response.status_code in NOT_DONE)


def _lost(request: httpx2.Request, trouble: str, tries: int) -> str:
    times = f"{tries} times" if tries > 1 else "once"
    return (
        f"The Hub {trouble} to {_named(request)}, tried {times}. What was sent is kept: "
        "run the same command again, later if the Hub is down (https://status.huggingface.co)."
    )


def _named(request: httpx2.Request) -> str:
    """Method and address without the query, which may hold a signature."""
    return f"{request.method} {request.url.copy_with(query=None)}"


def be_patient(patience: Patience | None = None) -> None:
    """Let everything that huggingface_hub sends from this process go through a `PatientClient`."""
    chosen = patience or Patience.from_environment()
    set_client_factory(lambda: PatientClient(chosen))
